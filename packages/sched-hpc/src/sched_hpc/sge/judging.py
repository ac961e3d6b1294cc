"""What Grid Engine's answers prove of jobs. Pure.

See sge_status(5) for the numbers under `failed`.
"""

from __future__ import annotations

from sched_core import EngineState, Failure, Job, Observation
from sched_core.text.recorder import NOT_OURS, NOT_SET_UP

from .accounting import Record
from .notation import parse_memory, parse_time
from .parsers import Row
from .states import state_of

__all__ = ["is_final", "judge_record", "judge_row"]

_RESCHEDULED = frozenset({24, 25})
"""It goes back into the queue."""
_LIMIT = 37
_SIGNALLED = 100

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
        ours = record.status in (NOT_OURS, NOT_SET_UP)
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


def judge_row(job: Job, row: Row, reason: str = "") -> Observation:
    """Return what the queue's row proves of the job."""
    meaning = state_of(row.state)
    # It tells that it was started again, not how often: the job's own claim does.
    restart = max(job.restart, 1) if meaning.restarted else job.restart
    return Observation(
        meaning.state,
        failure=meaning.failure,
        reason=reason or f"Grid Engine: {row.state}",
        jid=job.jid,
        host=row.host or None,
        restart=restart,
        started=row.started,
    )
