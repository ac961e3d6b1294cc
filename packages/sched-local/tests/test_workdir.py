from __future__ import annotations

from pathlib import Path

import pytest

from sched_core import Runner
from sched_local import LocalScheduler


async def test_a_relative_workdir_is_as_good_as_a_whole_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with Runner(LocalScheduler("below/../run"), plugins=[]) as runner:
        job = await runner.feed(["bash", "-c", 'echo "$SCHED_JOB_METADIR"'])
        await runner.wait(job)
        printed = await job.stdout_file.read_text()
    assert printed == f"{tmp_path}/run/0\n"
    assert job.started is not None  # the slot has told of it
