"""What is shown before a run begins is what the real engine is then given."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from sched_core import JobStatus
from sched_hpc.cluster import ClusterScheduler
from sched_hpc.cluster.tool import Answer

from ..jobs import running
from .engine import Engine

__all__ = ["Previews"]

_IDS = re.compile(r"[0-9a-f]{10}-[0-9a-f]{16}")


class Previews:
    pytestmark = pytest.mark.timeout(300)

    @pytest.mark.parametrize("count", [1, 4])
    async def test_a_submission_is_what_was_shown(
        self, engine: Engine, tmp_path: Path, count: int
    ) -> None:
        scheduler = engine.scheduler_class(tmp_path / "run", forks=3, timeout=120)
        jobs = [scheduler.new_job(index, ["true"]) for index in range(count)]
        shown = dict(scheduler.preview(jobs, plugins=[]).parts)
        calls = _record(scheduler, engine.submits)
        async with running(scheduler) as runner:
            await runner.feed_all(jobs)
            await runner.stop_feeding()
            run = scheduler.session.run
        assert {job.status for job in jobs} == {JobStatus.FINISHED}
        ((argv, script),) = calls
        # where the tools lie is found out when the run begins
        assert _plain(shown["command"]) == _plain(shlex.join([engine.submits, *argv[1:]]))
        given = _plain(script).replace(run, "0" * 10)
        assert _plain(shown["standard input of the command"]) == given


def _plain(text: str) -> str:
    return _IDS.sub("IDS", text)


def _record(scheduler: ClusterScheduler, tool: str) -> list[tuple[list[str], str]]:
    """Keep the command lines of a tool and what stands on their input."""
    run, kept = scheduler.toolbox.run, []

    async def recorded(
        argv: Sequence[str], stdin: bytes = b"", extra: Mapping[str, str] | None = None
    ) -> Answer:
        if os.path.basename(argv[0]) == tool:
            kept.append((list(argv), os.fsdecode(stdin)))
        return await run(argv, stdin, extra)

    scheduler.toolbox.run = recorded  # type: ignore[method-assign]
    return kept
