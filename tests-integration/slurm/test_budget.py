"""Eight drivers on one Slurm: what its controller gets of them all is what one budget allows."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from .cluster import SlurmCluster

DRIVER = Path(__file__).parents[2] / "packages/sched-hpc/tests/budget_driver.py"
JOBS = 3
PER_SECOND, BURST = 2, 4
OF_TOOLS = (
    "SUBMIT_BATCH_JOB JOB_USER_INFO JOB_INFO BUILD_INFO PARTITION_INFO UPDATE_JOB KILL_JOB"
).split()


def requests(slurm: SlurmCluster) -> dict[str, int]:
    """Return how often the controller was asked for what only tools ask for."""
    found = re.findall(r"REQUEST_(\w+) +\( *\d+\) count:(\d+)", slurm.run("sdiag"))
    return {kind: int(count) for kind, count in found if kind in OF_TOOLS}


@pytest.mark.timeout(300)
def test_t03_the_controller_gets_no_more_than_one_budget_of_eight_drivers(
    start_slurm: Callable[..., SlurmCluster], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slurm = start_slurm(settings={"MinJobAge": 300})
    monkeypatch.setenv("XDG_CACHE_HOME", os.fspath(tmp_path / "cache"))
    slurm.run("sdiag", "--reset")
    began = time.monotonic()
    with ExitStack() as stack:
        drivers = []
        for number in range(8):
            rate = f"{PER_SECOND}/s:{BURST}"
            command = [sys.executable, str(DRIVER), str(tmp_path / f"run{number}"), str(JOBS), rate]
            drivers.append(stack.enter_context(subprocess.Popen(command)))
            stack.callback(drivers[-1].kill)
        while sum(requests(slurm).values()) < 14:
            assert time.monotonic() < began + 120
            time.sleep(0.2)
        killed, stopped, *others = drivers
        killed.kill()
        stopped.send_signal(signal.SIGSTOP)
        assert [driver.wait(120) for driver in others] == [0] * 6
        stopped.send_signal(signal.SIGCONT)
        assert stopped.wait(120) == 0
    counts, took = requests(slurm), time.monotonic() - began
    assert counts["SUBMIT_BATCH_JOB"] >= JOBS * 7
    assert sum(counts.values()) <= BURST + 1 + PER_SECOND * took
