from __future__ import annotations

import random
import sys
from pathlib import Path

import pytest

from ..clusters.chaos import kill_and_resume
from ..clusters.engine import Engine

pytestmark = pytest.mark.timeout(1800)


async def test_a_driver_that_is_killed_at_random(
    engine: Engine, tmp_path: Path, full: bool
) -> None:
    runs, count, longest = (20, 300, 12.0) if full else (1, 100, 4.0)
    chance = random.Random(3)
    left = [
        await kill_and_resume(
            engine, tmp_path / f"run{number}", count, 30, chance.uniform(0.5, longest)
        )
        for number in range(runs)
    ]
    sys.stdout.write(f"{runs} drivers killed when so many of {count} jobs had ended: {left}\n")
