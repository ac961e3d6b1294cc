from __future__ import annotations

from sched_core.testing.contract import SchedulerContract
from sched_local import LocalScheduler


class TestLocal(SchedulerContract):
    scheduler_class = LocalScheduler
