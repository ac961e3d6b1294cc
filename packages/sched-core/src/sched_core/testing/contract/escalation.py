"""Attempts that get more of what an earlier one had too little of."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from sched_core import Failure, Job, JobStatus, OptionError, Resources, Runner, hookimpl, read_run

from .rig import COUNTED, Rig

__all__ = ["EscalationContract"]

SLOW_UNTIL_THE_SECOND = f'{COUNTED}; [ "$SCHED_ATTEMPT" = 2 ] || sleep 1000; echo done'
NEVER_ENDS = f"{COUNTED}; sleep 1000; :"
_SHORT = 0.5
"""Seconds after which an attempt is ended."""


class EscalationContract(Rig):
    """Limits that grow."""

    async def test_t38_t45_more_time_follows_a_timeout(self, workdir: Any) -> None:
        scheduler = self.make(workdir, error_strategy="halt", resources={"time": [_SHORT, 60]})
        async with self.run(scheduler) as runner:
            job = await runner.wait(await runner.feed(self.shell(SLOW_UNTIL_THE_SECOND, "slow")))
        assert (job.status, job.attempt, job.trial_count) == (JobStatus.FINISHED, 2, 0)
        assert job.raised == {"time": 60.0}
        assert scheduler.time_limit(job) == 60.0

    async def test_the_last_value_is_the_last(self, workdir: Any) -> None:
        decided: list[bool] = []

        class Decided:
            @hookimpl
            def on_job_failed(self, job: Job) -> None:
                decided.append(job.will_retry)

        scheduler = self.make(workdir, error_strategy="ignore", grace=5)
        async with self.run(scheduler, plugins=[Decided()]) as runner:
            times = [_SHORT, 2 * _SHORT]
            job = await runner.feed(self.shell(NEVER_ENDS, "slow"), resources={"time": times})
            await runner.wait(job)
        assert (job.status, job.failure) == (JobStatus.FAILED, Failure.TIMEOUT)
        assert decided == [True, False]
        assert job.attempt == 2

    async def test_only_a_limit_is_raised(self, workdir: Any) -> None:
        scheduler = self.make(workdir, resources={"time": ["1m", "2m"]})
        async with self.run(scheduler) as runner:
            job = await runner.wait(await runner.feed(self.shell("exit 3")))
        assert (job.rc, job.attempt, job.raised) == (3, 1, None)

    async def test_t45_retries_are_counted_apart(self, workdir: Any) -> None:
        script = '[ "$SCHED_ATTEMPT" != 1 ] || sleep 1000; exit 3'
        scheduler = self.make(
            workdir,
            error_strategy="retry",
            num_retries=1,
            grace=5,
            resources={"time": [_SHORT, 60]},
        )
        async with self.run(scheduler) as runner:
            job = await runner.wait(await runner.feed(self.shell(script)))
        assert (job.rc, job.failure) == (3, Failure.EXIT)
        assert (job.attempt, job.trial_count) == (3, 1)

    async def test_what_was_raised_stays_so_for_the_next_driver(self, workdir: Any) -> None:
        first = self.make(workdir, grace=5)
        async with self.run(first) as runner:
            times = [_SHORT, 2 * _SHORT]
            job = await runner.feed(self.shell(NEVER_ENDS, "slow"), resources={"time": times})
            await runner.wait(job)
        record = (await anyio.to_thread.run_sync(read_run, workdir)).jobs[job.index]
        assert record.raised == {"time": times[1]}
        second = self.make(workdir, grace=5)
        async with self.run(second, existing="resume") as runner:
            (again,) = runner.jobs
            assert second.time_limit(again) == times[1]
            await runner.retry(again)
            await runner.wait(again)
            assert (again.attempt, again.failure) == (3, Failure.TIMEOUT)

    async def test_a_retry_may_ask_for_something_else(self, workdir: Any) -> None:
        script = '[ "$SCHED_ATTEMPT" != 1 ] || sleep 1000; echo done'
        async with self.run(self.make(workdir, timeout=_SHORT, grace=5)) as runner:
            job = await runner.wait(await runner.feed(self.shell(script), timeout=_SHORT))
            assert job.failure is Failure.TIMEOUT
            started = job.started
            await runner.retry(job, resources={"time": "1m"})
            await runner.wait(job)
            assert (job.status, job.attempt) == (JobStatus.FINISHED, 2)
        assert started is not None
        record = (await anyio.to_thread.run_sync(read_run, workdir)).jobs[job.index]
        assert (record.resources, record.timeout) == ({"time": 60.0}, None)
        assert (record.status, record.attempt) == (JobStatus.FINISHED, 2)
        await self.resumed_as_it_is(workdir)

    async def resumed_as_it_is(self, workdir: Any) -> None:
        """See that another driver finds the job finished, with what it asked for last."""
        async with self.run(self.make(workdir), existing="resume") as runner:
            (job,) = runner.jobs
            assert job.status is JobStatus.FINISHED
            assert job.resources == Resources(time=60)

    async def test_a_retry_that_asks_for_too_much_changes_nothing(self, workdir: Any) -> None:
        class Small(self.scheduler_class):  # type: ignore[name-defined,misc]  # known at run time
            def check_job(self, job: Job) -> None:
                super().check_job(job)
                if (self.time_limit(job) or 0) > 3600:
                    raise OptionError("no more than an hour")

        async with self.run(self.make(workdir, Small)) as runner:
            job = await runner.wait(await runner.feed(self.shell("exit 3")))
            for times in ("2h", ["1m", "2h"]):
                with pytest.raises(OptionError, match="hour"):
                    await runner.retry(job, resources={"time": times})
            assert (job.status, job.attempt, job.resources) == (JobStatus.FAILED, 1, None)
            await self.refused_when_fed(runner)

    async def refused_when_fed(self, runner: Runner) -> None:
        """See that a job is refused whose last attempt could never be run."""
        with pytest.raises(OptionError, match="hour"):
            await runner.feed(self.shell("exit 0"), resources={"time": ["1m", "2h"]})
