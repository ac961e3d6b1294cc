"""What follows a failure: nothing, another attempt, or the end of the run."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from sched_core import Failure, Job, JobStatus, RunHalted, hookimpl

from .rig import BEGUN, COUNTED, HookRecorder, Rig

__all__ = ["RetriesContract"]

THIRD_TIME_LUCKY = 'echo "attempt $SCHED_ATTEMPT"; [ "$SCHED_ATTEMPT" = 3 ]'
UNTIL_THE_END = f"{BEGUN}; while :; do sleep 0.1; done"


class RetriesContract(Rig):
    """Retries."""

    async def test_a_job_is_tried_until_it_succeeds(self, workdir: Any) -> None:
        scheduler = self.make(workdir, error_strategy="retry", num_retries=3)
        async with self.run(scheduler) as runner:
            job = await runner.wait(await runner.feed(self.shell(THIRD_TIME_LUCKY)))
            assert (job.status, job.rc, job.failure) == (JobStatus.FINISHED, 0, None)
            assert (job.attempt, job.trial_count) == (3, 2)
            assert await self.output(job) == "attempt 3\n"

    async def test_t45_the_files_of_attempts_are_kept(self, workdir: Any) -> None:
        scheduler = self.make(workdir, error_strategy="retry", num_retries=3)
        async with self.run(scheduler) as runner:
            job = await runner.wait(await runner.feed(self.shell(THIRD_TIME_LUCKY)))
            for attempt in (1, 2):
                kept = job.retry_dir / str(attempt)
                assert await (kept / "job.stdout").read_text() == f"attempt {attempt}\n"
                assert (await (kept / "job.rc").read_text()).split() == ["1"]

    async def test_t45_retries_end(self, workdir: Any) -> None:
        scheduler = self.make(workdir, error_strategy="retry", num_retries=1)
        async with self.run(scheduler) as runner:
            job = await runner.wait(await runner.feed(self.shell("exit 6")))
            assert (job.status, job.rc, job.failure) == (JobStatus.FAILED, 6, Failure.EXIT)
            assert (job.attempt, job.trial_count) == (2, 1)

    async def test_ignoring_a_failure_is_no_retry(self, workdir: Any) -> None:
        scheduler = self.make(workdir, error_strategy="ignore", num_retries=3)
        async with self.run(scheduler) as runner:
            bad = await runner.wait(await runner.feed(self.shell(COUNTED + "; exit 1", "bad")))
            good = await runner.wait(await runner.feed(self.shell("exit 0")))
            assert (bad.attempt, good.status) == (1, JobStatus.FINISHED)
            assert await self.counted(scheduler, "bad") == 1

    async def test_a_failure_halts_the_run(self, workdir: Any) -> None:
        marker = self.marker()
        scheduler = self.make(workdir, forks=2, error_strategy="halt")
        with pytest.raises(RunHalted) as raised:
            async with self.run(scheduler) as runner:
                runs = await runner.feed(self.shell(UNTIL_THE_END, marker))
                fails = await runner.feed([*self.waiting()[:2], self.waiting()[2] + "; exit 1"])
                rest = [await runner.feed(self.shell(BEGUN)) for _ in range(5)]
                await self.until_running(runs, fails)
                await self.open_gate(scheduler)
        assert raised.value.job is fails
        assert (fails.status, fails.rc) == (JobStatus.FAILED, 1)
        assert runs.status is JobStatus.KILLED
        await self.until_gone(marker)
        for job in rest:
            assert not job.status.final
            assert not await self.has(job, "begun")

    async def test_a_run_that_halts_soon_lets_end_what_runs(self, workdir: Any) -> None:
        scheduler = self.make(workdir, forks=2, error_strategy="halt", halt="soon")
        with pytest.raises(RunHalted) as raised:
            async with self.run(scheduler) as runner:
                runs = await runner.feed(self.waiting())
                await self.until_running(runs)
                commands = [self.shell("exit 1"), *[self.shell(BEGUN)] * 5]
                fails, *rest = await runner.feed_all(commands)
                await runner.wait(fails)
                await self.open_gate(scheduler)
        assert raised.value.job is fails
        assert (fails.status, runs.status) == (JobStatus.FAILED, JobStatus.FINISHED)
        for job in rest:
            assert not await self.has(job, "begun")
        async with self.run(self.make(workdir), existing="resume") as runner:
            await runner.stop_feeding()
            counts = Counter(job.status for job in runner.jobs)
        assert counts == {JobStatus.FAILED: 1, JobStatus.FINISHED: 6}

    async def test_a_halted_run_takes_no_more_jobs(self, workdir: Any) -> None:
        with pytest.raises(RunHalted):
            async with self.run(self.make(workdir, error_strategy="halt")) as runner:
                await runner.feed(self.shell("exit 1"))
                with pytest.raises(RunHalted):
                    await runner.stop_feeding()
                await runner.feed(["/bin/true"])

    async def test_a_failed_verification_is_a_failure(self, workdir: Any) -> None:
        class Verify:
            @hookimpl
            async def on_job_verify(self, job: Job) -> str | None:
                found = await job.stdout_file.read_text()
                return None if found == "attempt 3\n" else f"found {found!r}"

        hooks = HookRecorder()
        scheduler = self.make(workdir, error_strategy="retry", num_retries=1)
        async with self.run(scheduler, plugins=[Verify(), hooks]) as runner:
            job = await runner.feed(self.shell('echo "attempt $SCHED_ATTEMPT"'))
            await runner.wait(job)
            assert (job.status, job.failure, job.rc) == (JobStatus.FAILED, Failure.OUTPUT, 0)
            assert (job.attempt, job.trial_count) == (2, 1)
            assert job.reason == "found 'attempt 2\\n'"
            assert await job.status_file.read_text() == str(int(JobStatus.FAILED))
        assert "on_job_succeeded" not in hooks.of(job)
        assert hooks.of(job, 1)[-2:] == ["on_job_verify", "on_job_failed"]

    @pytest.mark.parametrize("wanted", [True, False])
    async def test_a_plugin_decides_whether_to_retry(self, workdir: Any, wanted: bool) -> None:
        decided: list[bool] = []

        class Decide:
            @hookimpl
            def on_job_failed(self, job: Job) -> None:
                decided.append(job.will_retry)
                job.will_retry = wanted and job.attempt < 2

        strategy = "ignore" if wanted else "retry"
        async with self.run(
            self.make(workdir, error_strategy=strategy), plugins=[Decide()]
        ) as runner:
            job = await runner.wait(await runner.feed(self.shell("exit 1")))
            assert job.attempt == (2 if wanted else 1)
            assert decided[0] is not wanted
