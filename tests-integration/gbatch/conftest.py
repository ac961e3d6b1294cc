from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

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
