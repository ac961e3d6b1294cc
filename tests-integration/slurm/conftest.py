from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from sched_core.testing.contract.driver import driver_command

from ..clusters.engine import Engine
from ..engines import started
from .cluster import SlurmCluster
from .helpers import Asked, SlurmEngine


def _running(**options: Any) -> AbstractContextManager[SlurmCluster]:
    return started("slurm", partial(SlurmCluster, **options))


@pytest.fixture(scope="session")
def _limited(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("limited") / "run"


@pytest.fixture(scope="session")
def _accounted(_limited: Path) -> Iterator[SlurmCluster]:
    with _running(accounting=True) as cluster:
        # It takes Slurm a minute and a half: others are tested meanwhile.
        driver = _drive_until_its_time_is_up(cluster, _limited)
        yield cluster
        os.killpg(driver.pid, signal.SIGKILL)
        driver.wait()


def _drive_until_its_time_is_up(cluster: SlurmCluster, folder: Path) -> subprocess.Popen[bytes]:
    options: dict[str, Any] = {"time": "1", "forks": 1}
    scheduler = Asked(folder, **options)
    argv = driver_command(scheduler, options, [["/bin/sleep", "600"]], "asyncio")
    shell = ["/bin/sh", "-c", '"$@"; : >"$0/ended"; sleep 3600', os.fspath(folder), *argv]
    return subprocess.Popen(
        shell, env=cluster.env, stdin=subprocess.DEVNULL, start_new_session=True
    )


@pytest.fixture
def time_limited(_accounted: SlurmCluster, _limited: Path) -> Path:
    """The folder of a run whose job Slurm ends for its time limit: then it holds the file `ended`."""
    return _limited


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
def engine(slurm: SlurmCluster) -> Engine:
    """The one with accounting, for the tests that hold for Grid Engine, too."""
    return SlurmEngine(slurm)


@pytest.fixture
def small_arrays(bare_slurm: SlurmCluster) -> Engine:
    """The one without, whose arrays have at most 101 tasks."""
    return SlurmEngine(bare_slurm)


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
