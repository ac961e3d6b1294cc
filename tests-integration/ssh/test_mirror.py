"""Runs in a bucket whose jobs run on hosts: what they leave comes to a mirror, and to the bucket."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from sched_core import Runner, SpecPath, clean_run
from sched_core.testing.contract.driver import driver_command, driver_killed_at_end
from sched_ssh import SshScheduler

from ..gbatch.mirrors import BucketRun, bucket_run
from .helpers import outcome, shell, until, until_tried
from .hosts import Lab
from .test_faults import COUNTED, WAITS, open_gate, started

pytestmark = pytest.mark.anyio

SCRIPT = 'echo "$SCHED_JOB_INDEX"; echo err >&2; echo own >"$SCHED_JOB_METADIR/own"'


@pytest.fixture
def bucket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], BucketRun]]:
    """What makes a run in a bucket: to be called in the hosts' network."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(bucket_run(tmp_path, monkeypatch))


def runner_of(run: BucketRun, existing: Any = "error", **options: Any) -> Runner:
    given: dict[str, Any] = {"servers": ["h1", "h2"], "keepalive": 0.5, "forks": 4, **options}
    return Runner(SshScheduler(run.workdir, **given), existing=existing, plugins=[])


async def test_hosts_with_disks_of_their_own(apart: Lab, bucket: Callable[[], BucketRun]) -> None:
    run = bucket()
    async with runner_of(run) as runner:
        await until_tried(runner)
        jobs = [await runner.feed(shell(SCRIPT)) for _ in range(6)]
        async for job in runner.as_completed():
            assert await job.stdout_file.read_text() == f"{job.index}\n"
    assert [outcome(job) for job in jobs] == [("FINISHED", 0, None)] * 6
    assert {job.host for job in jobs} == {"h1", "h2"}
    assert [run.text(f"{n}/job.stderr") for n in range(6)] == ["err\n"] * 6
    assert run.text("0/job.claim.1")
    assert [bool(r.problem) for r in await clean_run(runner.scheduler)] == [False] * 3
    assert not run.mirror.exists()


async def test_hosts_that_share_the_mirrors_disk(
    sharing: Lab, bucket: Callable[[], BucketRun]
) -> None:
    run = bucket()
    await SpecPath(f"{run.workdir}/in.txt").write_text("in\n")
    async with runner_of(run) as runner:
        jobs = [
            await runner.feed(shell(f'cat "$SCHED_WORKDIR/in.txt"; {SCRIPT}')) for _ in range(4)
        ]
    assert [run.text(f"{job.index}/job.stdout") for job in jobs] == [f"in\n{n}\n" for n in range(4)]
    assert run.text("3/own") == "own\n"


async def test_another_machine_goes_on_with_what_hosts_run(
    lab: Lab, bucket: Callable[[], BucketRun], tmp_path: Path
) -> None:
    one, two = lab.host(), lab.host()
    run = bucket()
    options: dict[str, Any] = {"servers": ["h1", "h2"], "keepalive": 0.5, "forks": 4}
    scheduler = SshScheduler(run.workdir, **options)
    argv = driver_command(scheduler, options, [shell(COUNTED + WAITS)] * 4, "asyncio")
    async with driver_killed_at_end(argv):
        await until(lambda: len(started(one)) + len(started(two)) == 4)
    run.mirror.rename(tmp_path / "gone")
    open_gate(one, two)
    async with runner_of(run, "resume") as runner:
        await runner.stop_feeding()
        assert [outcome(job) for job in runner.jobs] == [("FINISHED", 0, None)] * 4
    assert sorted(started(one) + started(two)) == ["0", "1", "2", "3"]
    assert all(run.text(f"{n}/job.rc") == "0\n" for n in range(4))
