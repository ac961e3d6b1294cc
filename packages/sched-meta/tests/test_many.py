"""Commands that read a run of very many jobs."""

from __future__ import annotations

import pytest

from sched_core.model.failure import Failure
from sched_core.model.status import JobStatus
from sched_core.runfolder import JobRecord

from .program import Sched
from .recorded import BEGUN, record_run


def job(index: int) -> JobRecord:
    made = JobRecord(index, ["work", str(index)], name=f"s{index}", host=f"n{index % 7}", rc=0)
    made.status = JobStatus.FINISHED
    made.started, made.ended = BEGUN + index, BEGUN + index + 1
    if index % 100 == 7:
        made.status, made.failure, made.rc = JobStatus.FAILED, Failure.EXIT, 1
    return made


@pytest.mark.parametrize("number", [3000, pytest.param(100_000, marks=pytest.mark.full)])
def test_a_run_of_many_jobs(sched: Sched, number: int) -> None:
    outputs = {index: (f"{index}\n".encode(), b"") for index in range(0, number, 50)}
    record_run(sched.folder / "r", map(job, range(number)), outputs)
    failed = number // 100
    lines = sched("status", "r").stdout.splitlines()
    counted = f"{number:,} jobs: {number - failed:,} finished, {failed:,} failed"
    assert lines[2] == f"jobs:    {counted}"
    assert any(f"{failed:,} jobs (s7, s107, " in line and "hosts" in line for line in lines)
    rows = sched("results", "r").stdout.splitlines()
    assert len(rows) == number + 1
    assert sched("results", "r", "--stdout", "--format", "csv").stdout.count("\n") == number + 1
    assert len(sched("results", "r", "--format", "table").stdout.splitlines()) == number + 1
    assert sched("results", "r", "--format", "joblog").stdout.count("\n") == number + 1
    assert sched("cat", "r").stdout.split() == [str(index) for index in outputs]
    assert (
        len(sched("results", "r", "s*7", "--format", "jsonl").stdout.splitlines()) == number // 10
    )
