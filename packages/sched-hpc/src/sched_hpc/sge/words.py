"""What Grid Engine says of a job that waits or runs, for a person. Pure."""

from __future__ import annotations

from sched_core import EngineState

from .parsers import Row, Why
from .states import state_of

__all__ = ["explain_row", "reason_of"]


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
