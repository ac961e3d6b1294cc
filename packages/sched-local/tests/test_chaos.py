from __future__ import annotations

import contextlib
import os
import signal
import sys
from pathlib import Path
from random import Random

import anyio
import pytest

from sched_core import JobStatus, Runner
from sched_local import LocalScheduler

from .chaos import ChaosRun, Figures, every_kind_is_run
from .processes import read

pytestmark = pytest.mark.once

JOBS = 200
KILLS = 8
FULL_RUNS = 100


def test_the_jobs_are_of_every_kind() -> None:
    assert every_kind_is_run(JOBS)


@pytest.mark.parametrize("seed,backend", [(1, "asyncio"), (2, "trio"), (3, "asyncio")])
def test_t40_a_driver_killed_at_random_loses_and_repeats_nothing(
    tmp_path: Path, seed: int, backend: str
) -> None:
    run = ChaosRun(tmp_path, backend, Random(seed), JOBS, KILLS)
    run.check(run.drive())
    assert run.figures.kills > 0


@pytest.mark.full
@pytest.mark.timeout(7200)
def test_a_hundred_runs_lose_and_repeat_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    total = Figures()
    for seed in range(FULL_RUNS):
        backend = ("asyncio", "trio")[seed % 2]
        run = ChaosRun(tmp_path / str(seed), backend, Random(seed), JOBS, KILLS)
        try:
            run.check(run.drive())
        except AssertionError as error:
            error.add_note(f"seed {seed} on {backend}, after {run.figures}")
            raise
        total.add(run.figures)
    with capsys.disabled():
        sys.stdout.write(f"\n{FULL_RUNS} runs of {JOBS} jobs: {total}\n")


async def test_shells_killed_at_random_start_no_attempt_twice(tmp_path: Path) -> None:
    random = Random(4)
    scheduler = LocalScheduler(tmp_path / "run", 4, "retry", 0, infrastructure_retries=50)
    async with Runner(scheduler, plugins=[]) as runner:
        script = 'echo "$SCHED_ATTEMPT" >>"$1"; sleep 0.0$((RANDOM % 9))'
        jobs = [
            await runner.feed(["bash", "-c", script, "bash", str(tmp_path / str(index))])
            for index in range(JOBS)
        ]
        for _ in range(25):
            await anyio.sleep(random.uniform(0.01, 0.15))
            kill_a_shell(random, [slot.pid for slot in scheduler._slots._slots.values()])
    assert {job.status for job in jobs} == {JobStatus.FINISHED}
    for job in jobs:
        starts = (tmp_path / str(job.index)).read_text().split()
        assert len(starts) == len(set(starts))
        assert starts[-1] == str(job.attempt)


def kill_a_shell(random: Random, slots: list[int]) -> None:
    """Kill a slot, the recorder in it, or both."""
    if not slots:
        return
    slot = random.choice(slots)
    children = read(Path(f"/proc/{slot}/task/{slot}/children")).split()
    with contextlib.suppress(ProcessLookupError):
        match random.choice(["slot", "recorder", "both"]):
            case "slot":
                os.kill(slot, signal.SIGKILL)
            case "recorder" if children:
                os.kill(int(children[0]), signal.SIGKILL)
            case "both":
                os.killpg(slot, signal.SIGKILL)
