from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sched_core.model.status import JobStatus
from sched_core.text.event import Event, event_name, parse_event_name

NUMBER = st.integers(0, 10**9)


@given(
    st.builds(
        Event, NUMBER, NUMBER, NUMBER, st.sampled_from(JobStatus), st.none() | st.integers(0, 255)
    )
)
def test_a_name_tells_it_all(event: Event) -> None:
    assert parse_event_name(event_name(event)) == event


def test_the_name_is_as_documented() -> None:
    assert event_name(Event(17, 2, 1, JobStatus.FAILED, 143)) == "17.2.1.FAILED.143"
    assert event_name(Event(0, 1, 0, JobStatus.RUNNING)) == "0.1.0.RUNNING"


@pytest.mark.parametrize(
    "name",
    ["", "probe", ".nfs0001", "1.1.FAILED", "1.1.0.BROKEN.1", "1.1.0.FAILED.x", "01.1.0.FAILED.1"],
)
def test_other_files_are_no_events(name: str) -> None:
    assert parse_event_name(name) is None
