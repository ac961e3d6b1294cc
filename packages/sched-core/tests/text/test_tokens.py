"""Which token comes next, and what a pause changes."""

from __future__ import annotations

from sched_core.model.rate import Rate
from sched_core.text.tokens import Pause, choose_token, old_names, pause_after, pauses_in

RATE = Rate(10, 50)


def take(names: list[str], now: float, kept: int = 0) -> float:
    """Take the next token; return how long it is to be waited for."""
    token = choose_token(names, "call", RATE, now, kept)
    assert token.name not in names
    names.append(token.name)
    return max(0.0, round(token.at - now, 6))


def test_after_a_rest_there_is_the_burst_and_then_the_rate() -> None:
    names: list[str] = []
    assert [take(names, 1000.0) for _ in range(53)] == [0.0] * 50 + [0.1, 0.2, 0.3]
    assert [take(names, 1001.0) for _ in range(8)] == [0.0] * 7 + [0.1]


def test_what_is_patient_leaves_half_of_the_burst() -> None:
    names: list[str] = []
    assert [take(names, 1000.0, kept=25) for _ in range(26)] == [0.0] * 25 + [0.1]
    assert [take(names, 1000.0) for _ in range(25)] == [0.0] * 24 + [0.1]


def test_a_long_rest_gives_no_more_than_the_burst() -> None:
    names = [choose_token([], "call", RATE, 1000.0).name]
    assert sum(take(names, 99_000.0) == 0.0 for _ in range(60)) == 50


def test_a_pause_empties_the_budget_and_halves_the_rate() -> None:
    names = [Pause(1000.0, 1001.0).name]
    assert [take(names, 1000.2) for _ in range(3)] == [0.8, 1.0, 1.2]
    names.append(Pause(1002.0, 1004.0).name)
    assert [take(names, 1003.0) for _ in range(3)] == [1.0, 1.4, 1.8]


def test_pauses_are_forgotten() -> None:
    names = [Pause(1000.0, 1001.0).name]
    assert pauses_in(names, 1060.0)
    assert not pauses_in(names, 1061.1)
    assert sum(take(names, 1400.0) == 0.0 for _ in range(60)) == 50


def test_a_pause_is_longer_where_the_one_before_did_not_help() -> None:
    names: list[str] = []
    now, lengths = 1000.0, []
    for _ in range(6):
        pause = pause_after(names, now, began=now - 0.1, retry_after=None)
        assert pause is not None
        names.append(pause.name)
        lengths.append(pause.until - pause.since)
        now = pause.until + 1
    assert lengths == [1, 2, 2, 2, 2, 2]


def test_answers_to_calls_of_the_same_moment_are_one_complaint() -> None:
    names = [Pause(1000.0, 1001.0).name]
    assert pause_after(names, 1000.5, began=999.0, retry_after=None) is None
    assert pause_after(names, 1001.5, began=1000.9, retry_after=None) is None
    assert pause_after(names, 1001.5, began=1001.1, retry_after=None) is not None


def test_the_engine_s_own_wish_is_kept_within_bounds() -> None:
    names = [Pause(1000.0, 1001.0).name]
    assert pause_after(names, 1000.5, 999.0, retry_after=20.0) == Pause(1000.5, 1020.5)
    assert pause_after(names, 1000.5, 999.0, retry_after=0.1) is None
    assert pause_after([], 1000.0, 999.0, retry_after=9999.0) == Pause(1000.0, 1060.0)


def test_names_that_no_driver_has_written_hold_nobody() -> None:
    names = """pause.1000000.9999999999 pause.99999000.99999001 pause.x.y pause call call. call.-1
    call.1e3 call.\u0663 .nfs000 call.9999999999999999999999""".split()
    assert pauses_in(names, 1001.0) == []
    assert take(names, 1001.0) == 0.0


def test_what_is_old_is_removed_and_nothing_else() -> None:
    fresh = [choose_token([], "call", RATE, now).name for now in (999.95, 1000.0)]
    old = [choose_token([], "call", RATE, now).name for now in (10.0, 900.0)]
    others = ["poll-2.1", "note", Pause(999.0, 1000.0).name]
    gone = [*old, Pause(10.0, 12.0).name]
    assert sorted(old_names([*fresh, *gone, *others], "call", RATE, 1000.0)) == sorted(gone)
