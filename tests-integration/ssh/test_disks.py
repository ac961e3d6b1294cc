"""Disks of hosts that are full: at the run's opening, when inputs come, and when records are written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sched_core import Failure

from .helpers import outcome, run_of, shell, text, until
from .hosts import Host, Lab
from .test_errors import why
from .test_faults import WAITS, jobs_until_aside, open_gate, until_down, until_running

FILLS = "head -c 2000000 /dev/zero >filler 2>/dev/null"
SERVERS: dict[str, Any] = {"h1": {"workdir": "/small/runs"}}


@pytest.fixture
def small(lab: Lab) -> Host:
    """A host whose runs lie on a disk of 1 MiB."""
    return lab.host()


def fill(host: Host) -> None:
    """Leave not a single block free."""
    with (host.root / "small/filler").open("wb", buffering=0) as filler:
        while True:
            try:
                filler.write(bytes(4096))
            except OSError:
                return


async def test_t39_a_disk_that_is_full_from_the_beginning(small: Host, tmp_path: Path) -> None:
    fill(small)
    said = await why(tmp_path / "run", servers=SERVERS)
    assert said.startswith("h1: the disk cannot be written (is it full?): /small/runs/sched-")
    (small.root / "small/filler").unlink()
    async with run_of(tmp_path / "run", servers=SERVERS, existing="reuse") as runner:
        job = await runner.feed(["true"])
    assert outcome(job) == ("FINISHED", 0, None)


@pytest.mark.parametrize("rc", [0, 3])
async def test_t39_a_job_that_fills_the_disk(small: Host, tmp_path: Path, rc: int) -> None:
    async with run_of(tmp_path / "run", servers=SERVERS) as runner:
        job = await runner.feed(shell(f"echo out; {FILLS}; exit {rc}"))
    assert outcome(job) == (("FINISHED", 0, None) if rc == 0 else ("FAILED", rc, "EXIT"))
    assert text(job.stdout_file) == "out\n"


@pytest.mark.parametrize("rc", [pytest.param(0, marks=pytest.mark.full), 3])
async def test_t39_a_disk_that_is_full_when_nobody_listens(
    small: Host, tmp_path: Path, rc: int
) -> None:
    async with run_of(tmp_path / "run", servers=SERVERS) as runner:
        job = await runner.feed(shell(f"{WAITS}; {FILLS}; : >~/full; exit {rc}"))
        await until_running(job)
        with small.cut_off():
            await until_down(runner)
            open_gate(small)
            await until((small.home / "full").exists)
            await until(lambda: not small.processes("gate"))
            assert job.failure is Failure.UNAVAILABLE
    assert outcome(job) == (("FINISHED", 0, None) if rc == 0 else ("FAILED", rc, "EXIT"))


async def test_t39_t49_jobs_that_find_the_disk_full(lab: Lab, tmp_path: Path) -> None:
    one, _ = lab.host(), lab.host()
    servers = SERVERS | {"h2": {}}
    options: dict[str, Any] = {"error_strategy": "retry", "num_retries": 10, "forks": 4}
    async with run_of(tmp_path / "run", servers=servers, **options) as runner:
        await runner.wait(await runner.feed(["true"]))
        fill(one)
        jobs = await jobs_until_aside(runner, "h1")
    assert {outcome(job) for job in jobs} == {("FINISHED", 0, None)}
