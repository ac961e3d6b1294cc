"""What the engine is told, and what its answers mean."""

from __future__ import annotations

import pytest
from sched_core import EngineState, EngineUnavailable, Failure, Observation, SubmitRejected

from sched_template.answers import read_error, read_id, read_list
from sched_template.commands import cancel_command, list_command, submit_command


def test_each_command_names_the_queue() -> None:
    assert submit_command("/q", "run-1", 2, "/run/0/script")[2:] == [
        *("/q", "submit", "run-1", "2", "/run/0/script")
    ]
    assert list_command("/q", ["a", "b"])[2:] == ["/q", "list", "a", "b"]
    assert cancel_command("/q", 10.0, ["a"])[2:] == ["/q", "cancel", "10", "a"]


def test_an_answer_to_a_submission_is_one_id() -> None:
    assert read_id("Xy12\n") == "Xy12"
    with pytest.raises(ValueError, match="unpack"):
        read_id("")


def test_each_state_is_known() -> None:
    assert read_list("a running\nb ended 0\nc ended 3\nd lost\n") == {
        "a": Observation(EngineState.RUNNING),
        "b": Observation(EngineState.SUCCEEDED, 0),
        "c": Observation(EngineState.FAILED, 3, reason="the engine saw it return 3"),
        "d": Observation(
            EngineState.FAILED, failure=Failure.NODE_FAIL, reason="what ran the job is gone"
        ),
    }


def test_what_is_not_known_is_no_answer() -> None:
    with pytest.raises(ValueError, match="a state that is not known: flying"):
        read_list("a flying\n")


def test_an_exit_code_tells_who_has_to_act() -> None:
    assert isinstance(read_error(65, "no such script\n"), SubmitRejected)
    assert isinstance(read_error(75, "busy\n"), EngineUnavailable)
    assert str(read_error(1, "")) == "it returned 1"
