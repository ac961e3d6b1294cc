"""The script of a submission: the same for each of its tasks, which find their job by their number."""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from sched_core.text.recorder import recorder_name
from sched_core.text.starter import starter_text

from .bundles import TASKS_OF_A_BUNDLE

__all__ = ["TaskScript", "render_task_script"]

_PATIENCE = 120
"""Seconds that a file of the bucket may be late, or refuse to be written."""


@dataclass(frozen=True, slots=True)
class TaskScript:
    """What the script says. `mounted` is the run's folder as tasks see it; `grace`, in seconds, is
    given to a job that is killed.
    """

    title: str
    mounted: str
    sid: str
    run: str
    scheduler: str
    grace: float


def render_task_script(script: TaskScript) -> bytes:
    """Return the script."""
    text = f"""#!/bin/bash -p
# shellcheck shell=bash disable=SC2034,SC2046,SC2329  # what is assigned here is read below; no path of processes has a space; functions are called by name
# {script.title}: runs the wrapper script of the job that the task stands for.
[[ $- == *p* ]] || exec "$BASH" -p "$0" "$@"
_sched_mounted={shlex.quote(script.mounted)} _sched_sid={shlex.quote(script.sid)} _sched_run={shlex.quote(script.run)}
_sched_wrapper=job.wrapped.{script.scheduler} _sched_recorder_name={recorder_name()}
_sched_bundle_size={TASKS_OF_A_BUNDLE} _sched_grace={round(script.grace * 10)} _sched_patience={_PATIENCE}
"""
    return os.fsencode(text) + starter_text() + _task_text()


@cache
def _task_text() -> bytes:
    return files(__package__).joinpath("task.bash").read_bytes()
