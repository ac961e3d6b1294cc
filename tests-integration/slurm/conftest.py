from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from ..engines import or_skip
from .cluster import SlurmCluster


@contextmanager
def _running(**options: Any) -> Iterator[SlurmCluster]:
    # Not pytest's own folder: munge wants one that everybody may enter.
    with tempfile.TemporaryDirectory(prefix="sched-slurm-", ignore_cleanup_errors=True) as root:
        with or_skip():
            cluster = SlurmCluster(Path(root), **options)
        try:
            with or_skip():
                cluster.start()
            yield cluster
        finally:
            cluster.stop()


@pytest.fixture(scope="session")
def _accounted() -> Iterator[SlurmCluster]:
    with _running(accounting=True) as cluster:
        yield cluster


@pytest.fixture(scope="session")
def _bare() -> Iterator[SlurmCluster]:
    with _running(settings={"MaxArraySize": 101, "MinJobAge": 2}) as cluster:
        yield cluster


@pytest.fixture
def slurm(_accounted: SlurmCluster, monkeypatch: pytest.MonkeyPatch) -> SlurmCluster:
    """A Slurm with accounting."""
    monkeypatch.setenv("SLURM_CONF", os.fspath(_accounted.conf))
    return _accounted


@pytest.fixture
def bare_slurm(_bare: SlurmCluster, monkeypatch: pytest.MonkeyPatch) -> SlurmCluster:
    """A Slurm without accounting, that forgets what has ended after two seconds."""
    monkeypatch.setenv("SLURM_CONF", os.fspath(_bare.conf))
    return _bare


@pytest.fixture
def start_slurm(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., SlurmCluster]]:
    """Start one more Slurm, for this test alone."""
    with ExitStack() as stack:

        def start(**options: Any) -> SlurmCluster:
            cluster = stack.enter_context(_running(**options))
            monkeypatch.setenv("SLURM_CONF", os.fspath(cluster.conf))
            return cluster

        yield start


@pytest.fixture(scope="module")
def _frail() -> Iterator[SlurmCluster]:
    with _running(settings={"MessageTimeout": 2}) as cluster:
        yield cluster


@pytest.fixture
def frail_slurm(_frail: SlurmCluster, monkeypatch: pytest.MonkeyPatch) -> SlurmCluster:
    """A Slurm whose tools give up after two seconds, of these tests alone: it will be hurt."""
    monkeypatch.setenv("SLURM_CONF", os.fspath(_frail.conf))
    return _frail


@pytest.fixture
def anyio_backend() -> str:
    """The contract runs on all event loops; what Slurm does is the same to them."""
    return "asyncio"
