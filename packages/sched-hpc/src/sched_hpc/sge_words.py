"""What Grid Engine says of a job's end and of its waiting, and what that means.

See sge_status(5) for the numbers under `failed`.
"""

from __future__ import annotations

from sched_core import EngineState, Failure, Observation

from .sge_parsers import Record, Row, Why, parse_memory, parse_time
from .sge_states import state_of

__all__ = ["explain_row", "is_final", "judge_record", "reason_of"]

_RESCHEDULED = frozenset({24, 25})
"""It goes back into the queue."""
_LIMIT = 37
_SIGNALLED = 100
_NOT_OURS, _NOT_SET_UP = 121, 122

_FAILED: dict[int, Failure] = {
    **dict.fromkeys((1, 3, 4, 6, 7, 8, 9, 10, 11, *range(26, 37), 38), Failure.SETUP),
    **dict.fromkeys((17, _SIGNALLED), Failure.CANCELLED),
    **dict.fromkeys((18, 19, 20, 21), Failure.NODE_FAIL),
    _LIMIT: Failure.TIMEOUT,
}
"""What went wrong, by Grid Engine's number; what comes after the job (12 to 16) is none of its own."""

_NEARLY = 0.98
"""Usage is sampled: it is seldom seen at its highest."""


def is_final(record: Record) -> bool:
    """Tell whether a record is about a job's end, rather than about one of its starts."""
    return record.failed not in _RESCHEDULED


def judge_record(record: Record, jid: str, restart: int) -> Observation:
    """Return what the record of a job's end proves."""
    failure = _FAILED.get(record.failed)
    if failure is Failure.TIMEOUT and _over_memory(record):
        failure = Failure.OUT_OF_MEMORY
    if failure is None and record.status:
        ours = record.status in (_NOT_OURS, _NOT_SET_UP)
        failure = Failure.SETUP if ours else Failure.EXIT
    return Observation(
        EngineState.SUCCEEDED if failure is None else EngineState.FAILED,
        rc=(record.status or None) if failure else None,
        failure=failure,
        reason=_reason(record),
        jid=jid,
        host=record.host or None,
        restart=restart,
        started=record.started,
        ended=record.ended,
        max_rss=record.max_rss,
    )


def _over_memory(record: Record) -> bool:
    """Tell which limit it was: there is one number for all of them."""
    limit = parse_memory(record.limits.get("h_vmem", ""))
    if limit is None:
        return False
    if record.memory >= limit * _NEARLY:
        return True
    time = parse_time(record.limits.get("h_rt", ""))
    return time is None or (
        None not in (record.started, record.ended)
        and (record.ended or 0) - (record.started or 0) < time * _NEARLY
    )


def _reason(record: Record) -> str:
    words = f"{record.failed}: {record.words}" if record.failed else f"exit {record.status}"
    return f"Grid Engine: {words}"


def reason_of(row: Row, why: Why | None, task: int | None) -> str:
    """Return why a job is in its state, as far as Grid Engine tells."""
    error = why.errors.get(1 if task is None else task) if why else None
    if why and not error:
        error = next(iter(why.errors.values()), None)
    return f"Grid Engine: {row.state}" + (f" ({error})" if error else "")


_NOTES = {
    "max_aj_instances": "forks: as many tasks of its array run as may",
    "Job is in error state": "it could not be started: kill it, or clear it with qmod -cj",
    "cannot run in queue": "no queue has what it asks for, or none has a free place",
    "offers only": "no place is free for it now",
    "overloaded": "the hosts are overloaded",
    "not enough": "what it asks for is used up",
    "job dependencies": "a job that it depends on has not ended",
    "in error state": "a queue is in an error state: an administrator has to clear it",
    "disabled": "a queue is disabled",
    "dropped because": "a queue is not available",
}
_HELD = "it is held: qrls lets it go"


def explain_row(jid: str, row: Row, why: Why | None, task: int | None) -> str:
    """Return what Grid Engine says about a job: where it has it, and why."""
    state = state_of(row.state)
    text = f"Grid Engine job {jid}: {row.state}"
    if row.host:
        text += f", on {row.host}"
    if state.restarted:
        text += ", started again by Grid Engine"
    if state.deleted:
        text += ", being deleted"
    if "h" in row.state and state.state is EngineState.WAITING:
        text += f"; {_HELD}"
    if why is None or state.state is EngineState.RUNNING:
        return text
    error = why.errors.get(1 if task is None else task)
    told = [error] if error else []
    told += [_with_meaning(note) for note in why.notes]
    return "; ".join([text, *told])


def _with_meaning(note: str) -> str:
    meaning = next((meaning for words, meaning in _NOTES.items() if words in note), None)
    return f"{note}: {meaning}" if meaning else note
