"""What slots, claims and processes that are gone tell of an attempt, in the lifecycle's words."""

from __future__ import annotations

from dataclasses import replace

from ..model.failure import Failure
from ..scheduler import EngineState, Observation
from ..scheduler.observation import observation_of
from ..text.claim import Claim
from ..text.recorder import NOT_SET_UP
from .slots import Ended, Started

__all__ = ["ended", "fenced", "gone", "never_started", "rebooted", "refused", "started"]


def started(message: Started, host: str, now: float) -> Observation:
    """Return what a slot's word on a start tells."""
    return Observation(EngineState.RUNNING, jid=str(message.leader), host=host, started=now)


def ended(message: Ended, host: str, now: float) -> Observation:
    """Return what a slot's word on an end tells: the record is written."""
    return Observation(
        EngineState.RECORDED,
        rc=message.rc,
        failure=None if message.rc == 0 else message.failure or Failure.EXIT,
        reason="" if message.failure is not Failure.SETUP else _setup_reason(message.rc),
        host=host,
        ended=now,
        cpu=message.used.cpu,
        max_rss=message.used.max_rss,
    )


def _setup_reason(rc: int) -> str:
    if rc == NOT_SET_UP:
        return (
            "its folder, its prescript or its records could not be set up: is its cwd there, and is "
            "the disk full?"
        )
    return "its prescript failed"


def gone(claim: Claim | None) -> Observation:
    """Return how an attempt ended whose processes are gone, by the last that its claim tells."""
    if claim is not None and claim.rc is not None:
        return observation_of(claim)
    if claim is not None and claim.inside_rc is not None:
        return _told_from_inside(claim, claim.inside_rc)
    return _failed(Failure.LOST, "its processes are gone and left no record")


def _told_from_inside(claim: Claim, rc: int) -> Observation:
    """Say how a command ended whose recorder is gone, but which had one in its container."""
    failure = Failure(claim.inside_failure) if claim.inside_failure else Failure.EXIT
    seen = observation_of(claim)
    return replace(seen, state=EngineState.RECORDED, rc=rc, failure=None if rc == 0 else failure)


def rebooted(claim: Claim) -> Observation:
    """Return what became of an attempt whose machine has been booted since."""
    return _failed(Failure.NODE_FAIL, f"{claim.host} was rebooted")


def fenced() -> Observation:
    """Return what became of an attempt that was given up before its shell came to claim it."""
    return _failed(Failure.LOST, "it was fenced before it could start")


def refused() -> Observation:
    """Return what became of an attempt that its own wrapper has refused, though nobody had it."""
    return _failed(Failure.SETUP, "its wrapper refused: the folder holds claims of later attempts")


def never_started(recorder: str) -> Observation:
    """Return what became of an attempt whose slots did nothing but die."""
    return _failed(Failure.SETUP, f"the shells that were to start it have died; look at {recorder}")


def _failed(failure: Failure, reason: str) -> Observation:
    return Observation(EngineState.FAILED, failure=failure, reason=reason)
