"""The many ways in which a run is ended early: nothing is left running, and a resume finishes it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import anyio
import pytest

from sched_core import JobStatus, RunClosed, Runner
from sched_core.runfolder import ask_driver, read_run, request_is_open
from sched_local import LocalScheduler

from .processes import carriers, wait_until_none
from .running import PATIENCE, outcome, runner, shell, until, until_running

DRIVER = Path(__file__).with_name("stop_driver.py")
LOOPS = ["asyncio.run", "asyncio", "trio"]
GRACE = 0.4
LONG = "echo begun; exec sleep 600"


@pytest.fixture
def workdir(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "run"
    if (tmp_path / "run/.sched/run.json").exists():
        for pid in left_running(tmp_path / "run"):
            with suppress(ProcessLookupError):  # it ended while the list was made
                os.kill(pid, signal.SIGKILL)


def left_running(workdir: Path) -> list[int]:
    return carriers(f"{read_run(workdir).run.run}-")


def states(workdir: Path) -> list[tuple[str, bool]]:
    jobs = read_run(workdir).jobs
    return [(JobStatus(job.status).name, job.interrupted) for _, job in sorted(jobs.items())]


# --- signals ----------------------------------------------------------------------------------------


class Host:
    """A host program in a process of its own."""

    def __init__(self, loop: str, how: str, workdir: Path, script: str, grace: float) -> None:
        self.process = subprocess.Popen(
            [sys.executable, DRIVER, loop, how, workdir, script, str(grace)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert "running" in self.heard()

    def heard(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self.process.communicate()[1]
        said: dict[str, Any] = json.loads(line)
        return said

    def end(self) -> dict[str, Any]:
        said = self.heard()
        rest, err = self.process.communicate(timeout=PATIENCE)
        assert (self.process.returncode, rest, err) == (0, "", "")
        return said


@contextmanager
def host(loop: str, how: str, workdir: Path, script: str, grace: float = GRACE) -> Iterator[Host]:
    host = Host(loop, how, workdir, script, grace)
    try:
        yield host
    finally:
        host.process.kill()
        host.process.communicate()


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("script", ["polite", "stubborn"])
def test_t24_the_first_signal_kills_what_runs(workdir: Path, loop: str, script: str) -> None:
    with host(loop, "handled", workdir, script) as driver:
        driver.process.send_signal(signal.SIGTERM)
        said = driver.end()
    assert said == {"raised": "RunInterrupted", "signum": signal.SIGTERM, "left": []}
    assert left_running(workdir) == []
    assert states(workdir) == [("KILLED", True)] * 2 + [("QUEUED", False)] * 2


@pytest.mark.parametrize("loop", LOOPS)
def test_t24_the_second_signal_leaves_at_once(workdir: Path, loop: str) -> None:
    with host(loop, "handled", workdir, "stubborn", grace=60) as driver:
        driver.process.send_signal(signal.SIGINT)
        # Two signals at once would be one: the second comes when the first is seen to be heard.
        unheard = wait_until_none(
            lambda: [s for s, _ in states(workdir)[:2] if s != "KILLING"], PATIENCE
        )
        assert unheard == []
        driver.process.send_signal(signal.SIGINT)
        said = driver.end()
    assert said == {"raised": "RunInterrupted", "signum": signal.SIGINT, "left": [0, 1]}
    assert left_running(workdir) != []


@pytest.mark.parametrize("loop", LOOPS)
def test_t24_an_interrupt_ends_a_host_that_handles_nothing(workdir: Path, loop: str) -> None:
    with host(loop, "plain", workdir, "stubborn") as driver:
        driver.process.send_signal(signal.SIGINT)
        said = driver.end()
    assert said == {"raised": "KeyboardInterrupt"}
    assert left_running(workdir) == []
    assert states(workdir) == [("KILLED", True)] * 2 + [("QUEUED", False)] * 2


@pytest.mark.parametrize("loop", LOOPS)
def test_t24_the_hosts_own_handlers_stay(workdir: Path, loop: str) -> None:
    with host(loop, "own", workdir, "polite") as driver:
        driver.process.send_signal(signal.SIGTERM)
        assert driver.heard() == {"heard": "SIGTERM"}
        # A process cannot be told by its environment in the moment in which it becomes its command.
        assert (
            wait_until_none(lambda: [2] if len(left_running(workdir)) != 2 else [], PATIENCE) == []
        )
        driver.process.send_signal(signal.SIGINT)
        driver.end()
    assert left_running(workdir) == []


# --- the block ----------------------------------------------------------------------------------------


class Mine(Exception):
    """A host's own."""


