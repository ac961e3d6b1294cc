"""Two drivers of one project: together they call Batch no more often than one would."""

from __future__ import annotations

import time
from collections.abc import Sequence
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

        ordered = time.monotonic()
        cloud.batch.fault("GetJob", "RESOURCE_EXHAUSTED", "Quota exceeded", details=[QUOTA])
        await until(partial(all_pause, cloud, drivers))
        calls = cloud.calls("GetJob")
        # One may have been on its way.
        await until(lambda: cloud.calls("GetJob") > calls + 1)
        assert time.monotonic() - ordered >= 4
        for driver in drivers:
            cloud.open_gate(workdir=str(driver.scheduler.workdir))
    assert [job.rc for job in jobs] == [0, 0]


async def all_pause(cloud: Cloud, drivers: Sequence[Runner]) -> bool:
    budgets = [driver.scheduler.session.budget for driver in drivers]
    told = [budget and (await cloud.do(budget.describe))[1] for budget in budgets]
    return all("nobody calls" in str(text) for text in told)


def both(cloud: Cloud) -> list[AbstractAsyncContextManager[Runner]]:
    return [cloud.run(cloud.scheduler(cloud.workdir(name))) for name in ("one", "two")]
