"""The contract on a small Slurm of the tests' own; tests-integration has it on the real one."""

from __future__ import annotations

import os
from typing import ClassVar

import pytest

from sched_core.testing.contract import SchedulerContract
from sched_hpc import SlurmScheduler

from .fake_slurm import install


class Asked(SlurmScheduler):
    """Asked more often, for tests."""

    poll_interval: ClassVar[tuple[float, float]] = (0.3, 1.0)
    spool_interval: ClassVar[float] = 0.1


class TestSlurm(SchedulerContract):
    scheduler_class = Asked
    patience = 60.0

    @pytest.fixture(autouse=True)
    def _tools(
        self, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        folder = tmp_path_factory.mktemp("slurm")
        install(folder)
        monkeypatch.setenv("SLURM_CONF", os.fspath(folder / "slurm.conf"))
        monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
