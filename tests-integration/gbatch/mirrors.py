"""What tests of runs in a bucket share whose jobs see a mirror of it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sched_core.lifecycle.mirroring import Mirroring
from sched_core.ports.bucket import BucketFiles

from .storage import StorageEmulator

__all__ = ["BUCKET", "BucketRun", "bucket_run", "prepare"]

BUCKET = "runs"


def prepare(storage: StorageEmulator, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the libraries find the emulator, and look more often than at a real one."""
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", storage.url)
    monkeypatch.setenv("DISABLE_GCS_PYTHON_CLIENT_OTEL_BUCKET_METADATA", "true")
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    monkeypatch.setattr(BucketFiles, "interval", 0.1)
    monkeypatch.setattr(Mirroring, "interval", 0.2)


class BucketRun:
    """A run's folder in a bucket, and where its files lie on this machine."""

    def __init__(self, storage: StorageEmulator, cache: Path) -> None:
        name = f"{BUCKET}/{uuid.uuid4().hex}"
        self.storage = storage
        self.workdir = f"gs://{name}"
        self.objects = storage.root / name
        self.mirror = cache / "sched/buckets" / name

    def text(self, name: str) -> str:
        """Return what an object says."""
        return (self.objects / name).read_text()


@contextmanager
def bucket_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[BucketRun]:
    """Serve a bucket for one test."""
    cache = tmp_path / "cache"
    with StorageEmulator(tmp_path / "storage", BUCKET) as storage:
        prepare(storage, cache, monkeypatch)
        yield BucketRun(storage, cache)
