from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from sched_core.ports.bucket import BucketFiles

from ..engines import or_skip
from .batch import BatchEmulator
from .cloud import BUCKET as RUNS
from .cloud import Cloud
from .gcsfuse import Gcsfuse
from .mirrors import BUCKET as MIRRORED
from .storage import StorageEmulator
from .storage_client import Bucket, Client

BUCKET = "bucket"


@pytest.fixture
def storage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StorageEmulator]:
    """Cloud Storage with one bucket, which the libraries find by the environment."""
    with StorageEmulator(tmp_path / "storage", BUCKET) as storage:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", storage.url)
        # A thread that looks for the bucket's region would be counted, and outlive the client.
        monkeypatch.setenv("DISABLE_GCS_PYTHON_CLIENT_OTEL_BUCKET_METADATA", "true")
        yield storage


@pytest.fixture(scope="module")
def mirrored_storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StorageEmulator]:
    """Cloud Storage for runs whose jobs see a mirror, the same one for all tests of a module."""
    with StorageEmulator(tmp_path_factory.mktemp("storage"), MIRRORED) as storage:
        yield storage


@pytest.fixture
def bucket(storage: StorageEmulator) -> Iterator[Bucket]:
    """The bucket, as the unmodified client has it."""
    client = Client()
    yield client.bucket(BUCKET)
    client.close()


@pytest.fixture
def folder(storage: StorageEmulator) -> Path:
    """The folder in which the bucket's objects lie."""
    return storage.root / BUCKET


# --- both services, for tests of the scheduler ---------------------------------------------------------


@pytest.fixture
def anyio_backend() -> str:
    """The small engines of the unit tests know both; here one is enough."""
    return "asyncio"


@pytest.fixture(scope="session")
def all_storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StorageEmulator]:
    with StorageEmulator(tmp_path_factory.mktemp("cloud") / "store", RUNS) as storage:
        yield storage


@pytest.fixture(scope="session")
def all_batch(
    all_storage: StorageEmulator, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[BatchEmulator]:
    batch = BatchEmulator(all_storage.root, tmp_path_factory.mktemp("batch"), slots=8)
    with or_skip():
        batch.start()
    try:
        yield batch
    finally:
        batch.stop()


@pytest.fixture(scope="session")
def all_mount(
    all_storage: StorageEmulator, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gcsfuse]:
    with or_skip():
        mount = Gcsfuse(all_storage.root, RUNS, tmp_path_factory.mktemp("gcsfuse") / "mount")
    with mount:
        yield mount


def _environment(monkeypatch: pytest.MonkeyPatch, storage: StorageEmulator) -> None:
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", storage.url)
    monkeypatch.setenv("DISABLE_GCS_PYTHON_CLIENT_OTEL_BUCKET_METADATA", "true")
    monkeypatch.delenv("CLOUDSDK_API_ENDPOINT_OVERRIDES_BATCH", raising=False)
    # Looked at more often than a real one would be.
    monkeypatch.setattr(BucketFiles, "interval", 0.1)


def _unique(request: pytest.FixtureRequest) -> str:
    return f"{re.sub('[^a-z0-9]+', '-', request.node.name.lower())[:40]}-{uuid.uuid4().hex[:8]}"


@pytest.fixture
def cloud(
    all_storage: StorageEmulator,
    all_batch: BatchEmulator,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
    tmp_path: Path,
) -> Iterator[Cloud]:
    """Both services; the mount of the bucket is as good as a disk."""
    _environment(monkeypatch, all_storage)
    # What the tests before have complained of is nothing to this one.
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    cloud = Cloud(all_storage, all_batch, _unique(request), None)
    yield cloud
    cloud.clean()


@pytest.fixture
def weak_cloud(cloud: Cloud, all_mount: Gcsfuse) -> Iterator[Cloud]:
    """The same with a mount like gcsfuse's, and objects that can be seen only after a while."""
    all_mount.set(**_WEAK)
    cloud.mount = all_mount
    cloud.batch.show(RUNS, all_mount.path)
    cloud.storage.delay_files(0.4)
    yield cloud
    all_mount.fail_uploads(count=0)
    cloud.batch.show(RUNS, cloud.storage.root / RUNS)


_WEAK = {"stat_ttl": 1.0, "negative_ttl": 0.5, "list_ttl": 0.3, "upload_time": 0.01}
