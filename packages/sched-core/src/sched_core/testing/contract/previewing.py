"""What is shown of a run before it begins is what it then does, and showing it does nothing."""

from __future__ import annotations

from typing import Any

from sched_core import Job, JobStatus, Scheduler

from .rig import Rig

__all__ = ["PreviewContract"]

_COMMAND = ["/bin/sh", "-c", 'echo "$A" "$0"', "it's\ttold"]


class PreviewContract(Rig):
    """Previews."""

    def test_a_preview_writes_and_changes_nothing(self, workdir: Any, tmp_path: Any) -> None:
        scheduler = self.make(workdir, forks=2)
        jobs = _jobs(scheduler, 3)
        files, options = sorted(tmp_path.rglob("*")), scheduler.options()
        first, second = (scheduler.preview(jobs, plugins=[]) for _ in range(2))
        assert first == second
        assert first.jobs[0] is jobs[0]
        assert {job.status for job in jobs} == {JobStatus.INIT}
        assert scheduler.options() == options
        assert sorted(tmp_path.rglob("*")) == files

    async def test_the_script_that_a_preview_shows_is_the_one_that_runs(self, workdir: Any) -> None:
        scheduler = self.make(workdir)
        (job,) = _jobs(scheduler, 1)
        parts = dict(scheduler.preview([job], plugins=[]).parts)
        assert not await scheduler.workdir.exists()
        async with self.run(scheduler) as runner:
            await runner.feed(job)
            await runner.wait(job)
            run = scheduler.session.run
        assert job.status is JobStatus.FINISHED
        stored = await (job.metadir / f"job.wrapped.{scheduler.name}").read_text()
        assert parts["script of job 0"] == stored.replace(run, "0" * len(run))


def _jobs(scheduler: Scheduler, count: int) -> list[Job]:
    return [scheduler.new_job(index, _COMMAND, {"A": "a b"}) for index in range(count)]
