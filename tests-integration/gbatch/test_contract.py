"""What every scheduler must do: in full on asyncio, with a mount that is as good as a disk; and a share each
on trio, and with a mount like gcsfuse's.
"""

from __future__ import annotations

from typing import Any

import pytest

from sched_core.testing.contract import SchedulerContract
from sched_core.testing.contract.killing import KillingContract
from sched_core.testing.contract.outcomes import OutcomesContract
from sched_core.testing.contract.resuming import ResumingContract
from sched_core.testing.contract.retries import RetriesContract

from .contract_rig import BucketRig, WeakRig


class TestGbatch(BucketRig, SchedulerContract):
    backends = ("asyncio",)


class TestOnTrio(BucketRig, KillingContract, ResumingContract):
    backends = ("trio",)
    test_t05_drivers_that_are_killed_at_each_point_of_a_submission: Any = None
    """On asyncio only: six drivers load Google's libraries."""


class TestWeakMount(WeakRig, OutcomesContract, RetriesContract, KillingContract):
    backends = ("asyncio",)


@pytest.mark.full
class TestAllOnTrio(BucketRig, SchedulerContract):
    backends = ("trio",)


@pytest.mark.full
class TestAllOnWeakMount(WeakRig, SchedulerContract):
    backends = ("asyncio",)
