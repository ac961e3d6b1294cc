"""What every scheduler must do, on the engine."""

from __future__ import annotations

import pytest
from sched_core.testing.contract import SchedulerContract

from sched_template import TemplateScheduler


class TestTemplate(SchedulerContract):
    scheduler_class = TemplateScheduler

    @pytest.fixture(autouse=True)
    def _engine(self, queue: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.options = {"queue": queue}
        # Tests wait for the engine less than users want to: it has nothing else to do.
        monkeypatch.setattr(TemplateScheduler, "poll_interval", (0.2, 1.0))
        monkeypatch.setattr(TemplateScheduler, "spool_interval", 0.05)
