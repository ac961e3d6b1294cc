"""Find schedulers by name, and the command `sched`."""

from .registry import get_scheduler, scheduler_names

__all__ = ["get_scheduler", "scheduler_names"]
