"""The script of a submission: each of its tasks starts the wrapper script of one job."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable
from dataclasses import dataclass

from sched_core import AttemptId

__all__ = ["NO_SCRIPT", "TaskScript", "render_task_script"]

NO_SCRIPT = 122
"""Exit status of a task that has not found the script of its job, as of a wrapper that fails."""
_PATIENCE = 60
"""Seconds for which a file of the driver may be late on a shared disk."""


@dataclass(frozen=True, slots=True)
class TaskScript:
    """What the script says. `task` is a bash expression that counts the tasks from 0; `prelude` is
    bash of the engine's own.
    """

    title: str
    shell: str
    workdir: str
    scheduler: str
    tasks: tuple[AttemptId, ...]
    task: str
    prelude: str = ""


def render_task_script(script: TaskScript) -> bytes:
    """Return the script, which names all its jobs, so that it needs no file of the driver's."""
    text = f"""#!{script.shell} -p
# {script.title}: starts the wrapper script of the job, index:attempt, that the task stands for.
_sched_tasks=({_table(script.tasks)})
_sched_task=${{_sched_tasks[{script.task}]}}
_sched_script={shlex.quote(script.workdir)}/${{_sched_task%:*}}/job.wrapped.{script.scheduler}
{script.prelude}for ((_sched_try = 0; _sched_try < {_PATIENCE}; _sched_try++)); do
  [[ ! -r $_sched_script ]] || exec {script.shell} -p "$_sched_script" "${{_sched_task#*:}}"
  command -p ls -- "${{_sched_script%/*}}" >/dev/null 2>&1
  command -p sleep 1
done
exit {NO_SCRIPT}
"""
    return os.fsencode(text)


def _table(tasks: Iterable[AttemptId]) -> str:
    return " ".join(f"{index}:{attempt}" for index, attempt in tasks)
