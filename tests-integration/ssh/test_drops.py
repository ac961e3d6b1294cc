"""Connections that are lost in the middle of what goes over them, and hosts that then ask for more than a key."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable
from pathlib import Path
from typing import Any

import anyio
import pytest

from sched_core import Failure, JobStatus, Runner
from sched_core.runner import stopping

from .helpers import outcome, run_of, shell, text, until
from .hosts import Host, Lab
from .test_faults import COUNTED, WAITS, host_of, open_gate, started, until_running

STEPS = ["start", "upload", "download", "kill"]
"""A submission, a copy there, a copy back, and a question that waits for its answer."""


def drop_at(runner: Runner, host: Host, step: str, moment: str) -> anyio.Event:
    """Have the first connection lost just before or after that method of the host is called."""
    there: Any = host_of(runner, "h1")
    original, dropped = getattr(there, step), anyio.Event()

    def drop(now: str) -> None:
        if now == moment and not dropped.is_set():
            dropped.set()
            host.end_sessions()

    def around(*args: Any) -> Any:
        drop("before")
        result = original(*args)
        if inspect.isawaitable(result):
            return ended(result)
        drop("after")
        return result

    async def ended(result: Awaitable[Any]) -> Any:
        try:
            return await result
        finally:
            drop("after")

    setattr(there, step, around)
    return dropped


@pytest.mark.parametrize(
    "moment", ["before", pytest.param("after", marks=pytest.mark.full, id="after")]
)
@pytest.mark.parametrize("step", STEPS)
async def test_t30_a_connection_that_is_lost_at_a(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, moment: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("in").write_text("brought\n")
    host = lab.host(LogLevel="VERBOSE")
    async with run_of(tmp_path / "run", "h1", forks=2, grace=1, keepalive=15) as runner:
        await runner.wait(await runner.feed(["true"]))
        dropped = drop_at(runner, host, step, moment)
        staged = shell(COUNTED + "cat in >out; printf '%5000s' x; exit 3")
        job = await runner.feed(staged, inputs=["in"], outputs=["out"])
        other = await runner.feed(shell(COUNTED + WAITS, "other"))
        await runner.wait(job)
        await until_running(other)
        await until(lambda: sorted(started(host)) == ["1", "2"])
        await runner.kill(other)
        await until(dropped.is_set)
        assert not host.processes("other")
        await until(lambda: host.log().count("Accepted publickey") == 2)
        await until(lambda: host.connections() == 1)
    assert outcome(job) == ("FAILED", 3, "EXIT")
    assert (text(job.stdout_file), text(Path("out"))) == (f"{'x':>5000}", "brought\n")
    assert outcome(other)[::2] == ("KILLED", "CANCELLED")
    assert sorted(started(host)) == ["1", "2"]


class Enough(Exception):
    pass


async def test_t30_a_host_that_begins_to_ask_for_a_password_is_not_knocked_at(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """As one that wants a one-time password does: nobody is there to type it."""
    monkeypatch.setattr(stopping, "_MARGIN", 1.0)
    host = lab.host(LogLevel="VERBOSE")
    config = host.root / "etc/ssh/sshd_config"
    before = config.read_text()
    with pytest.raises(Enough):  # noqa: PT012  # raised inside the block
        async with run_of(tmp_path / "run", "h1", grace=0.2) as runner:
            job = await runner.feed(shell(COUNTED + WAITS))
            await until_running(job)
            asks = "AuthenticationMethods publickey,password\nPasswordAuthentication yes\n"
            config.write_text(asks + before)
            host.kill_sshd()
            host.start_sshd()
            await until(lambda: "lets nobody in" in caplog.text)
            assert (job.status, job.failure) == (JobStatus.RUNNING, Failure.UNAVAILABLE)
            await anyio.sleep(2)  # others would have come again by then
            assert host.log().count("Partial publickey") == 1
            raise Enough
    config.write_text(before)
    host.kill_sshd()
    host.start_sshd()
    open_gate(host)
    async with run_of(tmp_path / "run", "h1", grace=0.2, existing="resume") as runner:
        (job,) = runner.jobs
    assert job.status.final
    assert len(started(host)) == job.attempt
