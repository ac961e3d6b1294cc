"""Many jobs of Google Batch: nothing is left of them in the driver."""

from __future__ import annotations

import pytest

from ..leftovers import leaves_nothing
from .cloud import Cloud


@pytest.mark.timeout(1200)
async def test_t29_many_jobs_leave_nothing_in_the_driver(cloud: Cloud, full: bool) -> None:
    async with cloud.run(forks=50, patience=1100) as runner:
        await leaves_nothing(runner, ["true"], 5000 if full else 60)
