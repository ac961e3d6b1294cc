from __future__ import annotations

import re
import signal
from dataclasses import replace
from pathlib import Path

from sched_core.model.failure import Failure
from sched_core.model.status import JobStatus
from sched_core.runfolder import JobRecord
from sched_meta.reading.progress import progress_of
from sched_meta.reading.unrecorded import ended_since

from .program import Sched, in_terminal, wait_until
from .recorded import BEGUN, record_run


def finished(index: int, started: float, ended: float) -> JobRecord:
    job = JobRecord(index, ["x"], status=JobStatus.FINISHED, rc=0)
    job.started, job.ended = BEGUN + started, BEGUN + ended
    return job


def running(index: int, started: float) -> JobRecord:
    return JobRecord(index, ["x"], status=JobStatus.RUNNING, started=BEGUN + started)


def test_rate_and_time_of_a_run_that_has_ended() -> None:
    jobs = [finished(index, index, index + 2) for index in range(9)]
    progress = progress_of(jobs, BEGUN + 1e6, driven=False)
    assert (progress.seconds, progress.rate, progress.seconds_left) == (10, 0.9, None)
    assert progress_of(jobs, BEGUN + 1e6, driven=True).seconds_left is None


def test_time_left_follows_what_ended_of_late() -> None:
    slow = [finished(index, 0, 10 * index) for index in range(10)]
    fast = [finished(10 + index, 940, 940 + index) for index in range(60)]
    waiting = [JobRecord(100 + index, ["x"]) for index in range(120)]
    progress = progress_of([*slow, *fast, *waiting], BEGUN + 1000, driven=True)
    assert progress.rate == 1
    assert progress.seconds_left == 120


def test_few_ends_tell_the_rate_however_long_ago() -> None:
    jobs = [finished(0, 0, 100), finished(1, 0, 200), running(2, 200)]
    progress = progress_of(jobs, BEGUN + 300, driven=True)
    assert (progress.rate, progress.seconds_left) == (0.01, 100)
    assert progress_of(jobs[1:], BEGUN + 300, driven=True).rate is None


def test_what_runs_longest_comes_first() -> None:
    jobs = [running(0, 20), running(1, 10), JobRecord(2, ["x"])]
    progress = progress_of(jobs, BEGUN + 30, driven=True)
    assert [job.index for job in progress.running] == [1, 0]
    assert progress.seconds == 20


def test_a_run_that_never_began() -> None:
    progress = progress_of([JobRecord(0, ["x"])], BEGUN, driven=False)
    assert (progress.running, progress.seconds, progress.rate) == ([], None, None)


def test_status_of_a_run_that_goes_on(sched: Sched) -> None:
    driver = sched.start_waiting_jobs("--name", "s{}", jobs=4)
    wait_until(lambda: sched.counts().get("running") == 2)
    lines = sched("status", "r").stdout.splitlines()
    assert lines[1].endswith("is at work")
    assert lines[2] == "jobs:    4 jobs: 2 running, 2 waiting"
    (running,) = [line for line in lines if line.startswith("running: ")]
    assert re.fullmatch(r"running: (0 \(s0\)|1 \(s1\)) for \S+, \d \(s\d\) for \S+", running)
    now = sched.status()
    assert {(job["name"], job["attempt"]) for job in now["running"]} == {("s0", 1), ("s1", 1)}
    sched.go()
    assert driver.finish()[0] == 0
    assert sched.status()["running"] == []


def test_status_tells_what_ended_without_a_driver(sched: Sched) -> None:
    driver = sched.start_waiting_jobs(jobs=3)
    wait_until(lambda: sched.counts().get("running") == 2)
    driver.send(signal.SIGKILL)
    driver.finish()
    status = sched("status", "r").stdout
    assert "jobs:    3 jobs: 2 running, 1 waiting\n" in status
    assert sched.status()["ended_since"] == []
    sched.go()
    wait_until(lambda: sched.status()["ended_since"] == [0, 1])
    status = sched("status", "r").stdout
    assert "jobs:    3 jobs: 1 waiting, 2 ended since (sched resume r takes them up)\n" in status
    assert "running:" not in status
    assert sched.status()["running"] == []
    assert sched.counts() == {"running": 2, "waiting": 1}
    sched("resume", "r")
    assert sched.counts() == {"finished": 3}
    assert sched.status()["ended_since"] == []


def test_nothing_is_read_of_jobs_where_very_many_may_run(tmp_path: Path) -> None:
    jobs = [running(index, 0) for index in range(3)]
    folder = record_run(tmp_path / "r", jobs)
    ends = b"7 0 host boot 1 1 5.0\nE 3 EXIT 9.0\n"
    for index in (0, 2):
        folder.files.make_folder(folder.of_job(index))
        folder.files.write(f"{folder.of_job(index)}/job.claim.1", ends)
    since = ended_since(folder, folder.read())
    assert {(job.index, job.rc, job.ended) for job in since.values()} == {(0, 3, 9.0), (2, 3, 9.0)}
    view = replace(folder.read(), jobs={index: running(index, 0) for index in range(1001)})
    assert ended_since(folder, view) == {}


def test_status_fits_the_terminal(sched: Sched) -> None:
    line = b"what went wrong is told at length, and this text is longer than a terminal is wide\n"
    failed = [
        JobRecord(
            index,
            ["x"],
            name=f"sample{index}",
            status=JobStatus.FAILED,
            failure=Failure.EXIT,
            rc=1,
            host=f"node{index // 2}",
        )
        for index in range(3)
    ]
    record_run(sched.folder / "r", failed, {job.index: (b"", line) for job in failed})
    group = "  EXIT rc 1, 3 jobs (sample0, sample1, sample2) on node0 (2 of 3):"
    code, shown = in_terminal(sched.folder, "status", "r")
    assert code == 0
    assert group in shown.splitlines()
    assert all(len(line) <= 80 for line in shown.splitlines())
    assert f"{group} {line.decode()}" in sched("status", "r").stdout


def test_summary_fits_the_terminal(sched: Sched) -> None:
    script = f"echo {'long ' * 30}>&2; exit 1"
    _, shown = in_terminal(
        sched.folder, "run", "-w", "r", "--no-progress", "--", "sh", "-c", script
    )
    assert all(len(line) <= 80 for line in shown.splitlines())
    assert sum("long long" in line for line in shown.splitlines()) == 3
