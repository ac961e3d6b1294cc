from __future__ import annotations

from sched_core.testing.contract import SchedulerContract

from .backend import session_scheduler


class TestSession(SchedulerContract):
    scheduler_class = session_scheduler()
    kills_tree = False
