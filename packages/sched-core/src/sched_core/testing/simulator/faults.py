"""What can go wrong in a simulation, and whether it does: drawn from a seed."""

from __future__ import annotations

from collections import Counter
from enum import StrEnum
from random import Random

__all__ = ["ALL_FAULTS", "Chance", "Fault"]


class Fault(StrEnum):
    """One thing that goes wrong; the value is how it is called in a scenario."""

    PREEMPTED = "preempted"
    """A running task is killed, and its engine gives it up."""
    NODE_FAIL = "node_fail"
    """A running task dies with its node, and its engine gives it up."""
    REQUEUED = "requeued"
    """A running task is killed, and its engine starts it again under the same id."""
    REQUEUED_BY_TERM = "requeued_by_term"
    """The same, but the task is asked to end and records that before it is started again."""
    REQUEUED_LATE = "requeued_late"
    """A task's node dies when the task has ended already; its engine starts it again."""
    LAUNCH_FAILED = "launch_failed"
    """A task cannot be started, and its engine tries again under the same id."""
    NODE_SLOW = "node_slow"
    """A wrapper's every step takes seconds."""

    QUERY_LOST = "query_lost"
    """A question for all jobs times out."""
    QUERY_LATE = "query_late"
    """An answer about all jobs is old when it comes."""
    QUERY_EMPTY = "query_empty"
    """An answer about all jobs names none of them."""
    QUERY_PARTIAL = "query_partial"
    """An answer about all jobs leaves some out."""
    FIND_LOST = "find_lost"
    """A search for submissions times out."""
    FIND_LATE = "find_late"
    """What a search for submissions has found is old when it comes."""
    FIND_EMPTY = "find_empty"
    """A search for submissions finds none of them."""
    KILL_LOST = "kill_lost"
    """An order to kill is carried out, but its answer is lost."""
    KILL_REFUSED = "kill_refused"
    """An order to kill never arrives."""
    KILL_FORGOTTEN = "kill_forgotten"
    """An order to kill is acknowledged, and forgotten."""
    KILL_IGNORED = "kill_ignored"
    """A task that is told to end goes on until it is killed, and leaves no record."""

    OUTAGE = "outage"
    """The engine answers nobody for minutes; what is submitted meanwhile it may run afterwards."""

    SUBMIT_UNAVAILABLE = "submit_unavailable"
    """The engine takes no jobs now."""
    SUBMIT_REJECTED = "submit_rejected"
    """The engine refuses a submission as it is."""
    SUBMIT_TAKEN = "submit_taken"
    """A submission times out, and the engine has it."""
    SUBMIT_TAKEN_LATE = "submit_taken_late"
    """A submission times out, and the engine has it much later: it was hung."""
    SUBMIT_DROPPED = "submit_dropped"
    """A submission times out, and the engine never gets it."""
    SUBMIT_SLOW = "submit_slow"
    """A submission's answer takes so long that its jobs may have ended before."""
    SUBMIT_PARTIAL = "submit_partial"
    """The engine takes only a part of a submission, and says so."""
    FORGOTTEN = "forgotten"
    """The engine forgets a submission that it has acknowledged, and uses its id again."""
    PURGED = "purged"
    """An ended task is not listed any more, not even once."""

    LATE_FILE = "late_file"
    """What a task writes is seen elsewhere only after a while."""
    FULL_DISK = "full_disk"
    """A task can create files, but nothing can be written into them."""
    OLD_EVENT = "old_event"
    """An event comes again, or one of an earlier attempt comes late."""
    SLOW_DISK = "slow_disk"
    """The driver's own files take seconds."""

    DRIVER_DIES = "driver_dies"
    """The driver is killed just before, in, or just after something it does."""
    DRIVER_HANGS = "driver_hangs"
    """The driver stands still at something it does; it may have been taken over when it wakes."""
    DRIVERS_RACE = "drivers_race"
    """Two drivers want to take the run over."""
    RUN_CANCELLED = "run_cancelled"
    """The block of a run is cancelled; the next driver goes on."""
    JOB_KILLED = "job_killed"
    """Somebody asks for a job to be killed."""
    JOB_RETRIED = "job_retried"
    """Somebody asks for what failed to be tried once more."""


ALL_FAULTS = frozenset(Fault)

_RARE = {
    Fault.PREEMPTED: 3.0,
    Fault.NODE_FAIL: 3.0,
    Fault.REQUEUED: 2.0,
    Fault.REQUEUED_BY_TERM: 2.0,
    Fault.REQUEUED_LATE: 2.0,
    Fault.FULL_DISK: 2.0,
    Fault.SUBMIT_REJECTED: 5.0,
    Fault.OUTAGE: 10.0,
    Fault.JOB_KILLED: 0.7,
    Fault.KILL_LOST: 0.3,
    Fault.KILL_REFUSED: 0.3,
    Fault.KILL_FORGOTTEN: 0.3,
    Fault.KILL_IGNORED: 0.3,
    Fault.SLOW_DISK: 100.0,
    Fault.LATE_FILE: 0.4,
    Fault.RUN_CANCELLED: 0.3,
    Fault.DRIVERS_RACE: 0.3,
}
"""By how much rarer than others they are drawn: they would leave no room for these, or hide them."""


class Chance:
    """Draws faults and numbers, the same for the same seed; counts the faults that took effect.

    Each kind of fault has dice of its own, so that one that is switched off changes no other.
    """

    def __init__(self, seed: int, faults: frozenset[Fault], rate: float) -> None:
        """Let each of the faults strike with about this probability at each opportunity."""
        self._seed = seed
        self._faults = faults
        self._rate = rate
        self._dice: dict[str, Random] = {}
        self.calm = False
        """Whether nothing goes wrong any more."""
        self.counts: Counter[Fault] = Counter()

    def dice(self, name: str) -> Random:
        """Return the source of chance of that name."""
        found = self._dice.get(name)
        if found is None:
            found = self._dice[name] = Random(f"{self._seed}/{name}")
        return found

    def strikes(self, fault: Fault) -> bool:
        """Tell whether the fault strikes now, and count it."""
        if self.calm or fault not in self._faults:
            return False
        rate = self._rate / _RARE.get(fault, 1.0)
        if self.dice(fault).random() >= rate:
            return False
        self.counts[fault] += 1
        return True

    def between(self, name: str, low: float, high: float) -> float:
        """Draw a number."""
        return self.dice(f"{name}/between").uniform(low, high)
