"""How the contract makes a scheduler, and what it may ask of it."""

from __future__ import annotations

import inspect
import os
import uuid
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import anyio
import pytest

from sched_core import Job, JobStatus, Runner, Scheduler, hookimpl

from .telling import ToldRun

__all__ = ["HookRecorder", "Rig"]

_STEP = 0.02


Test = TypeVar("Test", bound=Callable[..., object])


def needs(capability: str) -> Callable[[Test], Test]:
    """Leave a test out of the suites of schedulers that say they cannot do what it is about."""

    def mark(test: Test) -> Test:
        test.needs = capability  # type: ignore[attr-defined]  # read when a suite is made
        return test

    return mark


class Rig:
    """What every part of the contract builds on; your test class sets what differs.

    Jobs run `/bin/sh` and the tools that any Unix has. They and the driver meet in the run's folder,
    `SCHED_WORKDIR` to the jobs.
    """

    scheduler_class: ClassVar[type[Scheduler]]
    """The scheduler under test."""

    options: Mapping[str, Any] = {}
    """Options that it always needs, such as a queue or a host."""

    backends: ClassVar[tuple[str, ...]] = ("asyncio", "trio")
    """The event loops that it runs on."""

    patience: ClassVar[float] = 60.0
    """Seconds after which a test gives up."""

    workdir_names: ClassVar[tuple[str, ...]] = (
        *("run", "it's 100% $HOME, %j and %A_%a", 'two\nlines `id` "\\', "long " * 40),
        os.fsdecode(b"\xff\xfe is not UTF-8"),
    )
    """Names that the folder of a run may have; the last one is not UTF-8."""

    kills: ClassVar[bool] = True
    """Whether it can kill a job that runs."""

    kills_tree: ClassVar[bool] = True
    """Whether it also ends processes that have left the job's process group."""

    resumes: ClassVar[bool] = True
    """Whether another driver can take over jobs that run."""

    pytestmark = pytest.mark.anyio

    def __init_subclass__(cls) -> None:
        """Drop the tests of what the scheduler cannot do."""
        for name in dir(cls):
            capability = getattr(getattr(cls, name), "needs", None)
            if isinstance(capability, str) and not cls._can(capability):
                setattr(cls, name, None)

    @classmethod
    def _can(cls, capability: str) -> bool:
        """Ask the suite, or else its scheduler."""
        asked = cls if hasattr(cls, capability) else getattr(cls, "scheduler_class", None)
        return bool(getattr(asked, capability, True))

    @classmethod
    def pytest_generate_tests(cls, metafunc: pytest.Metafunc) -> None:
        """Run each test on each event loop, and in folders of each name where it asks for that."""
        if "anyio_backend" in metafunc.fixturenames:
            metafunc.parametrize("anyio_backend", cls.backends)
        if "workdir_name" in metafunc.fixturenames:
            metafunc.parametrize("workdir_name", cls.workdir_names)

    @pytest.fixture
    def workdir(self, tmp_path: Path) -> str | os.PathLike[str]:
        """Where the run goes; override it for a scheduler that needs another place."""
        return tmp_path / "run"

    def make(
        self,
        workdir: str | os.PathLike[str],
        cls: type[Scheduler] | None = None,
        **options: Any,
    ) -> Scheduler:
        """Return a scheduler for that folder, of `scheduler_class` or a subclass of it."""
        return (cls or self.scheduler_class)(workdir, **{**self.options, **options})

    async def alive(self, marker: str) -> bool:
        """Tell whether a process lives that has `marker` in its command line.

        By default it is looked for on this machine; override it for jobs that run elsewhere.
        """
        return await anyio.to_thread.run_sync(_lives_here, marker)

    # --- helpers ---------------------------------------------------------------------------------

    def run(self, scheduler: Scheduler, **options: Any) -> AbstractAsyncContextManager[Runner]:
        """Open a run with no plugins but those given, and give up when patience ends.

        A test that fails in it tells how its jobs stood then.
        """
        return ToldRun(scheduler, self.patience, {"plugins": [], **options})

    async def until(self, condition: Callable[[], bool | Awaitable[bool]]) -> None:
        """Wait until something has become so, wherever it happens."""
        with anyio.fail_after(self.patience):
            while True:
                holds = condition()
                if await holds if inspect.isawaitable(holds) else holds:
                    return
                await anyio.sleep(_STEP)

    async def until_running(self, *jobs: Job) -> None:
        """Wait until the driver knows that the jobs run, and their commands have begun."""
        for job in jobs:
            await self.until(lambda job=job: job.status is JobStatus.RUNNING)  # type: ignore[misc]
            await self.until(partial(self.has, job, "begun"))

    async def until_gone(self, marker: str) -> None:
        """Wait until no process has the marker in its command line."""

        async def gone() -> bool:
            return not await self.alive(marker)

        await self.until(gone)

    async def has(self, job: Job, name: str) -> bool:
        """Tell whether the job has made that mark, see `BEGUN`."""
        return await (job.workdir / f"mark.{job.index}.{name}").exists()

    async def open_gate(self, scheduler: Scheduler) -> None:
        """Let the jobs of `waiting` end."""
        await (scheduler.workdir / "gate").write_text("")

    def shell(self, script: str, *args: str) -> list[str]:
        """Return the argv of a shell script."""
        return ["/bin/sh", "-c", script, "sh", *args]

    def waiting(self, marker: str = "waiting") -> list[str]:
        """Return the argv of a job that says that it has begun, and ends when the gate opens."""
        return self.shell(
            f'{BEGUN}; while [ ! -e "$SCHED_WORKDIR/gate" ]; do sleep 0.05; done', marker
        )

    def marker(self) -> str:
        """Return a word that no other process has in its command line."""
        return f"marker-{uuid.uuid4().hex}"

    async def output(self, job: Job) -> str:
        """Return what the job wrote to its standard output."""
        return await job.stdout_file.read_text()

    async def counted(self, scheduler: Scheduler, name: str) -> int:
        """Return how often jobs have run `COUNTED` with that name."""
        path = scheduler.workdir / f"count.{name}"
        return len((await path.read_text()).splitlines()) if await path.exists() else 0


