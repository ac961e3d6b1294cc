from __future__ import annotations

import pytest

from sched_core.testing.contract import SchedulerContract

from .helpers import Asked


@pytest.mark.usefixtures("slurm")
class TestSlurm(SchedulerContract):
    scheduler_class = Asked
    backends = (
        "asyncio",
    )  # the engine is the same to both; the packages' own tests have trio, too
    patience = 60.0
