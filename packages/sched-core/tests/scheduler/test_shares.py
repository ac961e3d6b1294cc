from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sched_core.scheduler.shares import Share, balance, has_room, used, worth_a_call

SHARES = st.lists(st.tuples(st.none() | st.integers(1, 300), st.integers(1, 300)), max_size=8).map(
    lambda pairs: [Share(str(n), *pair) for n, pair in enumerate(pairs)]
)


def applied(shares: list[Share], changes: dict[str, int]) -> list[Share]:
    return [Share(s.array, changes.get(s.array, s.limit), s.left) for s in shares]


@given(st.integers(1, 500), SHARES, st.integers(0, 50))
def test_t17_raising_limits_never_goes_beyond_forks(
    forks: int, shares: list[Share], others: int
) -> None:
    after = applied(shares, balance(forks, shares, others, worth_a_call(forks)))
    before = used(shares) + others
    assert used(after) + others <= max(forks, before)


@given(st.integers(1, 500), SHARES, st.integers(0, 50))
def test_no_limit_is_0_which_means_none(forks: int, shares: list[Share], others: int) -> None:
    assert all(limit >= 1 for limit in balance(forks, shares, others, 1).values())


@given(st.integers(10, 500), SHARES)
def test_no_more_than_a_tenth_of_the_places_stays_empty(forks: int, shares: list[Share]) -> None:
    after = applied(shares, balance(forks, shares, 0, worth_a_call(forks)))
    wanted = min(forks, sum(share.left for share in shares))
    assert used(after) >= min(wanted, forks - forks // 10)


@given(st.integers(10, 500), SHARES)
def test_in_the_end_no_place_stays_empty(forks: int, shares: list[Share]) -> None:
    after = applied(shares, balance(forks, shares, 0, 1))
    assert used(after) >= min(forks, sum(share.left for share in shares))


@given(st.integers(1, 500), SHARES)
def test_a_second_look_changes_nothing(forks: int, shares: list[Share]) -> None:
    step = worth_a_call(forks)
    after = applied(shares, balance(forks, shares, 0, step))
    assert balance(forks, after, 0, step) == {}


def test_what_runs_beyond_a_lowered_limit_still_holds_its_places() -> None:
    shares = [Share("a", 1, 2, running=2), Share("b", None, 8)]
    assert balance(4, shares, 0, 1) == {"b": 2}
    assert balance(4, applied(shares, {"b": 2})[:1], 0, 1) == {"a": 2}
    lowered = [Share("a", 20, 60, running=20)]
    assert balance(5, lowered, 0, 1) == {"a": 5}
    assert balance(5, [Share("a", 5, 60, running=20)], 0, 1) == {}


def test_fewer_forks_than_before_cut_the_youngest() -> None:
    shares = [Share("a", 50, 100), Share("b", 50, 100)]
    assert balance(60, shares, 0, 1) == {"b": 10}
    assert balance(20, shares, 0, 1) == {"b": 1, "a": 19}


def test_a_whole_array_goes_out_when_a_tenth_of_the_places_is_free() -> None:
    step = worth_a_call(100)
    assert has_room(100, 5000, step)
    assert not has_room(-901, 5000, step)
    assert not has_room(9, 5000, step)
    assert has_room(10, 5000, step)
    assert has_room(5, 5, step)
    assert not has_room(0, 5, 1)
    assert has_room(1, 5, 1)
