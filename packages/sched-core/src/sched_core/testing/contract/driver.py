"""Drivers of their own processes, to be killed."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, Literal

import anyio
from anyio.abc import Process

from ... import Scheduler

__all__ = ["driver_command", "driver_killed_at_end"]


def driver_command(
    scheduler: Scheduler,
    options: dict[str, Any],
    commands: list[list[str]],
    backend: str,
    existing: Literal["error", "resume"] = "error",
    dies_at: str = "",
) -> list[str]:
    """Return the argv of a driver that feeds these commands and waits for them, or is killed at one
    of the `POINTS` of its first submission.

    It imports the scheduler's class by its module and name, on this process's path.
    """
    cls = type(scheduler)
    job = {
        "path": sys.path,
        "module": cls.__module__,
        "name": cls.__qualname__,
        "workdir": str(scheduler.workdir),
        "options": options,
        "commands": commands,
        "backend": backend,
        "existing": existing,
        "dies_at": dies_at,
    }
    return [sys.executable, "-P", "-m", "sched_core.testing.driver", json.dumps(job)]


@asynccontextmanager
async def driver_killed_at_end(argv: Sequence[str]) -> AsyncIterator[Process]:
    """Run a driver for the block, whose end kills it: a test that fails would wait for it for ever."""
    async with await anyio.open_process(argv, stdout=None, stderr=None) as driver:
        try:
            yield driver
        finally:
            with suppress(ProcessLookupError):  # it may have come to its end
                driver.kill()
