"""What the engine's tool tells, and what it means: a table of states, and one of exit codes."""

from __future__ import annotations

from sched_core import (
    BackendError,
    EngineState,
    EngineUnavailable,
    Failure,
    Observation,
    SubmitRejected,
)

__all__ = ["read_error", "read_id", "read_list"]

_STATES = {
    "running": EngineState.RUNNING,
    "ended": EngineState.SUCCEEDED,  # if its code is 0; the job's own record has the last word
    "lost": EngineState.FAILED,
}
"""An engine with a queue has a word for EngineState.WAITING, too."""

_ERRORS: dict[int, type[BackendError]] = {
    65: SubmitRejected,  # the job is wrong: it fails, and is not tried again
    75: EngineUnavailable,  # the engine has no time or no room now: it is tried again later
}


def read_id(stdout: str) -> str:
    """Return the id of a job that was submitted. Raises ValueError."""
    (jid,) = stdout.split()
    return jid


def read_list(stdout: str) -> dict[str, Observation]:
    """Return what is told of each job, by its id. Raises ValueError for what is no list."""
    found = {}
    for line in stdout.splitlines():
        jid, state, *code = line.split()
        found[jid] = _read_state(state, int(code[0]) if code else None)
    return found


def _read_state(word: str, rc: int | None) -> Observation:
    if word not in _STATES:
        raise ValueError(f"the engine tells of a state that is not known: {word}")
    state = _STATES[word]
    if word == "lost":
        return Observation(state, failure=Failure.NODE_FAIL, reason="what ran the job is gone")
    if rc:
        return Observation(EngineState.FAILED, rc, reason=f"the engine saw it return {rc}")
    return Observation(state, rc)


def read_error(returncode: int, stderr: str) -> BackendError:
    """Return the error that a tool's failure stands for."""
    cls = _ERRORS.get(returncode, EngineUnavailable)
    return cls(stderr.strip() or f"it returned {returncode}", returncode=returncode, stderr=stderr)
