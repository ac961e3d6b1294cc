from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio

from sched_core import Job, Runner
from sched_ssh import SshScheduler

__all__ = ["PATIENCE", "outcome", "run_of", "shell", "text", "until", "until_tried"]

PATIENCE = 90.0
"""Seconds: what hangs is ended by it, and told of well before the limit of a test: that takes its time, too."""


@asynccontextmanager
async def run_of(
    workdir: Path, *servers: str, patience: float = PATIENCE, **options: Any
) -> AsyncIterator[Runner]:
    """Open a run on these hosts, all of which were connected to; give up when patience ends."""
    kept = {name: options.pop(name) for name in ("existing", "plugins") if name in options}
    cls: type[SshScheduler] = options.pop("scheduler_class", SshScheduler)
    given = {"servers": list(servers), "keepalive": 0.5, **options}
    with anyio.fail_after(patience):
        async with Runner(cls(workdir, **given), **{"plugins": [], **kept}) as runner:
            await until_tried(runner)
            yield runner


async def until_tried(runner: Runner) -> None:
    """Wait until each host could be used, or not: a run begins a second after the first one."""
    assert isinstance(runner.scheduler, SshScheduler)
    for host in runner.scheduler.hosts():
        await host.tried.wait()


def shell(script: str, *args: str) -> list[str]:
    return ["/bin/sh", "-c", script, "sh", *args]


def outcome(job: Job) -> tuple[str, int | None, str | None]:
    return job.status.name, job.rc, job.failure and job.failure.value


def text(path: os.PathLike[str]) -> str:
    return Path(path).read_text()


async def until(
    condition: Callable[[], bool | Awaitable[bool]], patience: float = PATIENCE
) -> None:
    with anyio.fail_after(patience):
        while True:
            holds = condition()
            if await holds if not isinstance(holds, bool) else holds:
                return
            await anyio.sleep(0.02)
