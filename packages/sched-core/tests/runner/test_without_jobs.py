"""A folder whose run was opened, and got no job."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest

from sched_core import EngineUnavailable, JobStatus, RunExists, RunLocked, Runner

from ..backend import session_scheduler

Session: Any = session_scheduler()


class Away(Session):  # type: ignore[misc]  # a class that is only known when this runs
    """A scheduler whose engine does not answer."""

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        raise EngineUnavailable("the engine is away")
        yield


async def test_a_run_begins_where_its_scheduler_could_not_be_used(tmp_path: Path) -> None:
    with pytest.raises(EngineUnavailable):
        async with Runner(Away(tmp_path), plugins=[]):
            raise AssertionError("it was opened")
    with anyio.fail_after(60):
        async with Runner(Session(tmp_path), plugins=[]) as runner:
            job = await runner.feed(["true"])
    assert (job.status, job.attempt) == (JobStatus.FINISHED, 1)
    with pytest.raises(RunExists):
        async with Runner(Session(tmp_path), plugins=[]):
            raise AssertionError("it was opened")


async def test_a_run_that_has_a_driver_and_no_job_yet_is_left_to_it(tmp_path: Path) -> None:
    async with Runner(Session(tmp_path), plugins=[]):
        with pytest.raises(RunLocked):
            async with Runner(Session(tmp_path), plugins=[]):
                raise AssertionError("it was opened")
