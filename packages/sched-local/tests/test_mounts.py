from __future__ import annotations

from pathlib import Path

import pytest

from sched_core import OptionError, Runner
from sched_local import LocalScheduler


async def test_a_mount_that_nobody_made_is_refused(tmp_path: Path) -> None:
    scheduler = LocalScheduler(tmp_path / "run", volumes=[f"{tmp_path}:/nowhere/to/be/seen"])
    with pytest.raises(OptionError, match="local mounts nothing"):
        async with Runner(scheduler, plugins=[]):
            pass


async def test_a_mount_that_is_there_is_used(tmp_path: Path) -> None:
    (tmp_path / "seen").symlink_to(tmp_path)
    scheduler = LocalScheduler(tmp_path / "run", volumes=[f"DATA={tmp_path}:{tmp_path}/seen"])
    async with Runner(scheduler, plugins=[]) as runner:
        job = await runner.feed(["sh", "-c", "echo $DATA"])
    assert await job.stdout_file.read_text() == f"{tmp_path}/seen\n"
