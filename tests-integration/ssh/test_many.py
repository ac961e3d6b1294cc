"""Many jobs of hosts: killed by few messages, and nothing left of them in the driver."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import anyio
import pytest

from sched_core import AttemptId, JobStatus

from ..leftovers import leaves_nothing
from .helpers import run_of, shell, until
from .hosts import Lab
from .test_faults import COUNTED, WAITS, host_of, open_gate, started, until_running


async def test_t20_kills_of_each_job_are_one_message_a_host(
    lab: Lab, tmp_path: Path, full: bool
) -> None:
    hosts = [lab.host(), lab.host()]
    told: Counter[str] = Counter()
    count = 10_000 if full else 100
    patience = 600.0 if full else 60.0
    options: dict[str, Any] = {"forks": 6, "grace": 1, "patience": patience}
    servers = {"h1": {"slots": 3}, "h2": {"slots": 3}}
    async with run_of(tmp_path / "run", servers=servers, **options) as runner:
        first = await runner.wait(await runner.feed(["true"]))
        jobs = await runner.feed_all([shell(COUNTED + WAITS, "waits")] * count)
        await until_running(*jobs[:6])
        await until(lambda: sum(len(started(host)) for host in hosts) == 6)
        for name in ("h1", "h2"):
            there: Any = host_of(runner, name)
            kill = there.kill

            async def counted(
                trees: Iterable[tuple[AttemptId, str]],
                grace: float,
                name: str = name,
                kill: Any = kill,
            ) -> None:
                told[name] += 1
                await kill(trees, grace)

            there.kill = counted
        kept, *others = jobs
        async with anyio.create_task_group() as group:
            for job in [first, *others]:
                group.start_soon(runner.kill, job)
        assert (first.status, kept.status) == (JobStatus.FINISHED, JobStatus.RUNNING)
        assert [len(host.processes("waits")) for host in hosts].count(0) == 1
        open_gate(*hosts)
    assert {job.status for job in others} == {JobStatus.KILLED}
    assert kept.status is JobStatus.FINISHED
    assert sum(len(started(host)) for host in hosts) == 6
    assert max(told.values()) <= 2


@pytest.mark.timeout(900)
async def test_t29_many_jobs_leave_nothing_in_the_driver(
    lab: Lab, tmp_path: Path, full: bool
) -> None:
    lab.host()
    async with run_of(tmp_path / "run", "h1", forks=8, patience=800) as runner:
        await leaves_nothing(runner, ["true"], 5000 if full else 100)
