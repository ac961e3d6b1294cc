"""What every task of Grid Engine does before its jobs. Pure."""

from __future__ import annotations

import shlex
from functools import cache
from importlib.resources import files

__all__ = ["render_prelude", "task_text"]


def render_prelude(*, wants_usr1: bool, environment: str) -> str:
    """Return the bash; `environment` is the file in the run's folder that jobs inherit, if any."""
    wants = "1" if wants_usr1 else "''"
    return f"_sched_wants_usr1={wants} _sched_environment={shlex.quote(environment)}\n{task_text()}"


@cache
def task_text() -> str:
    """Return the part that is the same for all."""
    return files(__package__).joinpath("task.bash").read_text(encoding="utf-8")
