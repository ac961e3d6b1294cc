"""What runs on this machine, and what it holds of it."""

from __future__ import annotations

from dataclasses import dataclass

from ..model.job import Job
from ..model.resources import Resources
from ..runfolder.submissions import AttemptId
from ..scheduler import attempt_id
from ..scheduler.admission import CARDS, Admission, Grant, Machine
from .tree import ProcessId, read_variable

__all__ = ["Attempt", "Running"]


@dataclass(slots=True)
class Attempt:
    """What this machine knows of one attempt."""

    job: Job
    grant: Grant
    leader: ProcessId | None = None


class Running:
    """The attempts that were given to slots and have not ended, each with its share of the machine."""

    def __init__(self, machine: Machine) -> None:
        """Give out what that machine has."""
        self._admission = Admission(machine)
        self._attempts: dict[AttemptId, Attempt] = {}

    def __len__(self) -> int:
        return len(self._attempts)

    def __contains__(self, attempt: AttemptId) -> bool:
        return attempt in self._attempts

    def get(self, attempt: AttemptId) -> Attempt | None:
        """Return what is known of the attempt, None where it does not run."""
        return self._attempts.get(attempt)

    def of(self, job: Job) -> Attempt | None:
        """Return what is known of the job's present attempt, None where it does not run."""
        return self._attempts.get(attempt_id(job))

    def admit(self, wanted: Resources) -> Grant | None:
        """Set a share of the machine aside, None where there is not enough now."""
        return self._admission.admit(wanted)

    def give_back(self, grant: Grant) -> None:
        """Give a share back that no attempt has come to hold."""
        self._admission.give_back(grant)

    def add(self, job: Job, grant: Grant) -> None:
        """Count the job's present attempt, which has just been given to a slot."""
        self._attempts[attempt_id(job)] = Attempt(job, grant)

    def adopt(self, job: Job, wanted: Resources, leader: ProcessId | None) -> None:
        """Count what an attempt holds that an earlier driver has started."""
        cards = read_variable(leader, CARDS) if leader is not None and wanted.gpus else None
        grant = self._admission.hold(wanted, cards)
        self._attempts[attempt_id(job)] = Attempt(job, grant, leader)

    def release(self, attempt: AttemptId) -> None:
        """Take back what the attempt holds, if it runs."""
        entry = self._attempts.pop(attempt, None)
        if entry is not None:
            self._admission.give_back(entry.grant)

    def is_starting(self, job: Job) -> bool:
        """Tell whether the job's present attempt has not said yet which processes are its own."""
        entry = self.of(job)
        return entry is not None and entry.leader is None
