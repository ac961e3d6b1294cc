"""A driver that calls its engine as often as it may: python budget_driver.py WORKDIR JOBS RATE."""

from __future__ import annotations

import sys

import anyio

from sched_core import JobStatus, Runner
from sched_hpc import SlurmScheduler


class Impatient(SlurmScheduler):
    spool_interval = 0.1


async def main(workdir: str, jobs: int, rate: str) -> int:
    scheduler = Impatient(workdir, forks=100, engine_rate=rate)
    async with Runner(scheduler, plugins=[]) as runner:
        for number in range(jobs):
            # Of another time limit each: none can share a submission.
            await runner.feed(["true"], timeout=600 + 60 * number)
    return sum(job.status is not JobStatus.FINISHED for job in runner.jobs)


if __name__ == "__main__":
    sys.exit(anyio.run(main, sys.argv[1], int(sys.argv[2]), sys.argv[3]))
