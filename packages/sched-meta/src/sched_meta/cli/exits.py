"""The exit codes of `sched`."""

__all__ = [
    "FAILED",
    "FINISHED",
    "HUNG_UP",
    "INTERRUPTED",
    "TERMINATED",
    "TIMED_OUT",
    "UNUSABLE",
    "USAGE",
]

FINISHED = 0  # every job
FAILED = 1  # some job did not finish
USAGE = 2  # what was asked for cannot be done
UNUSABLE = 3  # the scheduler cannot be used
TIMED_OUT = 124  # what was waited for, as timeout(1) has it
HUNG_UP = 129
INTERRUPTED = 130
TERMINATED = 143
