"""The base of every scheduler, and what a backend reports."""

from .base import XQUTE_ENV_ALIASES, Report, Scheduler, SchedulerPostInit, attempt_id
from .observation import EngineState, Observation

__all__ = [
    "XQUTE_ENV_ALIASES",
    "EngineState",
    "Observation",
    "Report",
    "Scheduler",
    "SchedulerPostInit",
    "attempt_id",
]
