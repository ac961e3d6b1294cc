"""A task that its engine tells to end ends what its job has started, even if the engine does no more."""

from __future__ import annotations

from pathlib import Path

from sched_core import Failure, JobStatus, Runner

from .fake_slurm import processes_of
from .helpers import Quick, until, until_running

STUBBORN = "trap '' TERM; : >\"$0\"; while :; do sleep 0.1; done"


async def test_nothing_is_left_to_an_engine_that_looks_late(slurm: Path, tmp_path: Path) -> None:
    (slurm / "kill_wait").write_text("600")
    begun = tmp_path / "begun"
    apart = ["/bin/bash", "-c", 'setsid /bin/bash -c "$0" "$1" & wait', STUBBORN, str(begun)]
    async with Runner(Quick(tmp_path / "run", grace=0.3)) as runner:
        job = await runner.feed(apart)
        await until_running(job)
        await until(begun.exists)
        await runner.kill(job)
        assert (job.status, job.failure) == (JobStatus.KILLED, Failure.CANCELLED)
        await until(lambda: not processes_of(slurm, "1"))
