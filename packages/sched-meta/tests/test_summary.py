"""A run of many jobs is listed, and its status told, without all of its records being read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sched_core.model.failure import Failure
from sched_core.model.status import JobStatus
from sched_core.ports.localfiles import LocalFiles
from sched_core.runfolder import (
    JobRecord,
    Journal,
    JournalReader,
    Summarizer,
    Tally,
    state_entry,
)
from sched_core.runfolder import summary as summaries
from sched_meta.keeping.overview import row_of
from sched_meta.reading.runfolder import RunFolder
from sched_meta.reading.runstatus import run_status

from .recorded import BEGUN, record_run

JOBS = 3000


def waiting(index: int) -> JobRecord:
    return JobRecord(index, ["work"], name=f"s{index}", status=JobStatus.QUEUED)


def ended(index: int) -> dict[str, Any]:
    to, failure = JobStatus.FINISHED, None
    if index % 100 == 7:
        to, failure = JobStatus.FAILED, Failure.EXIT
    if index >= JOBS - 50:
        to = JobStatus.RUNNING
    state = {"attempt": 1, "failure": failure, "rc": failure and 1, "host": f"n{index % 7}"}
    return state_entry(index, to, BEGUN, state | _times(index, to))


def _times(index: int, to: JobStatus) -> dict[str, float]:
    begun = {"queued": BEGUN, "started": BEGUN + index}
    return begun | ({"ended": BEGUN + index + 1} if to.final else {})


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunFolder:
    """A run that goes on, with a summary of the most of it."""
    monkeypatch.setattr(summaries, "_LEAST", 1000)
    folder = record_run(tmp_path / "r", map(waiting, range(JOBS + 200)))
    files, layout = LocalFiles(), folder.layout
    jobs = folder.read().jobs.values()
    reader = JournalReader(files, layout)
    reader.read_new()
    summarizer = Summarizer(files, layout, Tally.of(jobs), reader.known)
    journal = Journal(files, layout, 2, summarizer)
    for first in range(0, JOBS, 50):
        journal.write([ended(index) for index in range(first, first + 50)])
    journal.close()
    journal.write([ended(JOBS - 1) | {"to": JobStatus.KILLED, "ended": BEGUN + JOBS}])
    return folder


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many bytes each read has brought."""
    sizes: list[int] = []
    read = LocalFiles.read

    def read_and_count(files: LocalFiles, path: str) -> bytes:
        data = read(files, path)
        sizes.append(len(data))
        return data

    monkeypatch.setattr(LocalFiles, "read", read_and_count)
    return sizes


def test_t40_a_run_of_many_jobs_is_listed_from_its_summary(
    folder: RunFolder, read: list[int]
) -> None:
    row = row_of(folder, size=False)
    in_short, read[:] = sum(read), []
    Path(folder.layout.summary).unlink()
    assert row_of(folder, size=False) == row
    assert in_short < sum(read) / 4
    assert (row.jobs, row.done, row.failed) == (JOBS + 200, JOBS - 49, 31)
    assert row.last == BEGUN + JOBS


def test_t40_the_status_of_many_jobs_is_told_from_their_summary(
    folder: RunFolder, read: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sched_meta.reading.runstatus.time.time", lambda: BEGUN + JOBS + 2)
    status = run_status(folder)
    in_short, read[:] = sum(read), []
    Path(folder.layout.summary).unlink()
    everything = run_status(folder)
    assert in_short < sum(read) / 4
    assert status.to_json() == everything.to_json()
    assert status.lines() == everything.lines()
    assert [len(group.indexes) for group in status.failures] == [30, 1]
    assert status.failures[0].hosts
    assert status.counts == {
        "finished": JOBS - 80,
        "failed": 30,
        "killed": 1,
        "interrupted": 0,
        "running": 49,
        "waiting": 200,
    }
