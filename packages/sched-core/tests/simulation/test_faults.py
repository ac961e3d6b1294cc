"""One half of the search, and what it has found before."""

from __future__ import annotations

from collections import Counter

import pytest

from sched_core.testing.simulator import Backend, Fault, Scenario

from .search import check_counts, judge, search

pytestmark = pytest.mark.once


@pytest.fixture(scope="module")
def counts() -> Counter[Fault]:
    """Every fault that has struck in this module."""
    return Counter()


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("backend, examples", [("asyncio", 480), ("trio", 100)])
def test_t50_whatever_goes_wrong_every_job_ends_and_none_starts_twice(
    backend: Backend, examples: int, counts: Counter[Fault], full: bool
) -> None:
    search(backend, examples, counts, full=full)


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
    "a full disk when a lost submission is given up": "driver_disk_full submit_dropped find_empty",
    "an engine that names the moment of the next call": "rate_limited query_lost job_killed",
}


@pytest.mark.parametrize("faults", _FOUND.values(), ids=_FOUND)
@pytest.mark.parametrize("arrays", [True, False])
def test_found_before(faults: str, arrays: bool, counts: Counter[Fault]) -> None:
    kinds = frozenset(map(Fault, faults.split()))
    struck: Counter[Fault] = Counter()
    for seed in range(12):
        judge(Scenario(seed, faults=kinds, rate=0.3, arrays=arrays), struck)
    counts.update(struck)
    assert struck.total() > 20


def test_a_held_job_that_is_released_while_it_is_given_up(counts: Counter[Fault]) -> None:
    judge(Scenario.parse("seed=28314 jobs=20 rate=0.1 drivers=1"), counts)


def test_a_job_that_is_queued_again_after_its_record_and_then_gone(counts: Counter[Fault]) -> None:
    judge(Scenario.parse("seed=582 jobs=15 forks=8 rate=0.2 drivers=4"), counts)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_another_attempt_that_is_wanted_while_the_last_job_ends(
    backend: Backend, counts: Counter[Fault]
) -> None:
    scenario = f"seed=139510259 jobs=15 forks=8 rate=0.2 drivers=2 backend={backend}"
    judge(Scenario.parse(scenario), counts)


def test_enough_faults_have_been_tried(
    counts: Counter[Fault], capsys: pytest.CaptureFixture[str]
) -> None:
    check_counts(counts, 25_000, capsys)
