"""The base of every scheduler, and what a backend reports.

Each module knows only those before it: configuration, capabilities, jobtext (pure), backend (the
surface to an engine), base (the lifecycle, by the names of the reference).
"""

from ..text.usage import Usage
from .backend import Backend, Report
from .base import Scheduler
from .configuration import XQUTE_ENV_ALIASES, SchedulerPostInit
from .jobtext import attempt_id, job_token
from .observation import EngineState, Observation, Remains
from .previewing import Preview, PreviewPart

__all__ = [
    "XQUTE_ENV_ALIASES",
    "Backend",
    "EngineState",
    "Observation",
    "Preview",
    "PreviewPart",
    "Remains",
    "Report",
    "Scheduler",
    "SchedulerPostInit",
    "Usage",
    "attempt_id",
    "job_token",
]
