from __future__ import annotations

import random
from pathlib import Path

import pytest

from ..clusters.chaos import kill_and_resume
from ..clusters.engine import Engine

pytestmark = pytest.mark.timeout(1800)


async def test_a_driver_that_is_killed_at_random(
    engine: Engine, tmp_path: Path, full: bool
) -> None:
    runs, count = (20, 300) if full else (2, 100)
    chance = random.Random(3)
    for number in range(runs):
        after = chance.uniform(0.8, 6.0)
        await kill_and_resume(engine, tmp_path / f"run{number}", count, 60, after)
