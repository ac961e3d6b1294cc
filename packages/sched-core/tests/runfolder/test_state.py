from __future__ import annotations

from typing import Any

import pytest

from sched_core import Failure, JobStatus, RunCorrupt
from sched_core.runfolder import job_entry, replay, state_entry

FED = job_entry(3, {"cmd": ["gzip", "a"], "name": None, "envs": {"A": "b"}, "timeout": 2.5})


def moved(to: JobStatus, index: int = 3, **state: Any) -> dict[str, Any]:
    return state_entry(index, to, 1.0, state)


def test_what_is_empty_is_not_written() -> None:
    assert FED == {"job": 3, "cmd": ["gzip", "a"], "envs": {"A": "b"}, "timeout": 2.5}


def test_a_job_is_what_its_entries_say() -> None:
    entries = [FED, moved(JobStatus.QUEUED, attempt=1), moved(JobStatus.RUNNING, jid="7", host="h")]
    (job,) = replay(entries).values()
    assert (job.index, job.cmd, job.envs, job.timeout) == (3, ["gzip", "a"], {"A": "b"}, 2.5)
    assert (job.status, job.attempt, job.jid, job.host) == (JobStatus.RUNNING, 1, "7", "h")
    assert (job.name, job.inputs, job.rc, job.interrupted) == (None, [], None, False)


def test_a_later_entry_wins_and_what_it_does_not_name_stays() -> None:
    entries = [
        FED,
        moved(JobStatus.FAILED, rc=3, failure="EXIT", reason="x", host="h"),
        moved(JobStatus.QUEUED, attempt=2, rc=None, failure=None, reason=""),
    ]
    (job,) = replay(entries).values()
    assert (job.status, job.attempt, job.rc, job.failure) == (JobStatus.QUEUED, 2, None, None)
    assert (job.reason, job.host) == ("", "h")


def test_the_class_of_a_failure_comes_back() -> None:
    (job,) = replay([FED, moved(JobStatus.FAILED, failure="TIMEOUT")]).values()
    assert job.failure is Failure.TIMEOUT


def test_a_new_generation_counts_attempts_on() -> None:
    entries = [FED, moved(JobStatus.FINISHED, attempt=4), {"generation": 2, "at": 2.0}]
    assert replay(entries)[3].status is JobStatus.FINISHED
    (job,) = replay([*entries, job_entry(3, {"cmd": ["true"]})]).values()
    assert (job.cmd, job.generation, job.attempt) == (["true"], 2, 5)
    assert (job.status, job.envs) == (JobStatus.INIT, None)


def test_a_job_that_is_said_twice_is_the_same_job() -> None:
    entries = [FED, moved(JobStatus.QUEUED, attempt=2), FED]
    (job,) = replay(entries).values()
    assert job.attempt == 2


def test_what_a_job_asks_for_may_change_while_its_history_stays() -> None:
    told: dict[str, Any] = {
        "attempt": 2,
        "rc": 137,
        "failure": "OUT_OF_MEMORY",
        "queued": 0.5,
        "cpu": 3.0,
    }
    again = job_entry(3, {"cmd": ["gzip", "a"], "resources": {"memory": 8}})
    (job,) = replay([FED, moved(JobStatus.FAILED, **told), again]).values()
    assert (job.resources, job.timeout, job.envs) == ({"memory": 8}, None, None)
    assert (job.status, job.attempt, job.rc) == (JobStatus.FAILED, 2, 137)
    assert (job.failure, job.queued, job.cpu) == (Failure.OUT_OF_MEMORY, 0.5, 3.0)


def test_what_is_not_known_of_the_next_attempt_is_not_that_of_the_last() -> None:
    first = moved(JobStatus.FAILED, attempt=1, queued=1.0, submitted=2.0, cpu=3.0, max_rss=4)
    second = moved(JobStatus.QUEUED, attempt=2, queued=9.0, raised={"memory": 8})
    (job,) = replay([FED, first]).values()
    assert (job.queued, job.submitted, job.cpu, job.max_rss) == (1.0, 2.0, 3.0, 4)
    (job,) = replay([FED, first, second]).values()
    assert (job.queued, job.submitted, job.cpu, job.max_rss) == (9.0, None, None, None)
    assert job.raised == {"memory": 8}


def test_jobs_of_an_earlier_generation_are_kept() -> None:
    entries = [
        FED,
        moved(JobStatus.FINISHED, attempt=1),
        {"generation": 2, "at": 2.0},
        job_entry(9, {"cmd": ["true"]}),
    ]
    jobs = replay(entries)
    assert {index: job.generation for index, job in jobs.items()} == {3: 1, 9: 2}


def test_what_later_versions_may_add_is_passed_over() -> None:
    entries = [
        {"weather": "fine"},
        {**FED, "colour": "red"},
        {**moved(JobStatus.QUEUED), "mood": 1},
    ]
    (job,) = replay(entries).values()
    assert job.status is JobStatus.QUEUED


@pytest.mark.parametrize(
    "entries",
    [
        [{"state": 3, "to": 6}],
        [FED, {"state": 3}],
        [FED, {"state": 3, "to": 99}],
        [FED, {"state": 3, "to": 7, "failure": "SADNESS"}],
        [FED, {"state": [3], "to": 7}],
    ],
)
def test_entries_that_make_no_sense_are_shown(entries: list[dict[str, Any]]) -> None:
    with pytest.raises(RunCorrupt, match="the journal cannot be read"):
        replay(entries)
