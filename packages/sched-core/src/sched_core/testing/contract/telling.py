"""What a test that fails tells of its run: where it waited, and how each job stood before all was ended."""

from __future__ import annotations

import linecache
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from inspect import getfile
from traceback import walk_tb
from types import TracebackType
from typing import Any

import anyio

from sched_core import Job, Runner, Scheduler

__all__ = ["ToldRun"]

_MOST_JOBS = 4
_SECONDS_TO_ASK = 5.0


class ToldRun(AbstractAsyncContextManager[Runner]):
    """A run that has to come to its end in time; what fails in it tells how its jobs stood."""

    def __init__(self, scheduler: Scheduler, patience: float, options: Mapping[str, Any]) -> None:
        """Give up after `patience` seconds; `options` are those of Runner."""
        self._patience = patience
        self._runner = _ToldRunner(scheduler, **options)

    async def __aenter__(self) -> Runner:
        async with AsyncExitStack() as stack:
            self._runner.limit = stack.enter_context(anyio.fail_after(self._patience))
            await stack.enter_async_context(self._runner)
            self._stack = stack.pop_all()
        return self._runner

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        raised: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        __tracebackhide__ = True
        try:
            handled = await self._stack.__aexit__(kind, raised, traceback)
        except TimeoutError:
            told = f"it took more than {self._patience:g} s (patience)\n{self._runner.story}"
            raise AssertionError(told) from None
        if isinstance(raised, AssertionError):
            raised.add_note(self._runner.story)
        return handled


class _ToldRunner(Runner):
    """Looks at its jobs before a failure ends them; `story` is what it has seen."""

    limit: anyio.CancelScope
    story = ""

    async def _close(self, raised: BaseException | None) -> None:
        late = anyio.current_time() >= self.limit.deadline
        if raised is not None and (late or isinstance(raised, AssertionError)):
            with anyio.CancelScope(shield=True):
                self.story = "\n".join([_where(raised.__traceback__), *await self._tell_jobs()])
        await super()._close(raised)

    async def _tell_jobs(self) -> list[str]:
        # What has not ended comes first: it is what a test waits for in vain.
        jobs = sorted(self.jobs, key=lambda job: job.status.final)
        told = [await self._tell(job) for job in jobs[:_MOST_JOBS]]
        left = len(jobs) - len(told)
        return [*told, f"and {left} more jobs"] if left else told or ["the run has no jobs"]

    async def _tell(self, job: Job) -> str:
        lines = [f"job {job.index}: {job.status.name}, attempt {job.attempt}, jid {job.jid!r}"]
        if job.status.final:
            lines.append(
                f"ended with {job.rc}, {job.failure}: {job.reason or 'no reason is known'}"
            )
        if job.status.active:
            lines.append(f"the engine: {await self._explain(job)}")
        if job.status.final or job.status.active:
            lines += await self._tell_files(job)
        return "\n  ".join(lines)

    async def _explain(self, job: Job) -> str:
        try:
            with anyio.fail_after(_SECONDS_TO_ASK):
                return await self.scheduler.explain(job) or "nothing is known"
        except Exception as error:  # noqa: BLE001  # whatever it is, the test has failed before
            return f"cannot be asked: {error!r}"

    async def _tell_files(self, job: Job) -> list[str]:
        ports, folder = self.scheduler.session.ports, str(job.metadir)
        try:
            names = sorted(await ports.offload(ports.files.names, folder))
        except OSError as error:
            return [f"its folder cannot be listed: {error}"]
        claimed = any(name.startswith(f"job.claim.{job.attempt}") for name in names)
        unclaimed = [] if claimed else ["its script has not begun: there is no claim"]
        return [*unclaimed, f"its folder {folder} has {' '.join(names)}"]


def _where(traceback: TracebackType | None) -> str:
    """Return the line of the test at which the block was left; its end is the runner's own."""
    for frame, number in walk_tb(traceback):
        path = frame.f_code.co_filename
        if path == getfile(Runner):
            break
        if path != __file__:
            return f"at {path}:{number}: {linecache.getline(path, number).strip()}"
    return "when the block had ended, and its jobs were waited for"
