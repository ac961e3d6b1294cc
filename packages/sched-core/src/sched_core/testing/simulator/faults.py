"""What can go wrong in a simulation."""

from __future__ import annotations

from enum import StrEnum
from typing import Self

__all__ = ["ALL_FAULTS", "Fault"]


class Fault(StrEnum):
    """One thing that goes wrong; the value is how it is called in a scenario, `doc` what happens."""

    doc: str

    def __new__(cls, value: str, doc: str = "") -> Self:
        """Keep what happens beside the name."""
        fault = str.__new__(cls, value)
        fault._value_ = value
        fault.doc = doc
        return fault

    # --- tasks and the nodes that they run on ----------------------------------------------------

    PREEMPTED = "preempted", "A running task is killed, and its engine gives it up."
    PREEMPTED_BY_TERM = (
        "preempted_by_term",
        "The same, but the task is asked to end, and records that before it is gone.",
    )
    NODE_FAIL = "node_fail", "A running task dies with its node, and its engine gives it up."
    REQUEUED = "requeued", "A running task is killed; its engine starts it again under its id."
    REQUEUED_BY_TERM = (
        "requeued_by_term",
        "The same, but the task is asked to end and records that before it is started again.",
    )
    REQUEUED_LATE = (
        "requeued_late",
        "A task's node dies when the task has ended already; its engine starts it again.",
    )
    LAUNCH_FAILED = (
        "launch_failed",
        "A task cannot be started, and its engine tries again under the same id.",
    )
    LAUNCH_HELD = (
        "launch_held",
        "A task cannot be started; its engine holds it for good, or until somebody releases it.",
    )
    OUT_OF_MEMORY = "out_of_memory", "A running task needs more memory than it has, and is killed."
    OUT_OF_TIME = "out_of_time", "A running task is told to end at a limit of its engine's own."
    SUSPENDED = "suspended", "A running task stands still for a while."
    NODE_SLOW = "node_slow", "A wrapper's every step takes seconds."
    NODE_CLOCK_JUMPS = (
        "node_clock_jumps",
        "A node's wall clock is wrong, and set forward or back while a task runs.",
    )

    # --- what an engine says ---------------------------------------------------------------------

    QUERY_LOST = "query_lost", "A question for all jobs times out."
    QUERY_LATE = "query_late", "An answer about all jobs is old when it comes."
    QUERY_EMPTY = "query_empty", "An answer about all jobs names none of them."
    QUERY_PARTIAL = "query_partial", "An answer about all jobs leaves some out."
    ACCOUNTING_LAGS = "accounting_lags", "A task has ended, and is listed as running for a while."
    PURGED = "purged", "An ended task is not listed any more, not even once."
    FIND_LOST = "find_lost", "A search for submissions times out."
    FIND_LATE = "find_late", "What a search for submissions has found is old when it comes."
    FIND_EMPTY = "find_empty", "A search for submissions finds none of them."
    OUTAGE = (
        "outage",
        "The engine answers nobody for minutes; what is submitted meanwhile it may run afterwards.",
    )
    RATE_LIMITED = (
        "rate_limited",
        "The engine refuses all calls for a while, and says when it may be called again.",
    )

    # --- orders that it gets ---------------------------------------------------------------------

    SUBMIT_UNAVAILABLE = "submit_unavailable", "The engine takes no jobs now."
    SUBMIT_REJECTED = "submit_rejected", "The engine refuses a submission as it is."
    SUBMIT_TAKEN = "submit_taken", "A submission times out, and the engine has it."
    SUBMIT_TAKEN_LATE = (
        "submit_taken_late",
        "A submission times out, and the engine has it much later: it was hung.",
    )
    SUBMIT_DROPPED = "submit_dropped", "A submission times out, and the engine never gets it."
    SUBMIT_SLOW = (
        "submit_slow",
        "A submission's answer takes so long that its jobs may have ended before.",
    )
    SUBMIT_PARTIAL = "submit_partial", "The engine takes only a part of a submission, and says so."
    QUOTA = "quota", "The engine takes no more jobs of this user until others have ended."
    FORGOTTEN = (
        "forgotten",
        "The engine forgets a submission that it has acknowledged, and uses its id again.",
    )
    KILL_LOST = "kill_lost", "An order to kill is carried out, but its answer is lost."
    KILL_REFUSED = "kill_refused", "An order to kill never arrives."
    KILL_FORGOTTEN = "kill_forgotten", "An order to kill is acknowledged, and forgotten."
    KILL_IGNORED = (
        "kill_ignored",
        "A task that is told to end goes on until it is killed, and leaves no record.",
    )

    # --- files -----------------------------------------------------------------------------------

    LATE_FILE = "late_file", "What a task writes is seen elsewhere only after a while."
    EMPTY_FILE = "empty_file", "What a task writes is seen elsewhere as an empty file for a while."
    LISTING_LAGS = "listing_lags", "A new file is listed later, or sooner, than it can be read."
    GHOST_FILE = "ghost_file", "A file that was removed is listed for a while."
    OLD_EVENT = "old_event", "An event comes again, or one of an earlier attempt comes late."
    FULL_DISK = "full_disk", "A task can create files, but nothing can be written into them."
    READ_ONLY_DISK = "read_only_disk", "A task can create no files, nor change any."
    DRIVER_DISK_FULL = "driver_disk_full", "The driver cannot write: there is no room for a while."
    STORE_AWAY = (
        "store_away",
        "The store of the run's folder fails the driver for a while; what was asked may be done.",
    )
    STALE_MOUNT = "stale_mount", "A look of the driver at its files fails: their mount is stale."
    SLOW_DISK = "slow_disk", "The driver's own files take seconds."

    # --- drivers, and people -----------------------------------------------------------------------

    DRIVER_DIES = (
        "driver_dies",
        "The driver is killed just before, in, or just after something it does.",
    )
    DRIVER_HANGS = (
        "driver_hangs",
        "The driver stands still at something it does; it may be taken over before it wakes.",
    )
    DRIVERS_RACE = "drivers_race", "Two drivers want to take the run over."
    SECOND_DRIVER = "second_driver", "A driver is started while another one drives the run."
    CLOCK_JUMPS = "clock_jumps", "The wall clock of a driver's machine is set forward or back."
    HOOK_RAISES = "hook_raises", "A hook of a plugin raises an exception."
    RUN_CANCELLED = "run_cancelled", "The block of a run is cancelled; the next driver goes on."
    JOB_KILLED = "job_killed", "Somebody asks for a job to be killed."
    JOB_RETRIED = "job_retried", "Somebody asks for what failed to be tried once more."


ALL_FAULTS = frozenset(Fault)
