from __future__ import annotations

import json

from sched_core import read_run
from sched_core.model.failure import Failure
from sched_core.model.status import JobStatus
from sched_core.runfolder import JobRecord
from sched_meta.driving.growth import goes_on_with, not_in_list

from .program import Sched


def jobs_of(*statuses: JobStatus) -> list[JobRecord]:
    return [JobRecord(index, ["x"], status=status) for index, status in enumerate(statuses)]


DONE, WAITING = JobStatus.FINISHED, JobStatus.INIT


def test_how_a_run_goes_on() -> None:
    jobs = jobs_of(*[DONE] * 4990, *[WAITING] * 10)
    assert goes_on_with(jobs, 10) == "4,990 done, 10 new"
    assert goes_on_with(jobs, 4) == "4,990 done, 6 left, 4 new"
    assert goes_on_with(jobs, 0) == "4,990 of them ended before"


def test_list_that_shrank() -> None:
    jobs = jobs_of(DONE, DONE, WAITING)
    assert not_in_list(jobs, {0, 1, 2}) is None
    assert not_in_list(jobs, {0, 2}) == "1 job of the run is not in this list; it stays as it is"
    assert not_in_list(jobs, {2}) == "2 jobs of the run are not in this list; they stay as they are"
    left = "2 jobs of the run are not in this list; what has not ended runs, too"
    assert not_in_list(jobs, {0}) == left


def test_retry_by_class_and_by_name(sched: Sched) -> None:
    commands = {"slow1": "sleep 99", "bad1": "exit 1", "bad2": "exit 1", "good": "exit 0"}
    rows = [
        {"cmd": ["sh", "-c", line], "name": name, "timeout": 0.2 if name == "slow1" else "10m"}
        for name, line in commands.items()
    ]
    (sched.folder / "list").write_text("\n".join(map(json.dumps, rows)))
    sched("run", "-w", "r", "--from", "list", code=1)
    attempts = dict.fromkeys(commands, 1)
    for options, again in (
        (("--failure", "exit"), ["bad1", "bad2"]),
        (("--failure", "timeout"), ["slow1"]),
        (("--failure", "timeout", "--failure", "exit"), ["bad1", "bad2", "slow1"]),
        (("bad*", "--failure", "exit"), ["bad1", "bad2"]),
        (("bad2",), ["bad2"]),
    ):
        attempts |= {name: attempts[name] + 1 for name in again}
        sched("retry", "r", *options, code=1)
        jobs = read_run(sched.folder / "r").jobs.values()
        assert {job.name: job.attempt for job in jobs} == attempts


def test_retry_of_a_class_that_there_is_not(sched: Sched) -> None:
    sched("run", "-w", "r", "--", "false", code=1)
    done = sched("retry", "r", "--failure", "oom")
    there = "none of these jobs ended as OUT_OF_MEMORY, but 1 EXIT; nothing is to be run again"
    assert f"sched: {there}\n" == done.stderr
    wrong = sched("retry", "r", "--failure", "memory", code=2)
    assert "'memory' is no class of failure; did you mean 'out_of_memory'?" in wrong.stderr
    assert Failure.EXIT.value.lower() in sched("retry", "--help").stdout
