"""Going on with a run: nothing is lost, and nothing that has ended is run again."""

from __future__ import annotations

import os
import signal
from subprocess import DEVNULL
from typing import Any

import anyio
import pytest
from anyio.abc import Process

from sched_core import JobStatus, RunExists, RunInterrupted, RunLocked, Runner, Scheduler, read_run

from ..dying import POINTS
from .driver import driver_command, driver_killed_at_end
from .rig import BEGUN, COUNTED, Rig, needs

__all__ = ["ResumingContract"]

COUNT_AND_WAIT = f'{COUNTED}; {BEGUN}; while [ ! -e "$SCHED_WORKDIR/gate" ]; do sleep 0.05; done'


class Mine(Exception):
    """What ends a driver here."""


class ResumingContract(Rig):
    """Resuming."""

    @needs("kills")
    async def test_a_cancelled_run_goes_on(self, workdir: Any) -> None:
        commands = [self.shell(COUNTED, "first"), self.waiting(), self.shell(COUNTED, "last")]
        with pytest.raises(Mine):
            async with self.run(self.make(workdir, forks=1)) as runner:
                jobs = await runner.feed_all(commands)
                await runner.wait(jobs[0])
                await self.until_running(jobs[1])
                raise Mine
        scheduler = self.make(workdir, forks=1)
        await self.open_gate(scheduler)
        async with self.run(scheduler, existing="resume") as runner:
            await runner.stop_feeding()
            assert [job.status for job in runner.jobs] == [JobStatus.FINISHED] * 3
            assert [job.trial_count for job in runner.jobs] == [0, 0, 0]
        assert await self.counted(scheduler, "first") == 1
        assert await self.counted(scheduler, "last") == 1

    async def test_jobs_that_have_ended_are_not_run_again(self, workdir: Any) -> None:
        commands = [self.shell(COUNTED, "good"), self.shell(COUNTED + "; exit 3", "bad")]
        async with self.run(self.make(workdir)) as runner:
            await runner.feed_all(commands)
        scheduler = self.make(workdir)
        async with self.run(scheduler, existing="resume") as runner:
            jobs = await runner.feed_all([*commands, self.shell("exit 0")])
            assert [job.index for job in jobs] == [0, 1, 2]
            await runner.stop_feeding()
            assert [job.rc for job in runner.jobs] == [0, 3, 0]
            assert len([job async for job in runner.as_completed()]) == 3
        assert await self.counted(scheduler, "good") == 1
        assert await self.counted(scheduler, "bad") == 1

    @needs("runs_unattended")
    async def test_what_a_driver_leaves_running_is_taken_over(self, workdir: Any) -> None:
        scheduler = self.make(workdir, forks=2)
        with pytest.raises(RunInterrupted) as left:
            async with self.run(scheduler) as runner:
                jobs = await runner.feed_all([self.shell(COUNT_AND_WAIT, "left")] * 3)
                await self.until_running(*jobs[:2])
                runner.interrupt(signal.SIGHUP, kill=False)
                await anyio.sleep_forever()
        assert {0, 1} <= {job.index for job in left.value.left}
        view = await anyio.to_thread.run_sync(read_run, scheduler.workdir)
        assert view.driver is None
        async with self.run(self.make(workdir, forks=2), existing="resume") as runner:
            assert not any(job.status.final for job in runner.jobs)
            await self.open_gate(scheduler)
            await runner.stop_feeding()
            assert [job.rc for job in runner.jobs] == [0, 0, 0]
            assert [job.attempt for job in runner.jobs[:2]] == [1, 1]
        assert await self.counted(scheduler, "left") == 3

    @needs("resumes")
    async def test_what_a_dead_driver_left_is_taken_over(
        self, workdir: Any, anyio_backend: str
    ) -> None:
        commands = [self.shell(COUNT_AND_WAIT, "left")] * 3
        scheduler = self.make(workdir, forks=2)
        options = {**self.options, "forks": 2}
        argv = driver_command(scheduler, options, commands, anyio_backend)
        async with driver_killed_at_end(argv) as driver:
            await self.until_marked(scheduler, driver, 0, 1)
        async with self.run(scheduler, existing="resume") as runner:
            await self.until_running(*runner.jobs[:2])
            await self.open_gate(scheduler)
            await runner.stop_feeding()
            assert [job.rc for job in runner.jobs] == [0, 0, 0]
            assert [job.trial_count for job in runner.jobs] == [0, 0, 0]
        assert await self.counted(scheduler, "left") == 3

    @needs("resumes")
    async def test_t05_drivers_that_are_killed_at_each_point_of_a_submission(
        self, workdir: Any, anyio_backend: str
    ) -> None:
        # All at once they take each other's time.
        with anyio.fail_after(len(POINTS) * self.patience):
            async with anyio.create_task_group() as group:
                for point in POINTS:
                    place = f"{os.fspath(workdir)}-{point}"
                    group.start_soon(self.follow_one_that_died, place, anyio_backend, point)

    async def follow_one_that_died(self, workdir: str, backend: str, point: str) -> None:
        """Go on with a run whose driver is killed at that point; its jobs run once each."""
        commands = [self.shell(COUNTED, name) for name in ("first", "last")]
        scheduler = self.make(workdir)
        argv = driver_command(scheduler, dict(self.options), commands, backend, dies_at=point)
        died = await anyio.run_process(argv, stdout=None, stderr=None, check=False)
        assert died.returncode == -signal.SIGKILL, point
        async with Runner(scheduler, plugins=[], existing="resume") as runner:
            await runner.feed_all(commands)
            await runner.stop_feeding()
            ends = [(job.status, job.trial_count) for job in runner.jobs]
            assert ends == [(JobStatus.FINISHED, 0)] * 2, point
        starts = [await self.counted(scheduler, name) for name in ("first", "last")]
        assert starts == [1, 1], point

    @needs("resumes")
    async def test_t48_a_driver_that_has_no_terminal_and_no_login(
        self, workdir: Any, anyio_backend: str
    ) -> None:
        scheduler = self.make(workdir)
        commands = [self.shell("echo out"), self.shell("exit 3")]
        argv = driver_command(scheduler, dict(self.options), commands, anyio_backend)
        with anyio.fail_after(self.patience):
            async with await anyio.open_process(
                argv,
                stdin=DEVNULL,
                stdout=None,
                stderr=None,
                env=_as_cron(),
                start_new_session=True,
            ) as driver:
                assert await driver.wait() == 0
        view = await anyio.to_thread.run_sync(read_run, scheduler.workdir)
        assert [job.rc for job in view.jobs.values()] == [0, 3]

    async def until_marked(self, scheduler: Scheduler, driver: Process, *indexes: int) -> None:
        """Wait until that driver's jobs have begun."""

        async def marked() -> bool:
            assert driver.returncode is None, "the driver has ended; its stderr tells why"
            marks = [scheduler.workdir / f"mark.{index}.begun" for index in indexes]
            return all([await mark.exists() for mark in marks])

        await self.until(marked)

    async def test_a_folder_that_holds_a_run_is_not_overwritten(self, workdir: Any) -> None:
        async with self.run(self.make(workdir)) as runner:
            await runner.feed(["/bin/true"])
        with pytest.raises(RunExists, match="resume"):
            async with self.run(self.make(workdir)):
                raise AssertionError("it was opened")

    async def test_t54_a_run_has_one_driver(self, workdir: Any) -> None:
        async with self.run(self.make(workdir)) as runner:
            await runner.feed(["/bin/true"])
            with pytest.raises(RunLocked):
                async with self.run(self.make(workdir), existing="resume"):
                    raise AssertionError("it was opened")

    async def test_a_folder_is_used_for_generations_of_jobs(self, workdir: Any) -> None:
        for generation in (1, 2, 3):
            scheduler = self.make(workdir)
            async with self.run(scheduler, existing="reuse") as runner:
                job = await scheduler.create_job(4, self.shell(f"echo {generation}; cat mine"))
                await runner.wait(await runner.feed(job))
                assert await self.output(job) == f"{generation}\n"
                assert len(runner.jobs) == 1
            await (job.metadir / "mine").write_text("a host's own")
        view = read_run(scheduler.workdir)
        assert view.run.generation == 3
        assert await (job.metadir / "mine").read_text() == "a host's own"


def _as_cron() -> dict[str, str]:
    """Return the environment without what only a login or a terminal sets."""
    unset = ("TERM", "USER", "LOGNAME", "LANG", "LANGUAGE", "DISPLAY", "SHELL", "SSH_AUTH_SOCK")
    return {k: v for k, v in os.environ.items() if k not in unset and not k.startswith("LC_")}
