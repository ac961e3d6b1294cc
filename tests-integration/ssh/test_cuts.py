"""Links that are cut for 5 s, for 60 s, and for good."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import Any

import anyio
import pytest

from sched_core import Failure, JobStatus
from sched_core.runner import stopping

from .helpers import outcome, run_of, shell, text, until
from .hosts import Lab
from .test_faults import COUNTED, WAITS, open_gate, started, until_down, until_running

log = logging.getLogger(__name__)

CUTS = [
    pytest.param(5, 0.5, False, id="5-apart"),
    pytest.param(5, 15, True, id="5-unnoticed-shared"),
    *(
        pytest.param(60, keepalive, shared, marks=pytest.mark.full)
        for keepalive in (0.5, 15)
        for shared in (False, True)
    ),
]
"""Seconds, after how many a silent host is asked, and whether it shares the disk."""


@pytest.mark.timeout(600)
@pytest.mark.parametrize("seconds,keepalive,shared", CUTS)
async def test_t30_a_cut_of(
    lab: Lab,
    tmp_path: Path,
    seconds: float,
    keepalive: float,
    shared: bool,
) -> None:
    host = lab.host(uid=0, shared=[tmp_path]) if shared else lab.host()
    options: dict[str, Any] = {"keepalive": keepalive, "forks": 3, "patience": 300}
    async with run_of(tmp_path / "run", servers={"h1": {"slots": 3}}, **options) as runner:
        failing = await runner.feed(shell(f"{COUNTED}{WAITS}; exit 3"))
        ending = await runner.feed(shell(f"{COUNTED}{WAITS}"))
        staying = await runner.feed(shell(f"{COUNTED}{WAITS.replace('gate', 'later')}"))
        waiting = await runner.feed(shell(COUNTED))
        await until_running(failing, ending, staying)
        with host.cut_off():
            cut = anyio.current_time()
            open_gate(host)
            await until(lambda: len(host.processes("gate")) == 0)
            await anyio.sleep(cut + seconds - anyio.current_time())
            assert {failing.status, ending.status} == {JobStatus.RUNNING}
        healed = time.monotonic()
        for job in (failing, ending, waiting):
            await runner.wait(job)
        took = time.monotonic() - healed
        log.info("cut %g s, keepalive %g s: ends known after %.1f s", seconds, keepalive, took)
        assert (staying.status, staying.failure) == (JobStatus.RUNNING, None)
        (host.home / "later").touch()
    assert outcome(failing) == ("FAILED", 3, "EXIT")
    assert [outcome(job) for job in (ending, staying, waiting)] == [("FINISHED", 0, None)] * 3
    assert sorted(started(host)) == ["0", "1", "2", "3"]
    assert text(ending.stdout_file) == "over\n"


async def test_a_cut_for_good_ends_with_the_drivers_patience(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stopping, "_MARGIN", 1.0)
    host = lab.host()

    class Enough(Exception):
        pass

    with pytest.raises(Enough):  # noqa: PT012  # raised inside the block
        async with run_of(tmp_path / "run", "h1", grace=0.2) as runner:
            job = await runner.feed(shell(COUNTED + WAITS, "lonely"))
            await until_running(job)
            host.cut()
            await until(lambda: job.failure is Failure.UNAVAILABLE)
            assert job.reason.endswith("waiting for the host")
            raise Enough
    # It could not be told to end, and nobody says that it has.
    assert (job.status, job.failure) == (JobStatus.KILLING, Failure.UNAVAILABLE)
    assert host.processes("lonely")
    host.heal()
    async with run_of(tmp_path / "run", "h1", grace=0.2, existing="resume") as runner:
        (job,) = runner.jobs
        # What it left is ended before it is tried again.
        await until(lambda: len(started(host)) == 2)
        await until(lambda: len(host.processes("lonely")) == 1)
        open_gate(host)
    assert (outcome(job), job.attempt) == (("FINISHED", 0, None), 2)


async def test_a_host_that_is_gone_and_comes_back(lab: Lab, tmp_path: Path) -> None:
    one, two = lab.host(), lab.host()
    options: dict[str, Any] = {"error_strategy": "retry", "num_retries": 0, "connect_timeout": 10}
    async with run_of(tmp_path / "run", "h1", "h2", forks=2, **options) as runner:
        jobs = [await runner.feed(shell(COUNTED + WAITS)) for _ in range(2)]
        await until_running(*jobs)
        (there,) = [job for job in jobs if job.host == "h1"]
        one.power_off()
        await until_down(runner)
        await until(lambda: "waiting for the host" in there.reason)
        # That it is silent proves nothing.
        assert (there.status, there.failure) == (JobStatus.RUNNING, Failure.UNAVAILABLE)
        open_gate(two)
        await runner.wait(next(job for job in jobs if job is not there))
        assert (there.attempt, there.host) == (1, "h1")
        one.boot()
        open_gate(one)
        await runner.wait(there)
    assert (outcome(there), there.attempt) == (("FINISHED", 0, None), 2)
    assert (there.trial_count, there.infrastructure_retries) == (0, 1)
