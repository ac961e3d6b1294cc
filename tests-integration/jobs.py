"""What the tests on the real engines share."""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio

from sched_core import Job, JobStatus, Runner, Scheduler
from sched_core.ports import SystemPorts
from sched_core.scheduler import job_token
from sched_hpc.cluster import ClusterScheduler
from sched_hpc.cluster.tool import Answer, Toolbox

from .daemons import processes_with

__all__ = [
    "INSIDE",
    "NOTED",
    "ONCE",
    "STUBBORN",
    "Clock",
    "Watched",
    "begun",
    "explained",
    "left_of",
    "most_at_once",
    "pending",
    "ran",
    "running",
    "until",
    "waiting",
]


async def _nothing() -> None:
    """Let all be as it is."""


class Watched(Toolbox):
    """Has something happen before and after one call of a tool; how often each was run is in `calls`."""

    def __init__(self, scheduler: ClusterScheduler) -> None:
        super().__init__(scheduler.tools, scheduler.tool_patience)
        scheduler.toolbox = self
        self.tool = ""
        """The tool that is waited for; `struck` when it was called."""
        self.struck = anyio.Event()
        self.before: Callable[[], Awaitable[None]] = _nothing
        self.after: Callable[[], Awaitable[None]] = _nothing

    async def run(
        self, argv: Sequence[str], stdin: bytes = b"", extra: Mapping[str, str] | None = None
    ) -> Answer:
        tool = os.path.basename(argv[0]) + (" update" if "update" in argv else "")
        if tool != self.tool or self.struck.is_set():
            return await super().run(argv, stdin, extra)
        self.struck.set()
        await self.before()
        try:
            return await super().run(argv, stdin, extra)
        finally:
            with anyio.CancelScope(shield=True):
                await self.after()


class Clock(SystemPorts):
    """This machine, with a clock that keeps what a driver has read last, and has acted upon."""

    read = 0.0

    def monotonic(self) -> float:
        self.read = super().monotonic()
        return self.read


ONCE = 'echo "$SCHED_ATTEMPT" >>"$SCHED_WORKDIR/ran.$SCHED_JOB_INDEX"'
"""Shell code that counts the starts of a job."""

NOTED = f'{ONCE}; echo "+ $EPOCHREALTIME"; sleep 2; echo "- $EPOCHREALTIME"'
"""Bash that notes when it runs, for `most_at_once`."""

_BEGUN = ': >"$SCHED_JOB_METADIR/begun"'


INSIDE = "[ -e /usr/bin/dpkg ] || echo inside"
"""Shell code that tells whether it runs in the image of tests with containers."""

STUBBORN = f"trap '' TERM; setsid sleep 1000 & {_BEGUN}; while :; do sleep 0.1; done"
"""Bash that TERM does not end, nor what it has started."""


def ran(workdir: str | os.PathLike[str], job: Job) -> list[str]:
    """Return the attempts that have started, in order."""
    path = Path(workdir) / f"ran.{job.index}"
    return path.read_text().split() if path.exists() else []


def left_of(runner: Runner, job: Job) -> list[int]:
    """Return the processes of this machine that belong to the job's present attempt."""
    return processes_with(f"SCHED_JOB_TOKEN={job_token(runner.scheduler.session.run, job)}")


def most_at_once(outputs: Iterable[str], since: float = 0.0) -> int:
    """Return how many jobs ran at once, at most, by their own clocks; of those begun later."""
    moments = []
    for text in outputs:
        times = [(float(when), sign) for sign, when in re.findall(r"([+-]) ([\d.]+)", text)]
        if times and times[0][0] >= since:
            moments += [(when, 1 if sign == "+" else -1) for when, sign in times]
    level = highest = 0
    for _, step in sorted(moments):
        level += step
        highest = max(highest, level)
    return highest


def waiting(gate: str = "gate") -> list[str]:
    """Return a command that waits for a file of that name in the run's folder."""
    loop = f'while [ ! -e "$SCHED_WORKDIR/{gate}" ]; do sleep 0.1; done'
    noted = f'echo "+ $EPOCHREALTIME"; {_BEGUN}; {loop}; echo "- $EPOCHREALTIME"'
    return ["/bin/bash", "-c", f"{ONCE}; echo begun; {noted}"]


@asynccontextmanager
async def running(
    scheduler: ClusterScheduler, patience: float = 250, **options: Any
) -> AsyncIterator[Runner]:
    with anyio.fail_after(patience):
        async with Runner(scheduler, **{"plugins": [], **options}) as runner:
            yield runner


async def until(condition: Callable[[], bool | Awaitable[bool]], patience: float = 120) -> None:
    with anyio.fail_after(patience):
        while True:
            holds = condition()
            if await holds if isinstance(holds, Awaitable) else holds:
                return
            await anyio.sleep(0.05)


async def begun(job: Job) -> None:
    """Wait until the job's command runs and the driver knows it."""
    await until((job.metadir / "begun").exists)
    await until(lambda: job.status is JobStatus.RUNNING)


async def pending(job: Job) -> None:
    await until(lambda: job.status is JobStatus.SUBMITTED)


async def explained(scheduler: Scheduler, job: Job, words: str) -> None:
    """Wait until the engine says so of the job: it may have to look at it first."""

    async def said() -> bool:
        return words in await scheduler.explain(job)

    await until(said)
