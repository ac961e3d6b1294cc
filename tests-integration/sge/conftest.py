from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ..engines import or_skip
from .cluster import SgeCluster


@contextmanager
def _running(**options: Any) -> Iterator[SgeCluster]:
    with tempfile.TemporaryDirectory(prefix="sched-sge-", ignore_cleanup_errors=True) as root:
        with or_skip():
            cluster = SgeCluster(Path(root), **options)
        try:
            with or_skip():
                cluster.start()
            yield cluster
        finally:
            cluster.stop()


@pytest.fixture(scope="session")
def _cluster() -> Iterator[SgeCluster]:
    with _running() as cluster:
        yield cluster


@pytest.fixture
def sge(_cluster: SgeCluster, monkeypatch: pytest.MonkeyPatch) -> SgeCluster:
    """A Grid Engine of one host with 128 slots."""
    for name, value in _cluster.variables.items():
        monkeypatch.setenv(name, value)
    return _cluster


@pytest.fixture
def small_arrays(sge: SgeCluster) -> Iterator[SgeCluster]:
    """The same, with arrays of at most 101 tasks."""
    sge.change(max_aj_tasks="101")
    yield sge
    sge.change(max_aj_tasks="75000")


@pytest.fixture
def anyio_backend() -> str:
    """The contract runs on all event loops; what Grid Engine does is the same to them."""
    return "asyncio"
