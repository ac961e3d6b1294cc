"""The script of a submission: each of its tasks starts the wrapper script of one job."""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from sched_core import AttemptId
from sched_core.text.starter import starter_text

from .chunks import Tasks

__all__ = ["TaskScript", "render_task_script"]


@dataclass(frozen=True, slots=True)
class TaskScript:
    """What the script says. `task` is a bash expression that counts the tasks from 0; `prelude` is
    bash of the engine's own. `grace`, in seconds, is given to a job that is killed alone.
    """

    title: str
    shell: str
    workdir: str
    scheduler: str
    run: str
    grace: float
    tasks: Tasks
    task: str
    prelude: str = ""


def render_task_script(script: TaskScript) -> bytes:
    """Return the script, which names all its jobs, so that it needs no file of the driver's."""
    text = f"""#!{script.shell} -p
# shellcheck shell=bash
# {script.title}: starts the wrapper scripts of the jobs, index:attempt, that the task stands for.
_sched_tasks=({_table(script.tasks)})
_sched_task=${{_sched_tasks[{script.task}]}}
_sched_workdir={shlex.quote(script.workdir)} _sched_wrapper=job.wrapped.{script.scheduler}
_sched_run={shlex.quote(script.run)} _sched_grace={round(script.grace * 10)}
{script.prelude}"""
    return os.fsencode(text) + _task_text()


def _table(tasks: Tasks) -> str:
    return " ".join(",".join(map(_entry, task)) for task in tasks)


def _entry(attempt: AttemptId | None) -> str:
    return "-" if attempt is None else f"{attempt.job_index}:{attempt.attempt}"


@cache
def _task_text() -> bytes:
    return starter_text() + files(__package__).joinpath("task.bash").read_bytes()
