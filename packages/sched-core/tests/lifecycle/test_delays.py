"""How long another attempt waits after a failure that was nobody's fault."""

from __future__ import annotations

from random import Random
from types import SimpleNamespace
from typing import Any

from sched_core.lifecycle.retrying import Retries


def delays(infrastructure_retries: int, count: int = 50) -> list[float]:
    session: Any = SimpleNamespace(ports=SimpleNamespace(random=Random(1)))
    job: Any = SimpleNamespace(infrastructure_retries=infrastructure_retries)
    return [Retries(session)._delay(job) for _ in range(count)]


def test_t45_a_job_that_failed_by_itself_does_not_wait() -> None:
    assert set(delays(0)) == {0.0}


def test_t45_attempts_after_others_faults_wait_longer_and_longer() -> None:
    longest = [max(delays(retries)) for retries in range(1, 10)]
    assert longest == sorted(longest)
    assert longest[0] <= 1.0
    assert max(longest) <= 60.0


def test_t45_jobs_that_failed_together_are_not_tried_together() -> None:
    found = delays(4)
    assert len(set(found)) == len(found)
    assert all(4.0 <= delay <= 8.0 for delay in found)
