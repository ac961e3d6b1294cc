"""Attempts by their claims alone: which of the processes that these name are alive."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..lifecycle.files import read_claims
from ..model.job import Job
from ..scheduler import Observation
from ..scheduler.observation import observation_of
from ..text.claim import Claim
from .observations import rebooted
from .tree import ProcessId, boot_id, is_alive, read_process_id, read_variable

if TYPE_CHECKING:
    from ..lifecycle.session import Session

__all__ = ["leader_of", "look_at", "read", "read_whole", "slot_of", "watched"]

_PATIENCE = 1.0
"""Seconds from a claim's creation until it is written, at the very most."""
_STEP = 0.02


async def read(session: Session, jobs: Sequence[Job]) -> list[Claim | None]:
    """Return the newest claims of the jobs' present attempts."""
    ports = session.ports
    places = [(str(job.metadir), job.attempt) for job in jobs]
    return await ports.offload(read_claims, ports.files, places)


async def read_whole(session: Session, job: Job, claim: Claim) -> Claim:
    """Return the claim once it says whose it is: it is created first, then written."""
    until = session.ports.monotonic() + _PATIENCE
    while claim.pid is None and session.ports.monotonic() < until:
        await session.ports.sleep(_STEP)
        (found,) = await read(session, [job])
        claim = found or claim
    return claim


def look_at(claim: Claim, host: str) -> Observation | None:
    """Say what a claim and the processes that it names tell; None where they are gone.

    `host` is the name of this machine.
    """
    if claim.rc is not None or watched(claim) is not None:
        return observation_of(claim)
    if claim.pid is None:
        return None  # whoever began to write it never came to its end
    if claim.host != host:
        return observation_of(claim)
    if claim.boot_id != boot_id():
        return rebooted(claim)
    return None


def leader_of(claim: Claim) -> ProcessId | None:
    """Return the leader of the command's process group, None where it is gone."""
    if claim.leader is None or claim.leader_start is None or claim.boot_id != boot_id():
        return None
    process = ProcessId(claim.leader, claim.leader_start)
    return process if is_alive(process) else None


def watched(claim: Claim) -> ProcessId | None:
    """Return the process whose end tells that there is a record, or that there will be none."""
    if claim.pid is not None and claim.start is not None and claim.boot_id == boot_id():
        recorder = ProcessId(claim.pid, claim.start)
        if read_process_id(recorder.pid) == recorder:
            return recorder
    return leader_of(claim)


def slot_of(leader: ProcessId | None) -> int:
    """Return the number of the slot that runs a command of an earlier driver, -1 if unknown."""
    number = None if leader is None else read_variable(leader, "SCHED_SLOT")
    return int(number) if number is not None and number.isdecimal() else -1
