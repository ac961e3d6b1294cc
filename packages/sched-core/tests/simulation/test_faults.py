"""The search: scenarios in which anything may go wrong, judged by the simulator's oracle.

A failure shows the scenario as an expression: `simulate(...)` of it plays the same run again.
"""

from __future__ import annotations

import sys
from collections import Counter

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from sched_core.testing.simulator import ALL_FAULTS, Backend, Fault, Scenario, simulate


@pytest.fixture(scope="module")
def counts() -> Counter[Fault]:
    """Every fault that has struck in this module."""
    return Counter()


def scenarios(backend: Backend) -> st.SearchStrategy[Scenario]:
    some = st.frozensets(st.sampled_from(sorted(ALL_FAULTS)), min_size=1, max_size=6)
    return st.builds(
        Scenario,
        seed=st.integers(0, 2**32),
        jobs=st.sampled_from((15, 20, 8, 2)),
        forks=st.sampled_from((4, 2, 8, 1)),
        faults=st.one_of(st.just(ALL_FAULTS), st.just(ALL_FAULTS), some),
        rate=st.sampled_from((0.1, 0.05, 0.2)),
        drivers=st.integers(0, 4),
        arrays=st.booleans(),
        backend=st.just(backend),
    )


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("backend, examples", [("asyncio", 900), ("trio", 150)])
def test_t50_whatever_goes_wrong_every_job_ends_and_none_starts_twice(
    backend: Backend, examples: int, counts: Counter[Fault], full: bool
) -> None:
    @settings(
        max_examples=examples * (20 if full else 1),
        derandomize=not full,
        database=None,
        deadline=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    @given(scenarios(backend))
    def search(scenario: Scenario) -> None:
        outcome = simulate(scenario)
        counts.update(outcome.faults)
        assert outcome.violations == [], scenario

    search()


_FOUND = {
    "an answer to a submission that comes after its job has ended": "submit_slow preempted",
    "a job that its engine starts again when it is taken for failed": "requeued query_late",
    "a job that records its end by TERM and is started again": "requeued_by_term late_file",
    "a job that is started again although it had ended": "requeued_late full_disk late_file",
    "a job that is started again before it was ever started": "launch_failed full_disk old_event",
    "a driver that wakes up after it was taken over": "driver_hangs drivers_race submit_taken",
    "a job that fails when it is to be killed": "job_killed preempted submit_unavailable",
    "jobs that were being killed with their run when the driver died": (
        "run_cancelled driver_dies kill_lost kill_refused kill_ignored"
    ),
    "an engine that was hung takes jobs later": "outage submit_taken_late find_lost find_empty",
    "a job that its engine forgets": "forgotten purged query_empty query_partial find_late",
    "a driver that dies in the middle of a write": "driver_dies slow_disk submit_dropped",
    "a wrapper that cannot claim its attempt": "full_disk node_slow driver_dies",
    "a submission that is refused and tried again": "submit_unavailable driver_dies submit_partial",
}


@pytest.mark.parametrize("faults", _FOUND.values(), ids=_FOUND)
@pytest.mark.parametrize("arrays", [True, False])
def test_found_before(faults: str, arrays: bool, counts: Counter[Fault]) -> None:
    struck: Counter[Fault] = Counter()
    kinds = frozenset(map(Fault, faults.split()))
    for seed in range(12):
        scenario = Scenario(seed, faults=kinds, rate=0.3, arrays=arrays)
        outcome = simulate(scenario)
        struck.update(outcome.faults)
        assert outcome.violations == [], scenario
    assert struck.total() > 20


def test_enough_faults_have_been_tried(
    counts: Counter[Fault], capsys: pytest.CaptureFixture[str]
) -> None:
    with capsys.disabled():
        each = ", ".join(f"{fault} {count}" for fault, count in counts.most_common())
        sys.stdout.write(f"\n{counts.total()} simulated faults: {each}\n")
    assert counts.total() >= 20_000
    assert set(counts) == ALL_FAULTS
