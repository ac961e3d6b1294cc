"""Every state that Slurm tells of a job, long and short, in one table.

See https://slurm.schedmd.com/squeue.html, "JOB STATE CODES"; sacct adds what follows "by".
"""

from __future__ import annotations

import signal
from dataclasses import dataclass

from sched_core import EngineState, Failure
from sched_core.text.recorder import NOT_OURS, NOT_SET_UP

__all__ = ["SlurmState", "failure_of", "state_of"]

_LAUNCH_FAILED = 53
"""What Slurm puts in the place of a signal."""


@dataclass(frozen=True, slots=True)
class SlurmState:
    """What a state means. `known` is False for one that this table does not have."""

    state: EngineState
    failure: Failure | None = None
    known: bool = True


_WAITS = SlurmState(EngineState.WAITING)
_RUNS = SlurmState(EngineState.RUNNING)
_UNKNOWN = SlurmState(EngineState.WAITING, known=False)


def _failed(failure: Failure) -> SlurmState:
    return SlurmState(EngineState.FAILED, failure)


_TABLE: tuple[tuple[str, str, SlurmState], ...] = (
    ("BOOT_FAIL", "BF", _failed(Failure.NODE_FAIL)),
    ("CANCELLED", "CA", _failed(Failure.CANCELLED)),
    ("COMPLETED", "CD", SlurmState(EngineState.SUCCEEDED)),
    ("CONFIGURING", "CF", _WAITS),
    ("COMPLETING", "CG", _WAITS),  # it may have failed before it ran: the next answer tells
    ("DEADLINE", "DL", _failed(Failure.TIMEOUT)),
    ("EXPEDITING", "EQ", _WAITS),
    ("FAILED", "F", _failed(Failure.EXIT)),
    ("LAUNCH_FAILED", "LF", _failed(Failure.SETUP)),
    ("NODE_FAIL", "NF", _failed(Failure.NODE_FAIL)),
    ("OUT_OF_MEMORY", "OOM", _failed(Failure.OUT_OF_MEMORY)),
    ("PENDING", "PD", _WAITS),
    ("POWER_UP_NODE", "PO", _WAITS),
    ("PREEMPTED", "PR", _failed(Failure.PREEMPTED)),
    ("RUNNING", "R", _RUNS),
    ("RECONFIG_FAIL", "RC", _failed(Failure.NODE_FAIL)),
    ("RESV_DEL_HOLD", "RD", _WAITS),
    ("REQUEUE_FED", "RF", _WAITS),
    ("REQUEUE_HOLD", "RH", _WAITS),
    ("REQUEUED", "RQ", _WAITS),
    ("RESIZING", "RS", _RUNS),
    ("REVOKED", "RV", _WAITS),
    ("SIGNALING", "SI", _RUNS),
    ("SPECIAL_EXIT", "SE", _WAITS),
    ("STAGE_OUT", "SO", _RUNS),
    ("STOPPED", "ST", _RUNS),
    ("SUSPENDED", "S", _RUNS),
    ("TIMEOUT", "TO", _failed(Failure.TIMEOUT)),
)
_STATES = {word: state for long, short, state in _TABLE for word in (long, short)}


def state_of(text: str) -> SlurmState:
    """Return what a state means, however it is shown: `CANCELLED by 1000`, `RUNNING+`, `OUT_OF_ME+`.

    One that is not known keeps the job where it is: the engine has it.
    """
    word, *_ = text.upper().split() or [""]
    known = _STATES.get(word.rstrip("+*"))
    if known is None and word.endswith("+"):  # cut short
        known = next((state for long, _, state in _TABLE if long.startswith(word[:-1])), None)
    return known or _UNKNOWN


def failure_of(state: str, code: int, signum: int, reason: str) -> Failure | None:
    """Return the class of a failure, of which the state alone does not tell all."""
    failure = state_of(state).failure
    if failure is not Failure.EXIT:
        return failure
    if reason == "JobLaunchFailure" and signum == signal.SIGKILL:
        return Failure.NODE_FAIL  # the node was too busy to start it, and gave up
    # Slurm could not start the batch script, or the wrapper could not do its work.
    unstarted = signum == _LAUNCH_FAILED or code in (NOT_OURS, NOT_SET_UP)
    return Failure.SETUP if unstarted else failure
