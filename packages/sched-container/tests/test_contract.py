from __future__ import annotations

from typing import Any

import pytest

from sched_container import ContainerScheduler
from sched_core.testing.contract import SchedulerContract

from .fake import FakeDocker


class TestContainer(SchedulerContract):
    scheduler_class = ContainerScheduler
    workdir_names = SchedulerContract.workdir_names[:-1]  # no engine mounts what is not UTF-8

    @pytest.fixture(autouse=True)
    def _engine(self, docker: FakeDocker) -> None:
        self.options: dict[str, Any] = {"image": "img", "bin": str(docker.program)}
