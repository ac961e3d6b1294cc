"""When an attempt was where, and what it has used."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import anyio
import pytest

from sched_core import read_run

from .rig import Rig, needs

__all__ = ["UsageContract"]

_AWAKE = 0.2
_CLOCKS_DIFFER = 2.0
"""Seconds, for engines that tell whole ones."""
BUSY = """
while :; do
  i=0; while [ $i -lt 20000 ]; do i=$((i + 1)); done
  times >"$SCHED_WORKDIR/spent.$SCHED_ATTEMPT"
  read -r spent rest <"$SCHED_WORKDIR/spent.$SCHED_ATTEMPT"
  case $spent in 0m0.[01]*) ;; *) break ;; esac
done
exit $1
"""
"""Has used a processor for _AWAKE seconds when it ends."""


class UsageContract(Rig):
    """What an attempt has used."""

    tells_cpu = True
    """Whether it tells what processors have spent on a job."""

    async def test_the_times_of_an_attempt_are_known(self, workdir: Any) -> None:
        async with self.run(self.make(workdir)) as runner:
            job = await runner.wait(await runner.feed(self.shell("exit 0")))
        record = (await anyio.to_thread.run_sync(read_run, workdir)).jobs[job.index]
        assert None not in (job.queued, job.submitted, job.started, job.ended)
        assert (record.queued, record.submitted) == (job.queued, job.submitted)
        assert (record.started, record.ended) == (job.started, job.ended)
        assert record.queued is not None
        assert record.submitted is not None
        assert record.queued <= record.submitted

    async def test_t10_times_are_right_whatever_the_time_zones(
        self, workdir: Any, far_away: str
    ) -> None:
        before = time.time()
        async with self.run(self.make(workdir)) as runner:
            job = await runner.feed(self.shell("exit 0"), envs={"TZ": far_away})
            await runner.wait(job)
        assert None not in (job.started, job.ended)
        assert before - _CLOCKS_DIFFER <= (job.started or 0) <= (job.ended or 0)
        assert (job.ended or 0) <= time.time() + _CLOCKS_DIFFER

    @pytest.fixture
    def far_away(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
        """Have the driver in one time zone, and return one on the other side of the date line."""
        with monkeypatch.context() as patch:
            patch.setenv("TZ", "EAST-14")
            time.tzset()
            yield "WEST+11"
        time.tzset()

    @needs("tells_cpu")
    async def test_what_processors_have_spent_is_known(self, workdir: Any) -> None:
        async with self.run(self.make(workdir)) as runner:
            good = await runner.wait(await runner.feed(self.shell(BUSY, "0")))
            bad = await runner.wait(await runner.feed(self.shell(BUSY, "3")))
        records = (await anyio.to_thread.run_sync(read_run, workdir)).jobs
        for job, rc in ((good, 0), (bad, 3)):
            assert job.rc == rc
            assert job.cpu is not None
            assert _AWAKE <= job.cpu < 20
            assert records[job.index].cpu == job.cpu

    async def test_another_attempt_begins_anew(self, workdir: Any) -> None:
        scheduler = self.make(workdir, error_strategy="retry", num_retries=1)
        async with self.run(scheduler) as runner:
            job = await runner.feed(self.shell('[ "$SCHED_ATTEMPT" = 2 ]'))
            first = job.queued
            await runner.wait(job)
        assert first is not None
        assert job.queued is not None
        assert job.attempt == 2
        assert job.queued > first
