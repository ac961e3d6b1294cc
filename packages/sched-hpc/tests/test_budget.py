"""Eight drivers, one engine: it gets no more calls than one budget allows, whatever becomes of them."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import anyio
import pytest

from sched_core import EngineUnavailable, Job, JobStatus, OptionError, Runner
from sched_core.model.rate import Rate
from sched_core.paths import SpecPath
from sched_hpc import SgeScheduler, SlurmScheduler

from .fake_slurm import Call, calls_of, count_calls

DRIVER = Path(__file__).with_name("budget_driver.py")
RATE = "4/s:8"
JOBS = 3
DRIVERS = 8


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def began(slurm: Path) -> float:
    """When the calls began to be counted."""
    count_calls(slurm)
    return time.monotonic()


@pytest.fixture
def drivers(tmp_path: Path, began: float) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Start eight drivers, whose calls are counted from now on."""
    with ExitStack() as stack:
        started = []
        for number in range(DRIVERS):
            command = [sys.executable, str(DRIVER), str(tmp_path / f"run{number}"), str(JOBS), RATE]
            started.append(stack.enter_context(subprocess.Popen(command)))
            stack.callback(end, started[-1])
        yield started


def end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGCONT)
        process.kill()


def check_budget(calls: list[Call], since: float, rate: Rate) -> None:
    # From the beginning on each time: a call that a loaded machine starts late may meet the next one.
    for count, call in enumerate(sorted(calls), 1):
        assert count <= rate.burst + 1 + rate.per_second * (call.moment - since)


def wait_for_calls(slurm: Path, number: int) -> None:
    until = time.monotonic() + 120
    while len(calls_of(slurm)) < number:
        assert time.monotonic() < until
        time.sleep(0.05)


@pytest.mark.timeout(300)  # of which each wait has its own share
def test_t03_eight_drivers_share_one_budget_though_two_die_and_one_stands_still(
    slurm: Path, drivers: list[subprocess.Popen[bytes]], began: float
) -> None:
    wait_for_calls(slurm, 14)
    first, second, stopped, *others = drivers
    stopped.send_signal(signal.SIGSTOP)
    for process in (first, second):
        process.kill()
    assert [process.wait(90) for process in others] == [0] * 5
    stopped.send_signal(signal.SIGCONT)
    assert stopped.wait(90) == 0
    calls = calls_of(slurm)
    check_budget(calls, began, Rate.from_value(RATE))
    submitted = Counter(call.driver for call in calls if call.tool == "sbatch")
    assert [submitted[process.pid] for process in (stopped, *others)] == [JOBS] * 6


class Curious(SlurmScheduler):
    poll_interval = (0.5, 0.5)
    spool_interval = 0.1


async def drive(scheduler: Curious, enough: anyio.Event) -> None:
    async with Runner(scheduler, plugins=[]) as runner:
        await runner.feed(["true"])
        await enough.wait()
        await runner.cancel()


async def test_t03_drivers_ask_in_turn_about_jobs_that_wait(
    slurm: Path, tmp_path: Path, began: float
) -> None:
    several = [Curious(tmp_path / f"run{number}", hold=True) for number in range(4)]
    enough = anyio.Event()
    async with anyio.create_task_group() as group:
        for scheduler in several:
            group.start_soon(drive, scheduler, enough)
        with anyio.fail_after(60):
            while any(scheduler.toolbox.calls["squeue"] < 3 for scheduler in several):  # noqa: ASYNC110  # nothing announces it
                await anyio.sleep(0.1)
        questions = sum(scheduler.toolbox.calls["squeue"] for scheduler in several)
        asked_for = time.monotonic() - began
        enough.set()
    assert questions <= asked_for / 0.5 + 3


BUSY = {
    "sbatch: error: Batch job submission failed: Socket timed out on send/recv operation": True,
    "squeue: error: Slurm RPC rate limit exceeded": True,
    "squeue: error: Unable to contact slurm controller (connect failure)": False,
}


@pytest.mark.parametrize("words", BUSY)
async def test_an_engine_that_has_too_much_to_do_is_left_alone_by_all(
    words: str, tmp_path: Path
) -> None:
    squeue = tmp_path / "squeue"
    squeue.write_text(f"#!/bin/sh\necho '{words}' >&2\nexit 1\n")
    squeue.chmod(0o755)
    mine, other = (SlurmScheduler(tmp_path / name, squeue=str(squeue)) for name in "ab")
    job = Job(0, ["true"], SpecPath(tmp_path))
    with pytest.raises(EngineUnavailable):
        await mine.job_is_running(job)
    budget = other.session.budget
    assert budget is not None
    verdict, text = await other.session.ports.offload(budget.describe)
    assert (verdict is None) is BUSY[words]
    assert ("it had too much to do" in text) is BUSY[words]


async def test_a_tool_that_does_not_return_is_a_sign_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SgeScheduler, "tool_patience", 0.2)
    qalter = tmp_path / "qalter"
    qalter.write_text("#!/bin/sh\nexec sleep 60\n")
    qalter.chmod(0o755)
    scheduler = SgeScheduler(tmp_path, qalter=str(qalter))
    with pytest.raises(EngineUnavailable, match="did not return"):
        await scheduler.set_limit("1", 2)
    budget = scheduler.session.budget
    assert budget is not None
    assert "had too much to do" in (await scheduler.session.ports.offload(budget.describe))[1]


def test_the_rate_is_an_option_that_is_recorded(tmp_path: Path) -> None:
    assert SlurmScheduler(tmp_path).engine_rate == Rate(10, 50)
    assert SgeScheduler(tmp_path, engine_rate="30/min").options()["engine_rate"] == "30/min:3"
    with pytest.raises(OptionError, match="engine_rate 'often' is no rate; write for example"):
        SlurmScheduler(tmp_path, engine_rate="often")


def test_endpoints_differ_by_where_the_engine_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SLURM_CLUSTERS", raising=False)
    monkeypatch.setenv("SLURM_CONF", "/one.conf")
    monkeypatch.setenv("SGE_ROOT", "/one")
    slurm, sge = SlurmScheduler(tmp_path), SgeScheduler(tmp_path)
    seen = {slurm.endpoint(), sge.endpoint()}
    seen.add(SlurmScheduler(tmp_path, clusters="east").endpoint())
    monkeypatch.setenv("SLURM_CONF", "/two.conf")
    monkeypatch.setenv("SGE_CELL", "second")
    seen |= {slurm.endpoint(), sge.endpoint()}
    assert len(seen) == 5


async def test_a_run_ends_though_its_submissions_wait_for_their_turn(
    slurm: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    count_calls(slurm)
    scheduler = SlurmScheduler(tmp_path / "run", engine_rate="1/h:6")
    async with Runner(scheduler) as runner:
        budget = scheduler.session.budget
        assert budget is not None
        with anyio.move_on_after(2):  # the last turn comes in an hour
            for _ in range(7):
                await budget.take()
        job = await runner.feed(["/bin/true"])
        while not list((tmp_path / "run/.sched/submissions").iterdir()):  # noqa: ASYNC110  # nothing announces it
            await anyio.sleep(0.02)
        with anyio.fail_after(90):  # and so does its own
            await runner.cancel()
    assert job.status is JobStatus.QUEUED  # a resumed run goes on with it
    assert "sbatch" not in {call.tool for call in calls_of(slurm)}
    assert "trying again" not in caplog.text
