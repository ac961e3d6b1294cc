"""How long another attempt waits after a failure that was nobody's fault."""

from __future__ import annotations

from random import Random
from types import SimpleNamespace
from typing import Any

from sched_core import EngineUnavailable
from sched_core.lifecycle.backoff import BackOff
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


def test_however_often_it_was_tried_it_is_tried_again_within_a_minute() -> None:
    assert all(30.0 <= delay <= 60.0 for delay in delays(5000))


def test_an_engine_that_refuses_jobs_for_days_is_asked_again_within_a_minute() -> None:
    ports = SimpleNamespace(random=Random(1), monotonic=lambda: 0.0)
    scheduler = SimpleNamespace(name="slurm")
    session: Any = SimpleNamespace(ports=ports, scheduler=scheduler, warn=print, closing=False)
    backoff = BackOff(session)
    for _ in range(5000):
        backoff.refused_jobs(EngineUnavailable("the controller is away"))
    assert 30.0 <= backoff.submissions_until <= 60.0


def test_t45_jobs_that_failed_together_are_not_tried_together() -> None:
    found = delays(4)
    assert len(set(found)) == len(found)
    assert all(4.0 <= delay <= 8.0 for delay in found)
