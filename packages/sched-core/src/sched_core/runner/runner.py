"""The runner: feeds jobs to a scheduler and hands them out as they end."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import anyio

from ..errors import CommandError, HookError, RunClosed, RunInterrupted, SchedError
from ..hooks import HookErrors, Hooks
from ..lifecycle.session import Session
from ..lifecycle.usage import learn_usage
from ..model.command import check_paths
from ..model.container import Container
from ..model.job import Job
from ..model.resources import Resources, parse_time
from ..model.secret import Secret
from ..model.status import JobStatus
from ..ports import Ports
from ..scheduler.wishes import check_every_attempt
from .feeding import Feeding
from .loop import Loop
from .opening import Existing, open_session
from .recovery import recover
from .stopping import raise_what_stopped

if TYPE_CHECKING:
    from ..scheduler import Scheduler

__all__ = ["Runner"]


class Runner:
    """Drives one run: `async with Runner(scheduler) as runner`.

    Inside the block jobs are fed and waited for; leaving it stops the feeding and waits for all. An
    exception in the block, or its cancellation, kills what runs (TERM, grace, KILL), records it, and
    propagates. A run under `error_strategy="halt"` raises RunHalted.

    - `plugins`: None for those that are installed, a list for exactly these.
    - `existing`: what a work directory that holds jobs of a run means: "error", "resume" (what is
      fed is matched with what the run has), or "reuse" (a new list of jobs over the same folder).
    - `hook_errors`: whether an exception in a plugin is a "report" in the log, or stops the run
      and is to "raise" HookError.
    - `submits`: whether jobs that wait are run; without, those of an earlier driver can be killed, and
      the run is left by `cancel`.
    - `secrets`: values of variables for jobs that the run has already, where no file holds them any
      more, or they are others now.

    Entering raises RunExists, RunLocked, RunCorrupt, or OSError for a folder that cannot be used.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        *,
        plugins: Iterable[object] | None = None,
        existing: Existing = "error",
        hook_errors: HookErrors = "report",
        ports: Ports | None = None,
        submits: bool = True,
        secrets: Mapping[str, Secret] | None = None,
    ) -> None:
        self.scheduler = scheduler
        self.context: Any = None
        """The host's own."""
        self._plugins = plugins
        self._existing = existing
        self._hook_errors: HookErrors = hook_errors
        self._ports = ports
        self._submits = submits
        self._secrets = secrets or {}
        self._session: Session | None = None
        self._cancelled = False
        self._signum: int | None = None
        self._kills = True

    @classmethod
    def resume(
        cls,
        workdir: str | os.PathLike[str],
        scheduler: Scheduler | None = None,
        **options: Any,
    ) -> Runner:
        """Return a runner that goes on with the run in that folder.

        Without a scheduler, one like the run's own is made. `options` are those of Runner. Raises
        RunNotFound, RunCorrupt; OptionError where the run's scheduler cannot be made again.
        """
        from .reopening import scheduler_of

        return cls(scheduler or scheduler_of(workdir), existing="resume", **options)

    # --- opening and closing ---------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        scheduler = self.scheduler
        ports = self._ports or scheduler.make_ports()
        hooks = Hooks(self._plugins, self._hook_errors)
        await scheduler.aclose()
        session, records = await open_session(scheduler, self._existing, ports, hooks)
        async with AsyncExitStack() as stack:
            stack.push_async_callback(_release, session)
            self._session = scheduler._session = session
            self._feeding = Feeding(session)
            session.submits = self._submits
            session.secrets.given = self._secrets
            await stack.enter_async_context(scheduler.open())
            await self._take_over(records)
            self._stack = stack.pop_all()
        self._loop = Loop(session)
        if not self._submits:
            self._loop.pump.hold()
        await self._loop.__aenter__()
        self._body = anyio.CancelScope()
        self._body.__enter__()
        if hooks.has("on_init"):
            try:
                await self._fire("on_init")
            except BaseException as error:
                await self._close(error)
                raise
        return self

    async def _take_over(self, records: Mapping[int, Any]) -> None:
        session = self._open_session
        current = {i: r for i, r in records.items() if r.generation == session.generation}
        session.secrets.were_there = any(record.secrets for record in records.values())
        earlier = {i: r for i, r in records.items() if i not in current}
        self._feeding.recall(await recover(session, current), earlier)

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        raised = exc
        if raised is None:
            try:
                await self._complete()
            except RunClosed as error:
                # Whoever cancelled the run knows that it was.
                raised = None if self._cancelled else error
            except BaseException as error:  # noqa: BLE001  # raised again once all is closed
                raised = error
        await self._close(raised)
        if self._signum is not None and self._body.cancel_called:
            raise RunInterrupted(self._signum, self._loop.stopping.left) from None
        if exc is None and raised is not None:
            raise raised
        return None

    async def _complete(self) -> None:
        session = self._open_session
        while True:
            await self.stop_feeding()
            await learn_usage(session)
            # Somebody may have asked for another attempt while the engine was asked.
            if not session.unfinished:
                return

    async def _close(self, raised: BaseException | None) -> None:
        """End everything that the runner began, whatever cancels the block meanwhile."""
        traceback = getattr(raised, "__traceback__", None)
        async with AsyncExitStack() as closing:
            closing.push_async_callback(self._let_go)
            closing.push_async_callback(self._loop.__aexit__, None, None, None)
            kind = None if raised is None else type(raised)
            closing.callback(self._body.__exit__, kind, raised, traceback)
            with anyio.CancelScope(shield=True):
                try:
                    if raised is not None:
                        stopping = self._loop.stopping
                        await (stopping.stop() if self._kills else stopping.part())
                finally:
                    self._open_session.listening = False
                    await self._loop.tasks.finish()
                if self._open_session.hooks.has("on_shutdown"):
                    await self._fire("on_shutdown")

    async def _let_go(self) -> None:
        with anyio.CancelScope(shield=True):
            await self._stack.aclose()

    async def _fire(self, hook: str) -> None:
        session = self._open_session
        try:
            await session.hooks.fire(hook, runner=self)
        except HookError as error:
            session.fail(error)

    @property
    def _open_session(self) -> Session:
        if self._session is None:
            raise RunClosed("the run is not open: use the runner in 'async with Runner(...)'")
        return self._session

    # --- feeding -----------------------------------------------------------------------------------

    async def feed(
        self,
        cmd: Job | str | Sequence[object],
        envs: Mapping[str, object] | None = None,
        *,
        name: str | None = None,
        resources: Resources | Mapping[str, Any] | None = None,
        timeout: float | str | None = None,
        inputs: Iterable[str | os.PathLike[str]] = (),
        outputs: Iterable[str | os.PathLike[str]] = (),
        container: Container | Mapping[str, Any] | str | None = None,
    ) -> Job:
        """Add a job to the run and return it.

        `cmd` is an argv, a string that is split as a shell would (no shell runs), or a Job, which
        keeps its index. On a resumed run a command that the run has already, with the same
        environment, is that job, run or not, and no new one.

        Raises CommandError, OptionError; RunClosed, or what stopped the run, when it takes no more.
        """
        raise_what_stopped(self._open_session)
        feeding = self._feeding
        feeding.check_open()
        if isinstance(cmd, Job):
            check_every_attempt(self.scheduler, cmd)
            return await feeding.add(cmd)
        job = self.scheduler.new_job(feeding.next_index, cmd, envs)
        if not job.cmd:
            raise CommandError("the command is empty; give at least a program to run")
        job.name = name
        job.resources = None if resources is None else Resources.from_value(resources)
        job.timeout = None if timeout is None else parse_time(timeout, "timeout")
        job.inputs, job.outputs = check_paths("inputs", inputs), check_paths("outputs", outputs)
        job.container = Container.from_value(container, self.scheduler.container)
        check_every_attempt(self.scheduler, job)
        return feeding.find(job) or await feeding.add(job)

    async def feed_all(
        self, commands: Iterable[Job | str | Sequence[object] | Mapping[str, Any]]
    ) -> list[Job]:
        """Add a finite list of jobs: all are recorded before the first of them starts.

        Each is what `feed` takes, or a mapping of its arguments: {"cmd": ..., "name": ...}.
        """
        session = self._open_session
        self._loop.pump.hold()
        try:
            jobs = [await self._feed_one(command) for command in commands]
            await session.journal.flush()
        finally:
            self._loop.pump.release()
        return jobs

    async def _feed_one(self, command: Job | str | Sequence[object] | Mapping[str, Any]) -> Job:
        if isinstance(command, Mapping):
            return await self.feed(**command)
        return await self.feed(command)

    # --- waiting -------------------------------------------------------------------------------------

    @property
    def jobs(self) -> list[Job]:
        """Every job of the run, by index."""
        jobs = self._open_session.jobs
        return [jobs[index] for index in sorted(jobs)]

    async def run_until_complete(self, keep_feeding: bool = False) -> None:
        """Stop feeding and wait until all jobs have ended; with `keep_feeding`, return at once."""
        if not keep_feeding:
            await self.stop_feeding()

    async def stop_feeding(self) -> None:
        """Take no more jobs, and wait until those there are have ended. Raises RunHalted."""
        session = self._open_session
        session.feeding = False
        session.wake()
        while session.unfinished:
            raise_what_stopped(session)
            await session.over()
        raise_what_stopped(session)

    async def wait(self, job: Job) -> Job:
        """Wait until the job has ended for good. Raises what stopped the run before that."""
        session = self._open_session
        while not session.is_done(job):
            raise_what_stopped(session)
            await session.change()
        return job

    async def as_completed(self) -> AsyncIterator[Job]:
        """Hand out jobs in the order in which they end, until all that were fed so far have."""
        session = self._open_session
        position = 0
        while True:
            while position < len(session.finals):
                yield session.finals[position]
                position += 1
            raise_what_stopped(session)
            if not session.unfinished:
                return
            await session.change()

    # --- stopping ------------------------------------------------------------------------------------

    async def kill(self, job: Job) -> None:
        """Kill one job, waiting or running, its whole process tree, and wait until it has ended.

        Returns at once where a plugin's `on_job_killing` keeps it alive.
        """
        session = self._open_session
        await session.killer.kill([job])
        if job.index in session.unwanted and not job.status.final:
            await self.wait(job)

    async def retry(self, job: Job, resources: Resources | Mapping[str, Any] | None = None) -> None:
        """Try a job that failed or was killed once more, on nobody's account.

        `resources` take the place of what it has asked for. Nothing happens to one that finished, or
        has not ended yet. Raises RunClosed; OptionError for what the scheduler cannot promise.
        """
        session = self._open_session
        raise_what_stopped(session)
        wanted = None if resources is None else Resources.from_value(resources)
        if session.is_done(job) and job.status is not JobStatus.FINISHED:
            await session.retries.reopen(job, wanted)

    async def cancel(self) -> None:
        """Submit nothing more and kill what runs; a resumed run goes on with all of it."""
        self._cancelled = True
        await self._loop.stopping.stop()

    def drain(self, error: SchedError) -> None:
        """Submit nothing more, and let what runs end by itself; a resumed run goes on with the rest.

        `error` is raised to whoever waits, as soon as nothing runs any more.
        """
        session = self._open_session
        session.failure = session.failure or error
        self._loop.stopping.drain()
        session.notify()

    def interrupt(self, signum: int, *, kill: bool = True) -> None:
        """End the run for a signal: the block is cancelled, what runs is killed.

        Without `kill` it is left running, for whoever goes on with the run. The block then raises
        RunInterrupted. A second call leaves at once what still runs.
        """
        if self._signum is None:
            self._signum, self._kills = signum, kill
            self._body.cancel()
        else:
            self._loop.stopping.leave()


async def _release(session: Session) -> None:
    with anyio.CancelScope(shield=True):
        if session.mirror is not None:
            await session.mirror.finish()
        await session.secrets.tidy()
        try:
            await session.journal.close()
        except OSError as error:
            session.warn(f"the end of the run cannot be recorded: {error}")
        if session.lease is not None:
            await session.ports.offload(session.lease.release)
