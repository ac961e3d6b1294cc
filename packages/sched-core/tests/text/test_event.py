from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sched_core.model.failure import Failure
from sched_core.model.status import JobStatus
from sched_core.text.event import Event, Facts, event_name, parse_event_name

NUMBER = st.integers(0, 10**9)
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._"
HOST = st.text(LETTERS, min_size=1, max_size=63).filter(lambda host: host != "-")
TIME = st.floats(0, 9e9).map(lambda seconds: round(seconds, 6))
SPENT = st.floats(0, 1e7).map(lambda seconds: round(seconds, 3))
MD5 = st.text("0123456789abcdef", min_size=32, max_size=32)
FACTS = st.builds(
    Facts,
    st.none() | st.sampled_from([str(failure) for failure in Failure]),
    *(st.none() | part for part in (HOST, TIME, TIME, SPENT, SPENT, MD5, MD5)),
)
EVENTS = st.builds(
    Event,
    NUMBER,
    NUMBER,
    NUMBER,
    st.sampled_from(JobStatus),
    st.none() | st.integers(0, 255),
    st.none() | FACTS,
)


@given(EVENTS)
def test_a_name_tells_it_all(event: Event) -> None:
    name = event_name(event)
    assert parse_event_name(name) == event
    assert len(name) <= 255


def test_the_name_is_as_documented() -> None:
    assert event_name(Event(17, 2, 1, JobStatus.FAILED, 143)) == "17.2.1.FAILED.143"
    assert event_name(Event(0, 1, 0, JobStatus.RUNNING)) == "0.1.0.RUNNING"


def test_the_facts_are_as_documented() -> None:
    empty = "d41d8cd98f00b204e9800998ecf8427e"
    facts = Facts(None, "vm-3", 1764448180.123456, 1764448190.456, 0.01, 0.002, empty, empty)
    assert event_name(Event(12, 1, 0, JobStatus.FINISHED, 0, facts)) == (
        f"12.1.0.FINISHED.0,-,vm-3,1764448180.123456,1764448190.456000,0.010,0.002,{empty},{empty}"
    )
    name = f"12.1.0.FINISHED.0,-,vm-3,1764448180.123456,1764448190.456,0.010,0.002,{empty},{empty}"
    assert parse_event_name(name) == Event(12, 1, 0, JobStatus.FINISHED, 0, facts)
    started = Facts(host="vm-3", started=1764448180.5)
    assert parse_event_name("12.1.0.RUNNING,-,vm-3,1764448180.5,-,-,-,-,-") == Event(
        12, 1, 0, JobStatus.RUNNING, None, started
    )


@pytest.mark.parametrize(
    "name",
    [
        *("", "probe", ".nfs0001", "1.1.FAILED", "1.1.0.BROKEN.1", "1.1.0.FAILED.x"),
        *("01.1.0.FAILED.1", "1.1.0.FAILED.1,", "1.1.0.FAILED.1,EXIT,vm"),
        *("1.1.0.FAILED.1,-,-,-,-,-,-,-,md5", "1.1.0.FAILED.1,-,-,soon,-,-,-,-,-"),
    ],
)
def test_other_files_are_no_events(name: str) -> None:
    assert parse_event_name(name) is None
