from __future__ import annotations

from collections.abc import Iterator

import pytest

from ..clusters.engine import Engine
from ..engines import started
from .cluster import SgeCluster
from .helpers import SgeEngine


@pytest.fixture(scope="session")
def _cluster() -> Iterator[SgeCluster]:
    with started("sge", SgeCluster) as cluster:
        yield cluster


@pytest.fixture
def sge(_cluster: SgeCluster, monkeypatch: pytest.MonkeyPatch) -> SgeCluster:
    """A Grid Engine of one host with 128 slots."""
    for name, value in _cluster.variables.items():
        monkeypatch.setenv(name, value)
    return _cluster


@pytest.fixture
def engine(sge: SgeCluster) -> Engine:
    """The same, for the tests that hold for Slurm, too."""
    return SgeEngine(sge)


@pytest.fixture
def small_arrays(sge: SgeCluster, engine: Engine) -> Iterator[Engine]:
    """The same, with arrays of at most 101 tasks."""
    sge.change(max_aj_tasks="101")
    yield engine
    sge.change(max_aj_tasks="75000")


@pytest.fixture
def anyio_backend() -> str:
    """The contract runs on all event loops; what Grid Engine does is the same to them."""
    return "asyncio"
