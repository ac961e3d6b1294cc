from __future__ import annotations

from sched_core.scheduler.hosts import HostFailures

BAD, GOOD = "bad", "good"


def counted(failures: HostFailures, host: str, times: int, *, failed: bool = True) -> list[str]:
    told = [failures.count(host, failed=failed, others={BAD, GOOD}) for _ in range(times)]
    return [name for names in told for name in names]


def test_t49_a_host_is_set_aside_once_so_many_starts_in_a_row_have_failed() -> None:
    failures = HostFailures(3)
    assert counted(failures, BAD, 2) == []
    assert counted(failures, BAD, 2) == [BAD]
    assert failures.aside == {BAD}


def test_t49_a_start_that_goes_well_begins_the_count_anew() -> None:
    failures = HostFailures(2)
    assert counted(failures, BAD, 1) + counted(failures, BAD, 1, failed=False) == []
    assert counted(failures, BAD, 1) == []
    assert counted(failures, BAD, 1) == [BAD]


def test_t49_the_last_host_is_kept() -> None:
    failures = HostFailures(1)
    assert counted(failures, BAD, 1) == [BAD]
    assert counted(failures, GOOD, 3) == []
    assert failures.aside == {BAD}


def test_t49_a_host_is_set_aside_once_another_one_can_be_used() -> None:
    failures = HostFailures(2)
    assert [failures.count(BAD, failed=True, others=()) for _ in range(3)] == [[], [], []]
    assert failures.count(GOOD, failed=False, others={GOOD}) == [BAD]


def test_t49_where_a_start_went_well_is_known() -> None:
    failures = HostFailures(3)
    counted(failures, BAD, 1)
    counted(failures, GOOD, 1, failed=False)
    assert failures.good() == {GOOD}
