from __future__ import annotations

import pytest

from sched_core.testing.contract import SchedulerContract

__all__ = ["ClusterContract"]


class ClusterContract(SchedulerContract):
    """What every scheduler must do, on a real engine."""

    pytestmark = pytest.mark.timeout(300)
    # the engine is the same to both; the packages' own tests have trio, too
    backends = ("asyncio",)
    patience = 120.0
