"""Events out of the journal, which tells where jobs stood and not what they went through."""

from __future__ import annotations

from typing import Any

from sched_core import JobStatus
from sched_meta.reading.jobevents import JobEvents

JOB = {"job": 3, "cmd": ["true"], "name": "mine"}


def state(to: JobStatus, at: float = 9.0, **more: Any) -> dict[str, Any]:
    return {"state": 3, "to": int(to), "at": at, "attempt": 1, **more}


def told(*records: dict[str, Any]) -> list[tuple[str, int, float]]:
    events = JobEvents().take([JOB, *records])
    return [(event["event"], event["attempt"], event["at"]) for event in events]


def test_what_came_between_two_records_is_filled_in() -> None:
    end = state(
        JobStatus.FINISHED, queued=1.0, submitted=2.0, started=3.0, ended=4.0, rc=0, host="node1"
    )
    assert told(end) == [
        ("queued", 1, 1.0),
        ("submitted", 1, 2.0),
        ("started", 1, 3.0),
        ("finished", 1, 4.0),
    ]


def test_each_event_is_told_once() -> None:
    running = state(JobStatus.RUNNING, queued=1.0, submitted=2.0, started=3.0)
    assert [name for name, _, _ in told(running, running)] == ["queued", "submitted", "started"]
    again = told(running, running | {"to": int(JobStatus.KILLING)}, state(JobStatus.KILLED))
    assert again[-1] == ("killed", 1, 9.0)
    assert len(again) == 4


def test_a_job_that_never_started_has_no_start() -> None:
    assert [name for name, _, _ in told(state(JobStatus.KILLED))] == ["queued", "killed"]
    refused = state(JobStatus.FAILED, submitted=2.0, failure="REJECTED")
    assert [name for name, _, _ in told(refused)] == ["queued", "submitted", "failed"]


def test_attempts_are_told_apart() -> None:
    first = state(JobStatus.FAILED, started=1.0, ended=2.0, will_retry=True)
    second = state(JobStatus.QUEUED, 5.0, attempt=2)
    assert told(first, second)[-2:] == [("failed", 1, 2.0), ("queued", 2, 5.0)]


def test_events_hold_what_a_driver_tells() -> None:
    end: dict[str, Any] = {"started": 1.0, "ended": 2.0, "rc": 3, "host": "node1", "cpu": 0.5}
    failed = state(JobStatus.FAILED, failure="EXIT", **end)
    event = list(JobEvents().take([JOB, failed]))[-1]
    assert event == {
        "event": "failed",
        "at": 2.0,
        "index": 3,
        "name": "mine",
        "attempt": 1,
        "rc": 3,
        "failure": "EXIT",
        "reason": None,
        "host": "node1",
        "started": 1.0,
        "ended": 2.0,
        "cpu": 0.5,
        "max_rss": None,
        "will_retry": False,
    }
