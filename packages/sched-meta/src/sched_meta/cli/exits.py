"""The exit codes of `sched`."""

__all__ = ["FAILED", "FINISHED", "HUNG_UP", "INTERRUPTED", "TERMINATED", "UNUSABLE", "USAGE"]

FINISHED = 0  # every job
FAILED = 1  # some job did not finish
USAGE = 2  # what was asked for cannot be done
UNUSABLE = 3  # the scheduler cannot be used
HUNG_UP = 129
INTERRUPTED = 130
TERMINATED = 143
