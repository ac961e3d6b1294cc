from __future__ import annotations

from itertools import product

import pytest

from sched_core import IllegalTransition, JobStatus
from sched_core.model.status import MOVES, steps_between

S = JobStatus
PAIRS = list(product(JobStatus, JobStatus))


def legal(old: JobStatus, new: JobStatus) -> bool:
    try:
        steps_between(old, new)
    except IllegalTransition:
        return False
    return True


# Rows: from; columns: to, in the order INIT QUEUED SUBMITTED RUNNING KILLING FINISHED FAILED KILLED.
# "x": a move; "+": skipped states are filled in; ".": none.
TABLE = {
    S.INIT: ". x + + . + + x",
    S.QUEUED: ". . x + . + x x",
    S.SUBMITTED: ". x . x x + x +",
    S.RUNNING: ". . x . x x x +",
    S.KILLING: ". . . . . x x x",
    S.FINISHED: ". . . . . . . .",
    S.FAILED: ". x . . . . . .",
    S.KILLED: ". x . . . . . .",
}


@pytest.mark.parametrize("old, new", PAIRS)
def test_moves_are_those_of_the_table(old: JobStatus, new: JobStatus) -> None:
    mark = TABLE[old].split()[list(JobStatus).index(new)]
    assert (new in MOVES[old]) == (mark == "x")
    assert legal(old, new) == (mark != ".")


@pytest.mark.parametrize("old, new", [pair for pair in PAIRS if legal(*pair)])
def test_the_way_to_a_state_consists_of_moves(old: JobStatus, new: JobStatus) -> None:
    steps = steps_between(old, new)
    assert steps[-1] is new
    assert all(after in MOVES[before] for before, after in zip((old, *steps), steps, strict=False))
    assert not any(step.final for step in steps[:-1])


@pytest.mark.parametrize("old, new", [pair for pair in PAIRS if not legal(*pair)])
def test_an_illegal_move_is_named(old: JobStatus, new: JobStatus) -> None:
    with pytest.raises(IllegalTransition, match=f"{old.name} cannot become {new.name}"):
        steps_between(old, new)


def test_states_are_waiting_active_or_final() -> None:
    assert [s.name for s in S if s.active] == ["SUBMITTED", "RUNNING", "KILLING"]
    assert [s.name for s in S if s.final] == ["FINISHED", "FAILED", "KILLED"]


def test_a_job_never_runs_without_having_been_submitted() -> None:
    for old in (S.INIT, S.QUEUED):
        assert S.SUBMITTED in steps_between(old, S.RUNNING)
        assert S.RUNNING in steps_between(old, S.FINISHED)
