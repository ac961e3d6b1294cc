"""An end by a signal is held until Batch has said whose doing it was."""

from __future__ import annotations

from typing import Any

from sched_core import Failure, JobStatus

from .cloud import Cloud, batch_of, number_of, until

# Before a Spot machine is taken away it is shut down: commands hear of that, and so may end first.
_STAYS: dict[str, Any] = {"order": 1, "alwaysRun": True, "script": {"text": "sleep 600"}}
_ENDED = 'kill -TERM "$$"'


async def test_a_command_that_hears_of_its_machines_end_first(cloud: Cloud) -> None:
    command = ["/bin/bash", "-c", f'[ "$SCHED_ATTEMPT" = 1 ] || exit 0; {_ENDED}']
    options: dict[str, Any] = {"runnables": [_STAYS], "error_strategy": "retry", "num_retries": 0}
    async with cloud.run(**options) as runner:
        job = await runner.feed(command)
        active = runner.scheduler.session.active
        await until(lambda: job.index in active and active[job.index].held)
        assert job.status is JobStatus.RUNNING
        await cloud.do(cloud.batch.strike, batch_of(job), number_of(job), 50001)
        await runner.wait(job)
    assert (job.status, job.attempt, job.trial_count) == (JobStatus.FINISHED, 2, 0)
    assert job.infrastructure_retries == 1


async def test_a_command_that_was_ended_by_a_signal_of_its_own(cloud: Cloud) -> None:
    async with cloud.run() as runner:
        (job,) = await runner.feed_all([["/bin/bash", "-c", _ENDED]])
    assert (job.status, job.failure, job.rc) == (JobStatus.FAILED, Failure.EXIT, 143)
