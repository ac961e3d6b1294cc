"""Two drivers of one project: together they call Batch no more often than one would."""

from __future__ import annotations

import time
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from functools import partial

from sched_core import Runner

from .cloud import Cloud, gated, until

QUOTA = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "4s"}


async def test_t03_two_drivers_ask_in_turn_and_pause_together(cloud: Cloud) -> None:
    async with AsyncExitStack() as stack:
        began = time.monotonic()
        drivers = [await stack.enter_async_context(run) for run in both(cloud)]
        jobs = [await driver.feed(gated()) for driver in drivers]
        await cloud.begun(*jobs)
        await until(lambda: cloud.calls("GetJob") >= 12)
        calls, since = cloud.calls("GetJob"), time.monotonic() - began
        shortest = drivers[0].scheduler.poll_interval[0]
        assert calls <= since / shortest + 3

        cloud.batch.fault("GetJob", "RESOURCE_EXHAUSTED", "Quota exceeded", details=[QUOTA])
        for driver in drivers:
            await until(partial(pauses, cloud, driver))
        calls, paused = cloud.calls("GetJob"), time.monotonic()
        await until(lambda: cloud.calls("GetJob") > calls + 1)
        assert time.monotonic() - paused >= 3
        for driver in drivers:
            cloud.open_gate(workdir=str(driver.scheduler.workdir))
    assert [job.rc for job in jobs] == [0, 0]


async def pauses(cloud: Cloud, driver: Runner) -> bool:
    budget = driver.scheduler.session.budget
    assert budget is not None
    return "nobody calls" in (await cloud.do(budget.describe))[1]


def both(cloud: Cloud) -> list[AbstractAsyncContextManager[Runner]]:
    return [cloud.run(cloud.scheduler(cloud.workdir(name))) for name in ("one", "two")]
