from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from sched_core import JobStatus
from sched_core.errors import RunNotFound
from sched_meta.reading.runfolder import RunFolder
from sched_meta.reading.watch import RunWatch

from .program import Sched, wait_until


def test_a_run_is_watched_to_its_end(sched: Sched) -> None:
    driver = sched.start_waiting_jobs(jobs=3, forks=2)
    watch = RunWatch(RunFolder(sched.folder / "r"))
    assert [job.index for job in watch.refresh()] == [0, 1, 2]
    assert watch.view.driver_lives
    sched.go()
    driver.finish()
    assert {job.index for job in watch.refresh()} == {0, 1, 2}
    assert all(job.status is JobStatus.FINISHED for job in watch.view.jobs.values())
    assert watch.view.jobs == RunFolder(sched.folder / "r").read().jobs
    assert watch.view.driver is None
    assert watch.refresh() == []


def test_only_what_changed_is_told(sched: Sched) -> None:
    driver = sched.start_waiting_jobs("--retries", "1", jobs=1, forks=1)
    watch = RunWatch(RunFolder(sched.folder / "r"))
    wait_until(lambda: watch.refresh() == [])
    known = watch.view.jobs[0]
    sched("kill", "r")
    driver.finish()
    assert watch.refresh() == [known]
    assert known.status is JobStatus.KILLED


def test_another_driver_goes_on(sched: Sched) -> None:
    sched("run", "-w", "r", "-j", "2", "--", "false", code=1)
    watch = RunWatch(RunFolder(sched.folder / "r"))
    watch.refresh()
    assert watch.view.run.options["forks"] == 2
    sched("retry", "r", "-j", "3", code=1)
    (job,) = watch.refresh()
    assert job.attempt == 2
    assert watch.view.run.options["forks"] == 3


def test_no_run_and_a_run_that_is_removed(sched: Sched) -> None:
    watch = RunWatch(RunFolder(sched.folder / "r"))
    with pytest.raises(RunNotFound):
        watch.refresh()
    with pytest.raises(RunNotFound):
        _ = watch.view
    sched("run", "-w", "r", "--", "true")
    watch.refresh()
    shutil.rmtree(Path(sched.folder, "r"))
    with pytest.raises(FileNotFoundError):
        watch.refresh()
