"""Jobs as processes of this machine: slots that start them, trees that are ended, a scheduler of both."""

from .scheduler import ProcessScheduler

__all__ = ["ProcessScheduler"]
