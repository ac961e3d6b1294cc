"""`sched clean` where jobs leave nothing elsewhere, and where it has to wait."""

from __future__ import annotations

import os
import signal

from .program import Sched


def test_a_run_on_this_machine_has_left_nothing(sched: Sched) -> None:
    sched("run", "-w", "r", "--", "echo", "well")
    before = sorted(os.listdir(sched.folder / "r"))
    done = sched("clean", "r")
    assert done.stderr == "sched: nothing of the run is left outside of its folder r\n"
    assert sorted(os.listdir(sched.folder / "r")) == before
    assert sched("logs", "r", "0").stdout == "well\n"


def test_not_while_somebody_drives_the_run(sched: Sched) -> None:
    driver = sched.start_waiting_jobs()
    done = sched("clean", "r", code=2)
    assert f"is driven by process {driver.process.pid} on " in done.stderr
    sched.go()
    assert driver.finish()[0] == 0
    sched("clean", "r")


def test_not_while_jobs_may_run(sched: Sched) -> None:
    driver = sched.start_waiting_jobs()
    driver.send(signal.SIGKILL)
    driver.finish()
    done = sched("clean", "r", "--yes", code=2)
    assert "jobs of the run in " in done.stderr
    assert "may still run (job 0, ...); go on with the run (sched resume)" in done.stderr


def test_the_newest_run_is_cleaned_by_default(sched: Sched) -> None:
    assert "there is no run under ./sched-runs" in sched("clean", code=2).stderr
    sched("run", "--name", "n", "--", "true")
    assert "left outside of its folder sched-runs/n-1" in sched("clean").stderr


def test_options_are_those_of_the_scheduler(sched: Sched) -> None:
    sched("run", "-w", "r", "--", "true")
    assert "has no option fork; did you mean forks?" in (
        sched("clean", "r", "-o", "fork=1", code=2).stderr
    )
