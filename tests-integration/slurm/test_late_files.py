"""A disk on which what jobs write is seen by the driver only later."""

from __future__ import annotations

from pathlib import Path

import pytest

from ..clusters.answers import late_records_are_waited_for
from .cluster import SlurmCluster
from .helpers import Asked

pytestmark = [pytest.mark.full, pytest.mark.timeout(300)]


async def test_t08_a_record_that_is_a_minute_late_is_waited_for_without_accounting(
    bare_slurm: SlurmCluster, tmp_path: Path
) -> None:
    await late_records_are_waited_for(Asked(tmp_path / "run"), 60)