BEGUN = ': >"$SCHED_WORKDIR/mark.$SCHED_JOB_INDEX.begun"'
"""Shell code that marks that the command has begun."""

COUNTED = 'echo run >>"$SCHED_WORKDIR/count.$1"'
"""Shell code that counts a start of the command under the name in $1."""


def _lives_here(marker: str) -> bool:
    wanted = marker.encode()
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if wanted in Path(f"/proc/{pid}/cmdline").read_bytes():
                return True
        except OSError:
            continue  # it has just ended
    return False


class HookRecorder:
    """A plugin that notes which hooks were called, about which job and attempt, in order."""

    def __init__(self) -> None:
        """Start with no calls."""
        self.calls: list[tuple[str, int, int]] = []
        self.runs: list[str] = []

    def of(self, job: Job, attempt: int | None = None) -> list[str]:
        """Return the hooks that were called about the job, or about one attempt of it."""
        return [
            hook
            for hook, index, number in self.calls
            if index == job.index and attempt in (None, number)
        ]

    def _note(self, hook: str, job: Job) -> None:
        self.calls.append((hook, job.index, job.attempt))

    @hookimpl
    def on_init(self, runner: Runner) -> None:
        self.runs.append("on_init")

    @hookimpl
    def on_shutdown(self, runner: Runner) -> None:
        self.runs.append("on_shutdown")

    @hookimpl
    def on_job_init(self, job: Job) -> None:
        self._note("on_job_init", job)

    @hookimpl
    def on_job_queued(self, job: Job) -> None:
        self._note("on_job_queued", job)

    @hookimpl
    def on_job_submitting(self, job: Job) -> None:
        self._note("on_job_submitting", job)

    @hookimpl
    def on_job_submitted(self, job: Job) -> None:
        self._note("on_job_submitted", job)

    @hookimpl
    def on_job_started(self, job: Job) -> None:
        self._note("on_job_started", job)

    @hookimpl
    def on_job_verify(self, job: Job) -> None:
        self._note("on_job_verify", job)

    @hookimpl
    def on_job_killing(self, job: Job) -> None:
        self._note("on_job_killing", job)

    @hookimpl
    def on_job_killed(self, job: Job) -> None:
        self._note("on_job_killed", job)

    @hookimpl
    def on_job_failed(self, job: Job) -> None:
        self._note("on_job_failed", job)

    @hookimpl
    def on_job_succeeded(self, job: Job) -> None:
        self._note("on_job_succeeded", job)
