from __future__ import annotations

import threading
from pathlib import Path

import pytest

from sched_core import JobStatus, RunCorrupt, RunNotFound, read_run
from sched_core.ports.localfiles import LocalFiles
from sched_core.runfolder import (
    Journal,
    Layout,
    RunFile,
    acquire_lease,
    job_entry,
    state_entry,
    write_run,
)

from .helpers import Driver, driver

FILES = LocalFiles()
RUN = RunFile("abc", 1, 5.0, "local", "sched_local.scheduler:LocalScheduler", {"forks": 2}, "/")
HERE, ELSEWHERE = driver(1), driver(2, host="there", boot="boot-2")


def write_jobs(layout: Layout, count: int) -> None:
    journal = Journal(FILES, layout, 1)
    journal.write([job_entry(index, {"cmd": ["true"]}) for index in range(count)])
    for index in range(count):
        journal.write([state_entry(index, JobStatus.FINISHED, 1.0, {"rc": 0})])


def test_an_onlooker_sees_the_jobs(layout: Layout) -> None:
    write_run(FILES, layout, RUN)
    write_jobs(layout, 3)
    view = read_run(layout.workdir)
    assert view.run == RUN
    assert [job.status for job in view.jobs.values()] == [JobStatus.FINISHED] * 3
    assert (view.lease, view.driver, view.driver_lives) == (None, None, None)


def test_t40_an_onlooker_sees_a_run_while_its_driver_writes_and_merges(layout: Layout) -> None:
    write_run(FILES, layout, RUN)
    count = 300
    Journal(FILES, layout, 1).write([job_entry(i, {"cmd": ["true"]}) for i in range(count)])
    writer = threading.Thread(target=_finish_all, args=(layout, count))
    writer.start()
    seen = []
    while writer.is_alive():
        jobs = read_run(layout.workdir).jobs
        assert len(jobs) == count
        seen.append(sum(job.status is JobStatus.FINISHED for job in jobs.values()))
    writer.join()
    assert seen == sorted(seen)
    assert all(job.status.final for job in read_run(layout.workdir).jobs.values())


def _finish_all(layout: Layout, count: int) -> None:
    journal = Journal(FILES, layout, 2)
    for index in range(count):
        journal.write([state_entry(index, JobStatus.FINISHED, 1.0, {"rc": 0})])


async def test_a_driver_that_lives_is_named(layout: Layout) -> None:
    write_run(FILES, layout, RUN)
    await acquire_lease(Driver(HERE), layout)
    view = read_run(layout.workdir, Driver(driver(9), alive={HERE}))
    assert (view.driver, view.driver_lives) == ("process 1 on here", True)


async def test_a_dead_driver_drives_no_run(layout: Layout) -> None:
    write_run(FILES, layout, RUN)
    await acquire_lease(Driver(HERE), layout)
    view = read_run(layout.workdir, Driver(driver(9)))
    assert (view.driver, view.driver_lives) == (None, False)


async def test_nobody_can_tell_whether_a_driver_elsewhere_lives(layout: Layout) -> None:
    write_run(FILES, layout, RUN)
    await acquire_lease(Driver(ELSEWHERE), layout)
    view = read_run(layout.workdir, Driver(driver(9)))
    assert (view.driver, view.driver_lives) == ("process 2 on there", None)


async def test_a_run_that_was_let_go_has_no_driver(layout: Layout) -> None:
    write_run(FILES, layout, RUN)
    (await acquire_lease(Driver(ELSEWHERE), layout)).release()
    view = read_run(layout.workdir, Driver(driver(9)))
    assert (view.driver, view.driver_lives) == (None, False)


def test_a_folder_without_a_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(RunNotFound, match=str(tmp_path)) as raised:
        read_run(tmp_path)
    assert isinstance(raised.value, FileNotFoundError)


@pytest.mark.parametrize(
    "text, message",
    [
        ("", "cannot be read"),
        ("{", "cannot be read"),
        ("[]", "no JSON object"),
        ("{}", "schema version None"),
        ('{"schema_version": 99}', "schema version 99"),
        ('{"schema_version": 1, "run": "abc"}', "generation"),
    ],
)
def test_a_run_that_cannot_be_read_says_why(layout: Layout, text: str, message: str) -> None:
    Path(layout.run_file).write_text(text)
    with pytest.raises(RunCorrupt, match=message) as raised:
        read_run(layout.workdir)
    assert layout.run_file in str(raised.value)
