"""What can go wrong, by who has to act.

SchedError
  NoSuchSchedulerError (LookupError)      no scheduler of that name is installed
  WrongSchedulerTypeError (TypeError)     what was found is no scheduler
  OptionError (ValueError)                an option, a resource or a unit is wrong
  CommandError (ValueError)               a job's command, name or environment cannot be run
  IllegalTransition (RuntimeError)        a job cannot move between these two states
  RunError
    RunExists (FileExistsError)           the folder holds a run already
    RunNotFound (FileNotFoundError)       the folder holds no run
    RunCorrupt (ValueError)               the run's records cannot be read
    RunLocked                             another process drives the run
    RunUnfinished                         jobs may still run, or something of theirs would be lost
    RunHalted                             a job failed and the run was to stop at that
    RunInterrupted                        a signal ended the run
    RunClosed (RuntimeError)              the runner takes no more jobs
  BucketNotFound (OSError)                the bucket of a run is not there
  BackendError                            carries command, returncode and stderr
    SubmitRejected                        the job is wrong: trying again changes nothing
    EngineUnavailable                     the engine cannot be asked now: ask again
    SubmitOutcomeUnknown                  the engine may or may not have taken the job
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .model.job import Job

__all__ = [
    "BackendError",
    "BucketNotFound",
    "CommandError",
    "EngineUnavailable",
    "HookError",
    "IllegalTransition",
    "NoSuchSchedulerError",
    "OptionError",
    "RunClosed",
    "RunCorrupt",
    "RunError",
    "RunExists",
    "RunHalted",
    "RunInterrupted",
    "RunLocked",
    "RunNotFound",
    "RunUnfinished",
    "SchedError",
    "SubmitOutcomeUnknown",
    "SubmitRejected",
    "WrongSchedulerTypeError",
]


class SchedError(Exception):
    """Root of every error that sched raises on purpose."""


class NoSuchSchedulerError(SchedError, LookupError):
    """No installed package offers a scheduler of that name."""

    def __str__(self) -> str:
        # LookupError's children would otherwise show the message in quotes.
        return str(self.args[0]) if self.args else ""


class WrongSchedulerTypeError(SchedError, TypeError):
    """What was given or found is not a scheduler class."""


class OptionError(SchedError, ValueError):
    """An option, a resource or a unit cannot be used; the message names what can."""


class CommandError(SchedError, ValueError):
    """A job's command, name or environment cannot be run as it stands."""


class IllegalTransition(SchedError, RuntimeError):
    """A job was asked to move to a state that its present state does not lead to."""


class HookError(SchedError, RuntimeError):
    """A plugin's hook raised and `hook_errors="raise"` was asked for; the cause is chained."""


class BucketNotFound(SchedError, OSError):
    """There is no bucket of that name: no FileNotFoundError, since a run in it may well exist."""


class RunError(SchedError):
    """Something is wrong with a run's folder or with who drives it."""


class RunExists(RunError, FileExistsError):
    """The work directory holds jobs of a run already and `existing="error"`."""


class RunNotFound(RunError, FileNotFoundError):
    """The folder holds no run."""


class RunCorrupt(RunError, ValueError):
    """A record of the run cannot be read; the message names the file."""


class RunLocked(RunError):
    """Another process drives the run; the message says which."""


class RunClosed(RunError, RuntimeError):
    """The runner takes no more jobs: feeding was stopped, or the run has ended."""


class RunUnfinished(RunError):
    """What a run left cannot be removed: jobs may still run, or results be nowhere else."""


class RunHalted(RunError):
    """A job failed under `error_strategy="halt"`: nothing more was started.

    `job` is the job that failed.
    """

    def __init__(self, job: Job, message: str | None = None) -> None:
        super().__init__(message or f"job {job.index} failed and the run was to halt at that")
        self.job = job


class BackendError(SchedError):
    """An engine or one of its tools failed.

    `command`, `returncode` and `stderr` are those of the tool, where one was run.
    """

    def __init__(
        self,
        message: str,
        *,
        command: Sequence[str] | None = None,
        returncode: int | None = None,
        stderr: str = "",
    ) -> None:
        super().__init__(message)
        self.command = command
        self.returncode = returncode
        self.stderr = stderr


class SubmitRejected(BackendError):
    """The engine refuses the job itself: class REJECTED, never retried."""


class EngineUnavailable(BackendError):
    """The engine cannot be asked now. Nothing is known, so nothing may change.

    `retry_after` is the engine's own wish in seconds, if it has one.
    """

    def __init__(
        self,
        message: str,
        *,
        retry_after: float | None = None,
        command: Sequence[str] | None = None,
        returncode: int | None = None,
        stderr: str = "",
    ) -> None:
        super().__init__(message, command=command, returncode=returncode, stderr=stderr)
        self.retry_after = retry_after


class SubmitOutcomeUnknown(BackendError):
    """The submission's answer was lost: the engine may run the jobs all the same."""


class RunInterrupted(RunError):
    """A signal ended the run. `signum` is the signal, `left` the jobs that may still run."""

    def __init__(self, signum: int, left: Sequence[Job] = ()) -> None:
        super().__init__(f"the run was interrupted by signal {signum}")
        self.signum = signum
        self.left = tuple(left)
