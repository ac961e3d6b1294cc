"""Limits of time that grow, whatever goes wrong with engine and drivers."""

from __future__ import annotations

from typing import Literal

import pytest

from sched_core import JobStatus
from sched_core.testing.simulator import ALL_FAULTS, Fault, Scenario, simulate

pytestmark = pytest.mark.once

SEEDS = 60
HIDES_CLASSES = {Fault.LATE_FILE, Fault.EMPTY_FILE, Fault.READ_ONLY_DISK, Fault.FULL_DISK}
"""Where an engine's word comes long before the record, it is all that is known: that it failed."""


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_without_faults_each_timeout_is_followed_by_more_time(
    backend: Literal["asyncio", "trio"],
) -> None:
    outcome = simulate(Scenario(4, faults=frozenset(), drivers=0, limited=True, backend=backend))
    assert outcome.violations == []
    limited = [job for job in outcome.jobs if job.resources is not None]
    assert len(limited) == 2
    for job in limited:
        own = [execution for execution in outcome.executions if execution.index == job.index]
        spent = [execution.limit for execution in own if execution.timed_out]
        # With the last value it is tried again like any other: twice.
        assert spent == [8.0, 30.0, 60.0, 60.0, 60.0][: len(spent)]
    assert any(job.raised for job in limited)


@pytest.mark.timeout(600)
def test_whatever_goes_wrong_a_timeout_is_followed_by_more_time() -> None:
    timed_out = raised = 0
    for seed in range(SEEDS):
        scenario = Scenario(
            seed,
            faults=ALL_FAULTS - HIDES_CLASSES,
            arrays=seed % 3 > 0,
            backend="asyncio" if seed % 2 else "trio",
            limited=True,
        )
        outcome = simulate(scenario)
        assert outcome.violations == [], scenario
        timed_out += sum(execution.timed_out for execution in outcome.executions)
        raised += sum(job.raised is not None for job in outcome.jobs)
    assert timed_out > SEEDS
    assert raised > SEEDS // 2


def test_an_event_tells_the_class_of_a_failure_whose_record_is_late() -> None:
    ended = 0
    for seed in range(SEEDS):
        faults = frozenset({Fault.LATE_FILE})
        outcome = simulate(Scenario(seed, faults=faults, drivers=0, limited=True, arrays=True))
        assert all(job.status.final for job in outcome.jobs)
        ended += sum(job.raised is not None for job in outcome.jobs)
        assert JobStatus.FINISHED in {job.status for job in outcome.jobs}
    assert ended > SEEDS
