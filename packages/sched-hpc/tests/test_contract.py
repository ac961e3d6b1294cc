"""The contract on a small Slurm of the tests' own; tests-integration has it on the real one."""

from __future__ import annotations

import os

import pytest

from sched_core.testing.contract import SchedulerContract
from sched_hpc import SlurmScheduler

from .fake_slurm import install


class TestSlurm(SchedulerContract):
    scheduler_class = SlurmScheduler  # by its own name: another process imports it too
    patience = 60.0

    @pytest.fixture(autouse=True)
    def _tools(
        self, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        folder = tmp_path_factory.mktemp("slurm")
        install(folder)
        monkeypatch.setattr(SlurmScheduler, "poll_interval", (0.3, 1.0))
        monkeypatch.setattr(SlurmScheduler, "spool_interval", 0.1)
        monkeypatch.setenv("SLURM_CONF", os.fspath(folder / "slurm.conf"))
        monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
