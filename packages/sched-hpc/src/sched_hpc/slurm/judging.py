"""What Slurm's answers prove of jobs. Pure."""

from __future__ import annotations

from sched_core import EngineState, Observation

from .parsers import Row
from .states import failure_of, state_of

__all__ = ["has_ended", "observation_of"]

_ENDED = (EngineState.SUCCEEDED, EngineState.FAILED)


def has_ended(state: EngineState) -> bool:
    """Tell whether a job in this state will not run any more."""
    return state in _ENDED


def observation_of(row: Row, jid: str) -> Observation:
    """Return what a row proves of the job of that id."""
    meaning = state_of(row.state)
    ended = has_ended(meaning.state)
    return Observation(
        meaning.state,
        rc=_returned(row) if meaning.state is EngineState.FAILED else None,
        failure=failure_of(row.state, row.code, row.signal, row.reason),
        reason=_reason(row),
        jid=jid,
        host=row.nodes or None,
        restart=row.restarts,
        started=row.started,
        ended=row.ended if ended else None,
        max_rss=row.max_rss if ended else None,
    )


def _returned(row: Row) -> int | None:
    if row.signal:
        return 128 + row.signal
    return row.code or None


def _reason(row: Row) -> str:
    state = row.state.split()[0] if row.state else ""
    words = row.state if row.state.startswith("CANCELLED by") else state
    return f"Slurm: {words}" + (f" ({row.reason})" if row.reason else "")
