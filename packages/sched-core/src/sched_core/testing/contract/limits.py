"""How long, and how many at once."""

from __future__ import annotations

from typing import Any

from sched_core import Failure, JobStatus

from .rig import BEGUN, Rig

__all__ = ["LimitsContract"]

FORKS_SEEN = """
cd "$SCHED_WORKDIR" && : >"live.$SCHED_JOB_INDEX"
set -- live.*; echo $#
sleep 0.05
rm "live.$SCHED_JOB_INDEX"
"""
"""Says how many jobs run now, itself included."""


class LimitsContract(Rig):
    """Limits."""

    async def test_t38_a_job_past_its_time_is_ended(self, workdir: Any) -> None:
        marker = self.marker()
        async with self.run(self.make(workdir, timeout=0.5, grace=5)) as runner:
            job = await runner.wait(await runner.feed(self.shell("sleep 1000; :", marker)))
            assert (job.status, job.failure) == (JobStatus.FAILED, Failure.TIMEOUT)
            assert job.rc not in (0, None)
            await self.until_gone(marker)

    async def test_t38_a_job_that_ignores_term_is_killed_after_the_grace_period(
        self, workdir: Any
    ) -> None:
        marker = self.marker()
        script = "trap '' TERM; while :; do sleep 0.1; done"
        async with self.run(self.make(workdir, grace=0.3)) as runner:
            job = await runner.feed(self.shell(script, marker), timeout=0.5)
            await runner.wait(job)
            assert (job.status, job.failure) == (JobStatus.FAILED, Failure.TIMEOUT)
            await self.until_gone(marker)

    async def test_a_jobs_own_limit_wins(self, workdir: Any) -> None:
        async with self.run(self.make(workdir, timeout=0.5)) as runner:
            job = await runner.feed(self.shell("sleep 1; exit 4"), timeout="1m")
            await runner.wait(job)
            assert (job.rc, job.failure) == (4, Failure.EXIT)

    async def test_t38_waiting_is_not_counted(self, workdir: Any) -> None:
        async with self.run(self.make(workdir, forks=1)) as runner:
            for limit in (0.5, 2, 5):  # the first ones may be too short for a busy machine
                await runner.feed(self.shell(f"sleep {2 * limit}"))
                job = await runner.wait(await runner.feed(self.shell("exit 0"), timeout=limit))
                if job.status is JobStatus.FINISHED:
                    break
            assert job.status is JobStatus.FINISHED

    async def test_never_more_run_at_once_than_forks(self, workdir: Any) -> None:
        async with self.run(self.make(workdir, forks=3)) as runner:
            jobs = [await runner.feed(self.shell(FORKS_SEEN)) for _ in range(15)]
            await runner.stop_feeding()
            seen = [int(await self.output(job)) for job in jobs]
            assert max(seen) <= 3

    async def test_as_many_run_at_once_as_forks(self, workdir: Any) -> None:
        scheduler = self.make(workdir, forks=3)
        async with self.run(scheduler) as runner:
            jobs = [await runner.feed(self.waiting()) for _ in range(4)]
            await self.until_running(*jobs[:3])
            assert not await self.has(jobs[3], "begun")
            await self.open_gate(scheduler)
            await runner.stop_feeding()
            assert {job.status for job in jobs} == {JobStatus.FINISHED}

    async def test_t06_a_job_that_ends_before_its_submit_returns(self, workdir: Any) -> None:
        ended = f"{BEGUN}; exit 5"
        until = self.until_recorded

        class Slow(self.scheduler_class):  # type: ignore[name-defined,misc]  # known at run time
            async def submit_job(self, job: Any) -> Any:
                jid = await super().submit_job(job)
                await until(job)
                return jid

        async with self.run(self.make(workdir, Slow)) as runner:
            job = await runner.wait(await runner.feed(self.shell(ended)))
            assert (job.status, job.rc) == (JobStatus.FAILED, 5)

    async def test_t42_starts_and_ends_are_known_without_asking_the_engine(
        self, workdir: Any
    ) -> None:
        class Rare(self.scheduler_class):  # type: ignore[name-defined,misc]  # known at run time
            poll_interval = (3600.0, 3600.0)

        scheduler = self.make(workdir, Rare)
        async with self.run(scheduler) as runner:  # whose patience is far less than an hour
            job = await runner.feed(self.waiting())
            await self.until_running(job)
            await self.open_gate(scheduler)
            await runner.wait(job)
            assert (job.status, job.rc) == (JobStatus.FINISHED, 0)

    async def until_recorded(self, job: Any) -> None:
        """Wait until the job's own record is there, whatever the driver knows."""

        async def recorded() -> bool:
            return await job.rc_file.exists() and bool(await job.rc_file.read_text())

        await self.until(recorded)
