"""What a shell completes: the words that may stand at a place of `sched`'s command line."""

__all__ = ["VARIABLE"]

VARIABLE = "_SCHED_COMPLETE"
"""The variable by which the scripts ask `sched` for words."""
