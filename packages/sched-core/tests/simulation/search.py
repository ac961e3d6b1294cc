"""The search: scenarios in which anything may go wrong, judged by the simulator's oracle.

A failure shows the command that plays its scenario again. The search is in two modules, so that two
processes share it; each counts what has gone wrong in it.
"""

from __future__ import annotations

import sys
from collections import Counter

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from sched_core.testing.simulator import ALL_FAULTS, Backend, Fault, Scenario, simulate


def scenarios(backend: Backend, first: int) -> st.SearchStrategy[Scenario]:
    some = st.frozensets(st.sampled_from(sorted(ALL_FAULTS)), min_size=1, max_size=6)
    return st.builds(
        Scenario,
        seed=st.integers(first, first + 2**32),
        jobs=st.sampled_from((15, 20, 8, 2)),
        forks=st.sampled_from((4, 2, 8, 1)),
        faults=st.one_of(st.just(ALL_FAULTS), st.just(ALL_FAULTS), some),
        rate=st.sampled_from((0.1, 0.05, 0.2)),
        drivers=st.integers(0, 4),
        arrays=st.booleans(),
        backend=st.just(backend),
    )


def search(
    backend: Backend, examples: int, counts: Counter[Fault], *, full: bool, first: int = 0
) -> None:
    """Play so many scenarios, 20 times as many in full, and count the faults. `first` is the lowest
    seed: without `full` the same scenarios are drawn each time.
    """

    @settings(
        max_examples=examples * (20 if full else 1),
        derandomize=not full,
        database=None,
        deadline=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    @given(scenarios(backend, first))
    def play(scenario: Scenario) -> None:
        judge(scenario, counts)

    play()


def judge(scenario: Scenario, counts: Counter[Fault]) -> None:
    """Play a scenario, which must end well."""
    outcome = simulate(scenario)
    counts.update(outcome.faults)
    assert outcome.violations == [], f"again: {scenario.command}"


def check_counts(counts: Counter[Fault], least: int, capsys: pytest.CaptureFixture[str]) -> None:
    """See that enough has gone wrong, of every kind."""
    with capsys.disabled():
        each = ", ".join(f"{fault} {count}" for fault, count in counts.most_common())
        sys.stdout.write(f"\n{counts.total()} simulated faults: {each}\n")
    assert counts.total() >= least
    assert set(counts) == ALL_FAULTS
