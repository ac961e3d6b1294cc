"""The script of a submission: each of its tasks starts the wrapper script of one job."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from sched_core import AttemptId

__all__ = ["TaskScript", "render_task_script"]


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
# shellcheck shell=bash
# {script.title}: starts the wrapper script of the job, index:attempt, that the task stands for.
_sched_tasks=({_table(script.tasks)})
_sched_task=${{_sched_tasks[{script.task}]}}
_sched_attempt=${{_sched_task#*:}} _sched_dir={shlex.quote(script.workdir)}/${{_sched_task%:*}}
_sched_script=$_sched_dir/job.wrapped.{script.scheduler}
{script.prelude}"""
    return os.fsencode(text) + _task_text()


def _table(tasks: Iterable[AttemptId]) -> str:
    return " ".join(f"{index}:{attempt}" for index, attempt in tasks)


@cache
def _task_text() -> bytes:
    return files(__package__).joinpath("task.bash").read_bytes()
