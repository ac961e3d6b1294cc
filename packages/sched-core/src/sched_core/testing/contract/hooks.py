"""Hooks: each once an attempt, in order, with everything to read; none can lose a job."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from sched_core import Failure, HookError, Job, JobStatus, hookimpl

from .rig import BEGUN, HookRecorder, Rig

__all__ = ["HooksContract"]

BEFORE = ["on_job_queued", "on_job_submitting", "on_job_submitted", "on_job_started"]
GOOD = [*BEFORE, "on_job_verify", "on_job_succeeded"]
BAD = [*BEFORE, "on_job_failed"]


class HooksContract(Rig):
    """Hooks."""

    async def test_t53_each_hook_once_and_in_order(self, workdir: Any) -> None:
        hooks = HookRecorder()
        async with self.run(self.make(workdir, forks=2), plugins=[hooks]) as runner:
            good = await runner.feed(self.shell("exit 0"))
            bad = await runner.feed(self.shell("exit 1"))
            for job, last in ((good, "on_job_succeeded"), (bad, "on_job_failed")):
                await runner.wait(job)
                assert hooks.of(job)[-1] == last  # before the job is handed out
        assert hooks.of(good) == ["on_job_init", *GOOD]
        assert hooks.of(bad) == ["on_job_init", *BAD]
        assert hooks.runs == ["on_init", "on_shutdown"]

    async def test_t53_each_attempt_has_its_own_hooks(self, workdir: Any) -> None:
        hooks = HookRecorder()
        scheduler = self.make(workdir, error_strategy="retry", num_retries=2)
        async with self.run(scheduler, plugins=[hooks]) as runner:
            job = await runner.wait(await runner.feed(self.shell('[ "$SCHED_ATTEMPT" = 3 ]')))
        assert hooks.of(job, 1) == ["on_job_init", *BAD]
        assert hooks.of(job, 2) == BAD
        assert hooks.of(job, 3) == GOOD
        assert len(hooks.calls) == 1 + 2 * len(BAD) + len(GOOD)

    async def test_all_can_be_read_in_a_hook(self, workdir: Any) -> None:
        read: list[tuple[int, str, str, str]] = []

        class Reader:
            @hookimpl
            async def on_job_succeeded(self, job: Job) -> None:
                await self.read(job)

            @hookimpl
            async def on_job_failed(self, job: Job) -> None:
                await self.read(job)

            async def read(self, job: Job) -> None:
                stdout, stderr = (
                    await job.stdout_file.read_text(),
                    await job.stderr_file.read_text(),
                )
                rc_file = (await job.rc_file.read_text()).strip()
                read.append((await job.get_rc(), stdout, stderr, rc_file))

        async with self.run(self.make(workdir), plugins=[Reader()]) as runner:
            for rc in (0, 3):
                await runner.wait(
                    await runner.feed(self.shell(f"echo o{rc}; echo e{rc} >&2; exit {rc}"))
                )
        assert read == [(0, "o0\n", "e0\n", "0"), (3, "o3\n", "e3\n", "3")]

    async def test_t53_a_hook_that_raises_is_isolated(self, workdir: Any) -> None:
        class Raises:
            @hookimpl
            def on_job_started(self, job: Job) -> None:
                raise ValueError("started")

            @hookimpl
            async def on_job_succeeded(self, job: Job) -> None:
                raise ValueError("succeeded")

        hooks = HookRecorder()
        async with self.run(self.make(workdir), plugins=[Raises(), hooks]) as runner:
            job = await runner.wait(await runner.feed(self.shell("exit 0")))
            assert job.status is JobStatus.FINISHED
        assert hooks.of(job) == ["on_job_init", *GOOD]

    async def test_a_hook_that_raises_can_stop_the_run(self, workdir: Any) -> None:
        class Raises:
            @hookimpl
            def on_job_succeeded(self, job: Job) -> None:
                raise ValueError("mine")

        with pytest.raises(HookError, match="mine") as raised:
            async with self.run(
                self.make(workdir), plugins=[Raises()], hook_errors="raise"
            ) as runner:
                job = await runner.feed(self.shell("exit 0"))
        assert isinstance(raised.value.__cause__, ValueError)
        assert job.status is JobStatus.FINISHED  # it is not lost by that

    async def test_a_plugin_can_keep_a_job_from_being_submitted(self, workdir: Any) -> None:
        class Refuse:
            @hookimpl
            def on_job_submitting(self, job: Job) -> bool | None:
                return False if job.index == 0 else None

        hooks = HookRecorder()
        async with self.run(self.make(workdir), plugins=[Refuse(), hooks]) as runner:
            refused = await runner.wait(await runner.feed(self.shell(BEGUN)))
            other = await runner.wait(await runner.feed(self.shell(BEGUN)))
            assert (refused.status, refused.failure) == (JobStatus.KILLED, Failure.CANCELLED)
            assert not await self.has(refused, "begun")
            assert other.status is JobStatus.FINISHED
        assert hooks.of(refused)[-2:] == ["on_job_submitting", "on_job_killed"]
        assert "on_job_submitted" not in hooks.of(refused)

    async def test_running_jobs_are_polled(self, workdir: Any) -> None:
        polled: list[tuple[int, int]] = []
        often = anyio.Event()

        class Poll:
            @hookimpl
            async def on_job_polling(self, job: Job, counter: int) -> None:
                polled.append((job.index, counter))
                if len(polled) == 2:
                    often.set()

        scheduler = self.make(workdir, forks=1)
        async with self.run(scheduler, plugins=[Poll()]) as runner:
            await runner.feed(self.waiting())
            await runner.feed(self.shell("exit 0"))
            await often.wait()
            await self.open_gate(scheduler)
        assert {index for index, _ in polled[:2]} == {0}
        first, second = (counter for _, counter in polled[:2])
        assert second == first + 1

    async def test_plugins_add_to_the_script(self, workdir: Any) -> None:
        class Add:
            @hookimpl
            def on_jobcmd_init(self, job: Job) -> str:
                return f"echo init {job.index}"

            @hookimpl
            def on_jobcmd_prep(self, job: Job) -> str:
                return 'cmd+=("added argument")'

            @hookimpl
            def on_jobcmd_end(self, job: Job) -> str:
                return 'echo "end $rc"'

        async with self.run(self.make(workdir), plugins=[Add()]) as runner:
            job = await runner.wait(await runner.feed(["/bin/echo", "said"]))
            assert await self.output(job) == "init 0\nsaid added argument\nend 0\n"
