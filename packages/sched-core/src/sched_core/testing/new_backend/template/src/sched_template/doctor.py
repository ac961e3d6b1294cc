"""What `sched doctor template` looks at."""

from __future__ import annotations

import shutil
from collections.abc import Sequence

from sched_core import SchedError

from .commands import list_command
from .tool import run_tool

__all__ = ["Finding", "check_engine"]

Finding = tuple[str, bool | None, str]


async def check_engine(queue: str, patience: float) -> Sequence[Finding]:
    """Return name, verdict (None: a warning) and detail of each check."""
    return [_tool("bash"), _tool("setsid"), await _engine(queue, patience)]


def _tool(name: str) -> Finding:
    path = shutil.which(name)
    return name, path is not None, path or "not in PATH: install it"


async def _engine(queue: str, patience: float) -> Finding:
    try:
        await run_tool(list_command(queue, ()), patience)
    except (SchedError, TimeoutError) as error:
        return "engine", False, f"{queue}: {error or 'it does not answer'}"
    return "engine", True, f"{queue} answers"
