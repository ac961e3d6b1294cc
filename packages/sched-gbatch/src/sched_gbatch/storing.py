"""Where the scripts of submissions lie in the run's folder, and how they get there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sched_core import Submission
from sched_core.lifecycle.files import Preparation, archive_attempt, archive_attempts
from sched_core.ports import Files, StoreUnavailable
from sched_core.runfolder import Layout

from .bundles import bundle_paths, bundles
from .taskscript import TaskScript, render_task_script

__all__ = ["Scripts"]

_RECORDS = ("job.stdout", "job.stderr", "job.status", "job.rc", "job.jid")
_MANY = 8
"""Attempts whose files are archived together, as when many machines are taken away at once."""


@dataclass(frozen=True, slots=True)
class Scripts:
    """The scripts of a run's submissions; `mounted` is its folder as tasks see it. The calls block."""

    files: Files
    layout: Layout
    mounted: str

    def store(
        self,
        scheduler: str,
        run: str,
        grace: float,
        submission: Submission,
        preparations: Sequence[Preparation],
    ) -> list[OSError | None]:
        """Store the scripts of a submission's jobs; for each, say what went wrong, if anything did.

        Raises OSError where not one can be stored.
        """
        problems = self._archive_all(scheduler, preparations)
        prepared = zip(preparations, problems, strict=True)
        scripts = {one.task: one.script for one, problem in prepared if problem is None}
        whole = bundles(
            submission.sid, submission.tasks, [scripts.get(t) for t in submission.tasks]
        )
        pairs = [*zip(self._bundles(submission), whole, strict=True)]
        text = self.task_script(scheduler, run, grace, submission)
        pairs.append((self._task_script(submission.sid), text))
        for made in self.files.create_many(pairs):
            if isinstance(made, OSError):
                raise made
        return problems

    def task_script(self, scheduler: str, run: str, grace: float, submission: Submission) -> bytes:
        """Return the script that all tasks of a submission start."""
        text = TaskScript(submission.name, self.mounted, submission.sid, run, scheduler, grace)
        return render_task_script(text)

    def paths(self, submission: Submission) -> list[str]:
        """Return where all that was stored for a submission lies."""
        return [*self._bundles(submission), self._task_script(submission.sid)]

    def mounted_path(self, sid: str) -> str:
        """Return where tasks find the script that they start."""
        return f"{self.mounted}/.sched/tasks/{sid}.bash"

    def _task_script(self, sid: str) -> str:
        return f"{self.layout.home}/tasks/{sid}.bash"

    def _bundles(self, submission: Submission) -> list[str]:
        folder = f"{self.layout.home}/bundles"
        return bundle_paths(folder, submission.sid, len(submission.tasks))

    def _archive_all(
        self, scheduler: str, preparations: Sequence[Preparation]
    ) -> list[OSError | None]:
        places = [(one.metadir, one.attempt - 1) for one in preparations if one.attempt > 1]
        if len(places) >= _MANY and self._archive_together(scheduler, places):
            return [None] * len(preparations)
        return [self._archive(one) for one in preparations]

    def _archive_together(self, scheduler: str, places: Sequence[tuple[str, int]]) -> bool:
        """Tell whether it could be done; which of them it could not is seen one by one."""
        try:
            archive_attempts(self.files, places, [*_RECORDS, f"job.wrapped.{scheduler}"])
        except StoreUnavailable:
            raise
        except OSError:
            return False
        return True

    def _archive(self, preparation: Preparation) -> OSError | None:
        try:
            archive_attempt(self.files, preparation.metadir, preparation.attempt - 1)
        except StoreUnavailable:
            raise  # nor can the others be archived
        except OSError as error:
            return error
        return None
