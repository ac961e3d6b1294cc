"""Run many commands, and tell the truth about each of them.

The names are loaded on first use: importing the package costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .errors import (
        BackendError,
        BucketNotFound,
        CommandError,
        EngineUnavailable,
        HookError,
        IllegalTransition,
        NoSuchSchedulerError,
        OptionError,
        RunClosed,
        RunCorrupt,
        RunError,
        RunExists,
        RunHalted,
        RunInterrupted,
        RunLocked,
        RunNotFound,
        RunUnfinished,
        SchedError,
        SubmitOutcomeUnknown,
        SubmitRejected,
        WrongSchedulerTypeError,
    )
    from .hooks import hookimpl, hookspec
    from .model.failure import Failure
    from .model.job import Job
    from .model.resources import Resources
    from .model.secret import Secret
    from .model.status import JobStatus
    from .paths import DEFAULT_MOUNTED_ROOT, MountedPath, SpecPath
    from .runfolder import AttemptId, RunView, Submission, read_run
    from .runner import Runner, clean_run, handle_signals, run, scheduler_of
    from .scheduler import (
        XQUTE_ENV_ALIASES,
        EngineState,
        Observation,
        Preview,
        PreviewPart,
        Remains,
        Report,
        Scheduler,
        SchedulerPostInit,
        Usage,
        attempt_id,
    )

_HOMES = {
    "errors": """BackendError BucketNotFound CommandError EngineUnavailable HookError IllegalTransition
        NoSuchSchedulerError OptionError RunClosed RunCorrupt RunError RunExists RunHalted
        RunInterrupted RunLocked RunNotFound RunUnfinished SchedError SubmitOutcomeUnknown
        SubmitRejected WrongSchedulerTypeError""",
    "hooks": "hookimpl hookspec",
    "model.failure": "Failure",
    "model.job": "Job",
    "model.resources": "Resources",
    "model.secret": "Secret",
    "model.status": "JobStatus",
    "paths": "DEFAULT_MOUNTED_ROOT MountedPath SpecPath",
    "runfolder": "AttemptId RunView Submission read_run",
    "runner": "Runner clean_run handle_signals run scheduler_of",
    "scheduler": """XQUTE_ENV_ALIASES EngineState Observation Preview PreviewPart Remains
        Report Scheduler SchedulerPostInit Usage attempt_id""",
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names.split()}

__all__ = [
    "DEFAULT_MOUNTED_ROOT",
    "XQUTE_ENV_ALIASES",
    "AttemptId",
    "BackendError",
    "BucketNotFound",
    "CommandError",
    "EngineState",
    "EngineUnavailable",
    "Failure",
    "HookError",
    "IllegalTransition",
    "Job",
    "JobStatus",
    "MountedPath",
    "NoSuchSchedulerError",
    "Observation",
    "OptionError",
    "Preview",
    "PreviewPart",
    "Remains",
    "Report",
    "Resources",
    "RunClosed",
    "RunCorrupt",
    "RunError",
    "RunExists",
    "RunHalted",
    "RunInterrupted",
    "RunLocked",
    "RunNotFound",
    "RunUnfinished",
    "RunView",
    "Runner",
    "SchedError",
    "Scheduler",
    "SchedulerPostInit",
    "Secret",
    "SpecPath",
    "Submission",
    "SubmitOutcomeUnknown",
    "SubmitRejected",
    "Usage",
    "WrongSchedulerTypeError",
    "attempt_id",
    "clean_run",
    "handle_signals",
    "hookimpl",
    "hookspec",
    "read_run",
    "run",
    "scheduler_of",
]


def __getattr__(name: str) -> Any:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module 'sched_core' has no attribute {name!r}")
    found = getattr(import_module(f".{home}", __name__), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted(__all__)
