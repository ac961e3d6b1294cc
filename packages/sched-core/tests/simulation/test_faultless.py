from __future__ import annotations

from typing import Literal

import pytest

from sched_core import JobStatus
from sched_core.testing.simulator import Scenario, simulate


@pytest.mark.parametrize("arrays", [True, False])
@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_without_faults_every_job_ends_as_its_command_does(
    backend: Literal["asyncio", "trio"], arrays: bool
) -> None:
    outcome = simulate(
        Scenario(seed=1, faults=frozenset(), drivers=0, arrays=arrays, backend=backend)
    )

    assert outcome.violations == []
    always_fails = [job.cmd[2] == "3" for job in outcome.jobs]
    assert [job.status is JobStatus.FAILED for job in outcome.jobs] == always_fails
    assert set(always_fails) == {False, True}
    assert len(outcome.executions) == sum(job.attempt for job in outcome.jobs)


def test_the_same_scenario_gives_the_same_run() -> None:
    first, second = simulate(Scenario(seed=3)), simulate(Scenario(seed=3))

    assert first.executions == second.executions
    assert first.faults == second.faults
