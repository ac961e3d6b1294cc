from __future__ import annotations

from typing import ClassVar

import pytest
from sched_core.testing.contract import SchedulerContract
from sched_hpc import SlurmScheduler


class Asked(SlurmScheduler):
    """Asked more often, for tests."""

    poll_interval: ClassVar[tuple[float, float]] = (0.5, 2.0)


@pytest.mark.usefixtures("slurm")
class TestSlurm(SchedulerContract):
    scheduler_class = Asked
    backends = ("asyncio", "trio")
    patience = 60.0
