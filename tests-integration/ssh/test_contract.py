from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from sched_core.testing.contract import SchedulerContract
from sched_ssh import SshScheduler


@pytest.mark.usefixtures("sharing")
class TestSsh(SchedulerContract):
    scheduler_class = SshScheduler
    options: Mapping[str, Any] = {"servers": ["h1", "h2"]}
    backends = ("asyncio",)
    patience = 60.0