class MineBase(BaseException):
    """A host's own, that is no Exception."""


WAYS = [Mine, MineBase, SystemExit, KeyboardInterrupt, GeneratorExit]


async def interrupted_run(workdir: Path, error: BaseException, go: Path) -> None:
    async with runner(workdir, forks=2, grace=GRACE) as running:
        script = 'echo "$SCHED_ATTEMPT"; until [[ -e $1 ]]; do sleep 0.02; done'
        jobs = [await running.feed(shell(script, go)) for _ in range(4)]
        for job in jobs[:2]:
            await until_running(job)
        raise error


@pytest.mark.parametrize("kind", WAYS)
async def test_t24_what_the_block_raises_comes_out_as_it_is(
    workdir: Path, tmp_path: Path, kind: type[BaseException]
) -> None:
    error = kind("mine")
    with pytest.raises(kind) as raised:
        await interrupted_run(workdir, error, tmp_path / "go")
    assert raised.value is error
    assert left_running(workdir) == []
    assert states(workdir) == [("KILLED", True)] * 2 + [("QUEUED", False)] * 2


async def test_an_interrupted_run_is_finished_by_a_resume(workdir: Path, tmp_path: Path) -> None:
    go = tmp_path / "go"
    with pytest.raises(Mine):
        await interrupted_run(workdir, Mine(), go)
    go.touch()
    async with Runner.resume(workdir, plugins=[]) as again:
        pass
    assert [outcome(job) for job in again.jobs] == [("FINISHED", 0, None)] * 4
    assert [job.attempt for job in again.jobs] == [2, 2, 1, 1]
    assert [job.trial_count for job in again.jobs] == [0] * 4


async def test_t24_a_cancelled_scope_leaves_nothing_running(workdir: Path) -> None:
    with anyio.move_on_after(60) as scope:
        async with runner(workdir, forks=2, grace=GRACE) as running:
            jobs = [await running.feed(shell(LONG)) for _ in range(3)]
            for job in jobs[:2]:
                await until_running(job)
            scope.cancel()
    assert scope.cancelled_caught
    assert left_running(workdir) == []
    assert states(workdir) == [("KILLED", True)] * 2 + [("QUEUED", False)]


async def test_t24_a_scope_cancelled_while_the_block_waits_leaves_nothing_running(
    workdir: Path,
) -> None:
    async def cancel(scope: anyio.CancelScope, running: Runner) -> None:
        await until(lambda: [job for job in running.jobs if job.status is JobStatus.RUNNING])
        scope.cancel()

    async with anyio.create_task_group() as group:
        with anyio.CancelScope() as scope:
            async with runner(workdir, grace=GRACE) as running:
                await running.feed(shell(LONG))
                group.start_soon(cancel, scope, running)
    assert scope.cancelled_caught
    assert left_running(workdir) == []
    assert states(workdir) == [("KILLED", True)]


async def test_t24_a_deadline_raises(workdir: Path) -> None:
    with pytest.raises(TimeoutError):
        with anyio.fail_after(PATIENCE) as scope:
            async with runner(workdir, grace=GRACE) as running:
                await until_running(await running.feed(shell(LONG)))
                scope.deadline = anyio.current_time()
    assert left_running(workdir) == []


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_t24_asyncios_own_deadlines_raise(workdir: Path) -> None:
    async def run(runs: Callable[[], object] = lambda: None) -> None:
        async with runner(workdir, "resume", grace=GRACE) as running:
            await until_running(await running.feed(shell(LONG)))
            runs()

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(PATIENCE) as limit:
            await run(lambda: limit.reschedule(0))
    assert left_running(workdir) == []
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(run(), 0.5)
    assert left_running(workdir) == []
    task = asyncio.get_running_loop().create_task(run())
    await until(lambda: left_running(workdir))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert left_running(workdir) == []


