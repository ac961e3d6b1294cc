"""What tests of runs in a bucket share whose jobs see a mirror of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from sched_core.lifecycle.mirroring import Mirroring
from sched_core.ports.bucket import BucketFiles

from .storage import StorageEmulator

__all__ = ["BUCKET", "prepare"]

BUCKET = "runs"


def prepare(storage: StorageEmulator, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the libraries find the emulator, and look more often than at a real one."""
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", storage.url)
    monkeypatch.setenv("DISABLE_GCS_PYTHON_CLIENT_OTEL_BUCKET_METADATA", "true")
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    monkeypatch.setattr(BucketFiles, "interval", 0.1)
    monkeypatch.setattr(Mirroring, "interval", 0.2)
