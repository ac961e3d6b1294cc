"""Shortcuts for runs on this machine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio

from sched_core import Job, JobStatus, Runner
from sched_local import LocalScheduler

PATIENCE = 60.0
LIMITS = (0.3, 1.5, 7.5)
"""Time limits that a command is tried with: the first ones may be too short for a busy machine."""


def shell(script: str, *arguments: object) -> list[str]:
    return ["bash", "-c", script, "bash", *map(str, arguments)]


def runner(workdir: Path | str, existing: Any = "error", **options: Any) -> Runner:
    return Runner(LocalScheduler(workdir, **options), plugins=[], existing=existing)


async def until(condition: Callable[[], object], seconds: float = PATIENCE) -> None:
    """Wait until it has become so."""
    with anyio.fail_after(seconds):
        while not condition():  # noqa: ASYNC110  # what is waited for happens in other processes
            await anyio.sleep(0.01)


async def until_running(job: Job) -> None:
    await until(lambda: job.status >= JobStatus.RUNNING)


async def past_limit(running: Runner, cmd: list[str]) -> Job:
    """Run a command that its time limit finds at work, which it tells by printing "begun"."""
    for limit in LIMITS:
        job = await running.wait(await running.feed(cmd, timeout=limit))
        if (await job.stdout_file.read_text()).startswith("begun\n"):
            return job
    raise AssertionError("the command has never begun within its limit")


def outcome(job: Job) -> tuple[str, int | None, str | None]:
    return job.status.name, job.rc, job.failure and job.failure.value