async def test_a_cancelled_run_takes_no_more(workdir: Path) -> None:
    async with runner(workdir, grace=GRACE) as running:
        job, waiting = [await running.feed(shell(LONG)) for _ in range(2)]
        await until_running(job)
        await running.cancel()
        with pytest.raises(RunClosed):
            await running.feed(["true"])
        with pytest.raises(RunClosed):
            await running.run_until_complete()
    assert outcome(job)[::2] == ("KILLED", "CANCELLED")
    assert waiting.status is JobStatus.QUEUED
    assert left_running(workdir) == []


async def test_a_backend_that_breaks_ends_the_run(workdir: Path) -> None:
    class Broken(LocalScheduler):
        def _started(self, message: Any) -> None:
            raise Mine("what the slots say makes no sense")

    with anyio.fail_after(PATIENCE), pytest.raises(Mine):
        async with Runner(Broken(workdir, grace=GRACE), plugins=[]) as running:
            await running.feed(shell(LONG))
    assert left_running(workdir) == []


async def test_a_shell_that_cannot_be_started_ends_the_run(
    workdir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> int:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    with anyio.fail_after(PATIENCE), pytest.raises(OSError, match="temporarily unavailable"):
        async with runner(workdir, grace=GRACE) as running:
            monkeypatch.setattr(os, "posix_spawn", refuse)
            await running.feed(["true"])
    assert states(workdir) in ([("QUEUED", False)], [("SUBMITTED", False)])
    monkeypatch.undo()
    async with Runner.resume(workdir, plugins=[]) as again:
        pass
    assert [outcome(job) for job in again.jobs] == [("FINISHED", 0, None)]


@pytest.mark.parametrize("retries, then", [(1, ("FINISHED", 0, None)), (0, ("FAILED", 3, "EXIT"))])
async def test_what_fails_while_the_run_stops_is_tried_again_by_a_resume(
    workdir: Path, tmp_path: Path, retries: int, then: tuple[str, int | None, str | None]
) -> None:
    options: dict[str, Any] = {"error_strategy": "retry", "num_retries": retries}
    script = 'until test -e "$1"; do sleep 0.02; done; ((SCHED_ATTEMPT > 1)) || exit 3'
    async with runner(workdir, **options) as first:
        job = await first.feed(shell(script, tmp_path / "gate"))
        await until_running(job)
        first.scheduler.session.closing = True  # and has not come to killing
        (tmp_path / "gate").touch()
        await first.wait(job)
    assert (outcome(job), job.will_retry) == (("FAILED", 3, "EXIT"), False)
    assert states(workdir) == [("FAILED", retries > 0)]
    async with runner(workdir, "resume", **options) as second:
        (again,) = second.jobs
    assert outcome(again) == then
    assert (again.attempt, again.trial_count) == (1 + retries, retries)


@pytest.mark.parametrize("status", [JobStatus.FAILED, JobStatus.KILLED])
async def test_what_ended_with_its_run_is_not_run_again_once_it_was_to_be_killed(
    workdir: Path, tmp_path: Path, status: JobStatus
) -> None:
    """Somebody asks for it while the run stops."""
    options: dict[str, Any] = {"error_strategy": "retry", "num_retries": 1, "grace": GRACE}
    async with runner(workdir, **options) as first:
        job = await first.feed(
            shell('until test -e "$1"; do sleep 0.02; done; exit 3', tmp_path / "gate")
        )
        await until_running(job)
        session = first.scheduler.session
        session.closing = session.interrupted = True
        if status is JobStatus.KILLED:
            await session.killer.kill([job], ask=False)
        (tmp_path / "gate").touch()
        await first.wait(job)
        await session.journal.flush()
        assert states(workdir) == [(status.name, True)]
        request = ask_driver(session.ports.files, session.layout, "kill", (0,))
        await until(lambda: not request_is_open(session.ports.files, request))
    assert states(workdir) == [(status.name, False)]
    async with runner(workdir, "resume", **options) as second:
        (again,) = second.jobs
    assert (again.status, again.attempt) == (status, 1)
