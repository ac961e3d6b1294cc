from __future__ import annotations

import sys
from pathlib import Path
from random import Random

import pytest

from .chaos import ChaosRun, Figures, every_kind_is_run

JOBS = 200
KILLS = 8
FULL_RUNS = 100


def test_the_jobs_are_of_every_kind() -> None:
    assert every_kind_is_run(JOBS)


@pytest.mark.parametrize("seed,backend", [(1, "asyncio"), (2, "trio"), (3, "asyncio")])
def test_a_driver_killed_at_random_loses_and_repeats_nothing(
    tmp_path: Path, seed: int, backend: str
) -> None:
    run = ChaosRun(tmp_path, backend, Random(seed), JOBS, KILLS)
    run.check(run.drive())
    assert run.figures.kills > 0


@pytest.mark.timeout(7200)
def test_a_hundred_runs_lose_and_repeat_nothing(
    tmp_path: Path, full: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    if not full:
        pytest.skip("a hundred runs take long: ask for them with --full")
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
