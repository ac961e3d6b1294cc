"""Killing: what runs, what waits, what has ended, and what a plugin keeps alive."""

from __future__ import annotations

from typing import Any

from sched_core import Failure, Job, JobStatus, hookimpl

from .rig import BEGUN, HookRecorder, Rig, needs

__all__ = ["KillingContract"]

STUBBORN = f"trap '' TERM; {BEGUN}; while :; do sleep 0.1; done"
SCATTERED = (
    f'setsid /bin/sh -c \'trap "" TERM; while :; do sleep 0.1; done\' sh "$1" & {BEGUN}; '
    "while :; do sleep 0.1; done"
)


class KillingContract(Rig):
    """Killing."""

    @needs("kills")
    async def test_a_job_that_runs_is_killed(self, workdir: Any) -> None:
        hooks, marker = HookRecorder(), self.marker()
        async with self.run(self.make(workdir), plugins=[hooks]) as runner:
            job = await runner.feed(self.waiting(marker))
            await self.until_running(job)
            await runner.kill(job)
            assert (job.status, job.failure) == (JobStatus.KILLED, Failure.CANCELLED)
            assert await job.status_file.read_text() == str(int(JobStatus.KILLED))
            await self.until_gone(marker)
        assert hooks.of(job)[-2:] == ["on_job_killing", "on_job_killed"]
        assert hooks.of(job).count("on_job_killing") == 1

    @needs("kills")
    async def test_t25_a_job_that_ignores_term_is_killed(self, workdir: Any) -> None:
        marker = self.marker()
        async with self.run(self.make(workdir, grace=0.2)) as runner:
            job = await runner.feed(self.shell(STUBBORN, marker))
            await self.until_running(job)
            await runner.kill(job)
            assert job.status is JobStatus.KILLED
            await self.until_gone(marker)

    @needs("kills_tree")
    async def test_t25_processes_that_left_the_jobs_session_are_killed(self, workdir: Any) -> None:
        marker = self.marker()
        async with self.run(self.make(workdir, grace=0.2)) as runner:
            job = await runner.feed(self.shell(SCATTERED, marker))
            await self.until_running(job)
            await runner.kill(job)
            assert job.status is JobStatus.KILLED
            await self.until_gone(marker)

    @needs("kills_tree")
    async def test_t25_a_cancelled_run_leaves_no_process_that_outlives_its_job(
        self, workdir: Any
    ) -> None:
        marker = self.marker()
        async with self.run(self.make(workdir, grace=0.2)) as runner:
            job = await runner.feed(self.shell(SCATTERED, marker))
            await self.until_running(job)
            await runner.cancel()
        assert job.status is JobStatus.KILLED
        await self.until_gone(marker)

    async def test_a_job_that_waits_is_killed_and_never_runs(self, workdir: Any) -> None:
        hooks = HookRecorder()
        scheduler = self.make(workdir, forks=1)
        async with self.run(scheduler, plugins=[hooks]) as runner:
            first = await runner.feed(self.waiting())
            second = await runner.feed(self.shell(BEGUN))
            await self.until_running(first)
            await runner.kill(second)
            assert (second.status, second.failure) == (JobStatus.KILLED, Failure.CANCELLED)
            await self.open_gate(scheduler)
            await runner.stop_feeding()
            assert first.status is JobStatus.FINISHED
            assert not await self.has(second, "begun")
        # It may be on its way to the engine when it is killed.
        called = [hook for hook in hooks.of(second) if hook != "on_job_submitted"]
        assert called[-2:] == ["on_job_killing", "on_job_killed"]
        assert "on_job_started" not in called

    async def test_a_job_that_has_ended_cannot_be_killed(self, workdir: Any) -> None:
        hooks = HookRecorder()
        async with self.run(self.make(workdir), plugins=[hooks]) as runner:
            job = await runner.wait(await runner.feed(self.shell("exit 0")))
            await runner.kill(job)
            assert job.status is JobStatus.FINISHED
        assert "on_job_killing" not in hooks.of(job)

    async def test_a_killed_job_is_not_tried_again(self, workdir: Any) -> None:
        scheduler = self.make(workdir, forks=1, error_strategy="retry", num_retries=3)
        async with self.run(scheduler) as runner:
            first = await runner.feed(self.waiting())
            second = await runner.feed(self.waiting())
            await self.until_running(first)
            await runner.kill(second)
            await self.open_gate(scheduler)
            await runner.stop_feeding()
            assert (second.status, second.attempt) == (JobStatus.KILLED, 1)

    async def test_a_plugin_may_keep_a_job_alive(self, workdir: Any) -> None:
        class Guard:
            @hookimpl
            def on_job_killing(self, job: Job) -> bool:
                return False

        scheduler = self.make(workdir)
        async with self.run(scheduler, plugins=[Guard()]) as runner:
            job = await runner.feed(self.waiting())
            await self.until_running(job)
            await runner.kill(job)
            assert not job.status.final
            await self.open_gate(scheduler)
            await runner.wait(job)
            assert job.status is JobStatus.FINISHED
