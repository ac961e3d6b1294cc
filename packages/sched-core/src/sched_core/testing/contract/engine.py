"""An engine that refuses, is away, or fails: a clear state or error, and never a second start."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sched_core import (
    EngineUnavailable,
    Failure,
    Job,
    JobStatus,
    Runner,
    Scheduler,
    SubmitRejected,
)

from .rig import BEGUN, COUNTED, HookRecorder, Rig, needs

__all__ = ["EngineContract"]


class Broken(Exception):
    """What a backend's own mistake may raise."""


class EngineContract(Rig):
    """Engines in trouble."""

    def failing(self, error: Exception, times: int) -> type[Scheduler]:
        """Return a scheduler whose first submissions raise."""
        left = [error] * times

        class Failing(self.scheduler_class):  # type: ignore[name-defined,misc]  # known at run time
            async def submit_job(self, job: Any) -> Any:
                if left:
                    raise left.pop()
                return await super().submit_job(job)

        return Failing

    def unprepared(self, error: Exception, times: int) -> type[Scheduler]:
        """Return a scheduler that cannot bring what a job named "odd" needs, that often."""
        left = [error] * times

        class Unprepared(self.scheduler_class):  # type: ignore[name-defined,misc]  # at run time
            def batch_key(self, job: Any) -> Any:
                return super().batch_key(job), job.name == "odd"

            async def prepare(self, jobs: Any) -> None:
                if left and any(job.name == "odd" for job in jobs):
                    raise left.pop()
                await super().prepare(jobs)

        return Unprepared

    async def test_what_a_job_needs_and_is_refused_fails_that_job_alone(self, workdir: Any) -> None:
        cls = self.unprepared(SubmitRejected("no such image"), 1)
        scheduler = self.make(workdir, cls, forks=2, error_strategy="retry")
        async with self.run(scheduler) as runner:
            refused = await runner.feed(["/bin/true"], name="odd")
            other = await runner.feed(["/bin/true"])
        assert (refused.status, refused.failure) == (JobStatus.FAILED, Failure.REJECTED)
        assert (refused.attempt, refused.reason) == (1, "no such image")
        assert other.status is JobStatus.FINISHED

    async def test_what_cannot_be_brought_now_is_brought_later(self, workdir: Any) -> None:
        cls = self.unprepared(EngineUnavailable("away", retry_after=0.1), 2)
        scheduler = self.make(workdir, cls, num_retries=0)
        async with self.run(scheduler) as runner:
            command = self.shell(COUNTED, "once")
            job = await runner.wait(await runner.feed(command, name="odd"))
            assert (job.status, job.attempt, job.trial_count) == (JobStatus.FINISHED, 1, 0)
        assert await self.counted(scheduler, "once") == 1

    async def test_t18_a_refused_job_is_not_tried_again(self, workdir: Any) -> None:
        hooks = HookRecorder()
        cls = self.failing(SubmitRejected("no such queue", returncode=1), 1)
        scheduler = self.make(workdir, cls, forks=1, error_strategy="retry")
        async with self.run(scheduler, plugins=[hooks]) as runner:
            refused = await runner.wait(await runner.feed(["/bin/true"]))
            other = await runner.wait(await runner.feed(["/bin/true"]))
            assert (refused.status, refused.failure) == (JobStatus.FAILED, Failure.REJECTED)
            assert (refused.attempt, refused.reason) == (1, "no such queue")
            assert "no such queue" in await refused.stderr_file.read_text()
            assert other.status is JobStatus.FINISHED
        assert "on_job_submitted" not in hooks.of(refused)

    async def test_t18_an_engine_that_is_away_is_asked_again(self, workdir: Any) -> None:
        cls = self.failing(EngineUnavailable("away", retry_after=0.1), 2)
        scheduler = self.make(workdir, cls, num_retries=0)
        async with self.run(scheduler) as runner:
            job = await runner.wait(await runner.feed(self.shell(COUNTED, "once")))
            assert (job.status, job.attempt, job.trial_count) == (JobStatus.FINISHED, 1, 0)
        assert await self.counted(scheduler, "once") == 1

    async def test_a_mistake_of_the_backend_ends_the_run(self, workdir: Any) -> None:
        with pytest.raises(Broken, match="mine"):
            async with self.run(self.make(workdir, self.failing(Broken("mine"), 1))) as runner:
                job = await runner.feed(["/bin/true"])
        assert not job.status.final

    async def test_a_run_goes_on_after_a_mistake_was_mended(self, workdir: Any) -> None:
        command = self.shell(COUNTED, "once")
        with pytest.raises(Broken):
            async with self.run(self.make(workdir, self.failing(Broken("mine"), 1))) as runner:
                await runner.feed(command)
        scheduler = self.make(workdir)
        async with self.run(scheduler, existing="resume") as runner:
            job = await runner.wait(await runner.feed(command))
            assert (job.index, job.status) == (0, JobStatus.FINISHED)
        assert await self.counted(scheduler, "once") == 1

    async def test_t01_a_scheduler_that_cannot_be_asked_changes_nothing(
        self, workdir: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        asked = []

        class Mute(self.scheduler_class):  # type: ignore[name-defined,misc]  # known at run time
            poll_interval = (0.05, 0.05)

            async def query_jobs(self, jobs: Any) -> Any:
                asked.append(len(jobs))
                raise EngineUnavailable("no answer")

        scheduler = self.make(workdir, Mute, recheck_interval=1)
        async with self.run(scheduler) as runner:
            job = await self.run_while(runner, lambda: len(asked) >= 3)
            assert (job.status, job.attempt) == (JobStatus.FINISHED, 1)
        assert await self.counted(scheduler, "once") == 1
        assert "cannot be asked, nothing changes: no answer" in caplog.text

    async def test_t02_an_answer_that_names_no_job_is_no_news(self, workdir: Any) -> None:
        asked = []

        class Blank(self.scheduler_class):  # type: ignore[name-defined,misc]  # known at run time
            poll_interval = (0.05, 0.05)

            async def query_jobs(self, jobs: Any) -> Any:
                asked.append(len(jobs))
                return {} if len(asked) <= 2 else await super().query_jobs(jobs)

        scheduler = self.make(workdir, Blank, recheck_interval=1)
        async with self.run(scheduler) as runner:
            job = await self.run_while(runner, lambda: len(asked) >= 4)
            assert (job.status, job.attempt) == (JobStatus.FINISHED, 1)
        assert await self.counted(scheduler, "once") == 1

    async def run_while(self, runner: Runner, happened: Callable[[], bool]) -> Job:
        """Have a job run until something has happened; it must run on meanwhile."""
        script = f'{COUNTED}; {BEGUN}; while [ ! -e "$SCHED_WORKDIR/gate" ]; do sleep 0.05; done'
        job = await runner.feed(self.shell(script, "once"))
        await self.until_running(job)
        await self.until(happened)
        assert job.status is JobStatus.RUNNING
        await self.open_gate(runner.scheduler)
        return await runner.wait(job)

    async def test_t19_an_answer_that_names_no_job_submits_none_again(self, workdir: Any) -> None:
        asked = []

        class Forgetful(self.scheduler_class):  # type: ignore[name-defined,misc]  # at run time
            poll_interval = (0.05, 0.05)

            async def query_jobs(self, jobs: Any) -> Any:
                asked.append(len(jobs))
                seen = await super().query_jobs(jobs)
                return {} if len(asked) <= 4 else seen

        options = {"forks": 2, "error_strategy": "retry", "recheck_interval": 1}
        scheduler = self.make(workdir, Forgetful, **options)
        async with self.run(scheduler) as runner:
            jobs = [await runner.feed(self.waiting()) for _ in range(3)]
            await self.until_running(*jobs[:2])
            await self.until(lambda: len(asked) >= 5)
            await self.open_gate(scheduler)
        assert {(job.status, job.attempt) for job in jobs} == {(JobStatus.FINISHED, 1)}
        assert not await (scheduler.workdir / "0" / "job.retry").exists()

    @needs("kills")
    async def test_a_kill_that_is_not_heard_is_repeated(self, workdir: Any) -> None:
        left = [EngineUnavailable("away", retry_after=0.05)] * 2

        class Deaf(self.scheduler_class):  # type: ignore[name-defined,misc]  # known at run time
            async def kill_jobs(self, jobs: Any) -> None:
                if left:
                    raise left.pop()
                await super().kill_jobs(jobs)

        async with self.run(self.make(workdir, Deaf)) as runner:
            job = await runner.feed(self.waiting())
            await self.until_running(job)
            await runner.kill(job)
            assert (job.status, left) == (JobStatus.KILLED, [])

    async def test_a_mistake_in_a_question_ends_the_run_when_its_jobs_have(
        self, workdir: Any
    ) -> None:
        asked = []

        class Confused(self.scheduler_class):  # type: ignore[name-defined,misc]  # at run time
            poll_interval = (0.05, 0.05)

            async def query_jobs(self, jobs: Any) -> Any:
                asked.append(len(jobs))
                raise Broken("confused")

        scheduler = self.make(workdir, Confused, recheck_interval=1)
        with pytest.raises(Broken, match="confused"):
            async with self.run(scheduler) as runner:
                job = await runner.feed(self.waiting())
                await self.until_running(job)
                await self.until(lambda: bool(asked))
                await self.open_gate(scheduler)
        assert job.status.final

    async def test_a_mistake_in_a_kill_ends_the_run(self, workdir: Any) -> None:
        contract = self

        class Helpless(self.scheduler_class):  # type: ignore[name-defined,misc]  # at run time
            async def kill_jobs(self, jobs: Any) -> None:
                await contract.open_gate(self)
                raise Broken("helpless")

        scheduler = self.make(workdir, Helpless)
        with pytest.raises(Broken, match="helpless"):
            async with self.run(scheduler) as runner:
                job = await runner.feed(self.waiting())
                await self.until_running(job)
                await runner.kill(job)
        assert job.status.final
