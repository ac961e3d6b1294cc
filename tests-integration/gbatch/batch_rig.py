"""Fixtures for tests of the emulator of Google Batch."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ..engines import or_skip
from .batch import BatchEmulator
from .batch_calls import Caller, calling

__all__ = ["caller", "emulator", "store"]


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """The folder of buckets, with one of them, `b`."""
    (tmp_path / "store/b").mkdir(parents=True)
    return tmp_path / "store"


@pytest.fixture
def emulator(tmp_path: Path, store: Path) -> Iterator[BatchEmulator]:
    emulator = BatchEmulator(store, tmp_path / "batch")
    with or_skip():
        emulator.start()
    try:
        yield emulator
    finally:
        emulator.stop()


@pytest.fixture
def caller(emulator: BatchEmulator) -> Iterator[Caller]:
    with calling(emulator) as caller:
        yield caller
