from __future__ import annotations

from ..plan import Size, plan_round
from ..work import KINDS

FAULTS = ["driver killed", "disk full", "link cut"]
SIZE = Size(jobs=200, forks=8, seconds=40.0)


def test_the_same_seed_is_the_same_plan_and_another_one_another() -> None:
    assert plan_round(7, 3, FAULTS, SIZE) == plan_round(7, 3, FAULTS[::-1], SIZE)
    others = [plan_round(7, 4, FAULTS, SIZE), plan_round(8, 3, FAULTS, SIZE)]
    assert plan_round(7, 3, FAULTS, SIZE) not in others


def test_a_round_has_jobs_of_every_kind_and_strikes_in_their_order() -> None:
    plan = plan_round(1, 1, FAULTS, SIZE)
    assert len(plan.work) == SIZE.jobs
    assert {work.kind for work in plan.work} == set(KINDS)
    times = [strike.at for strike in plan.strikes]
    assert times == sorted(times)
    assert times[0] > 0
    assert times[-1] < SIZE.seconds


def test_over_many_rounds_everything_is_struck_and_drivers_most() -> None:
    strikes = [s.fault for n in range(20) for s in plan_round(1, n, FAULTS, SIZE).strikes]
    assert set(strikes) == set(FAULTS)
    assert strikes.count("driver killed") > len(strikes) / 2


def test_a_round_that_nothing_can_strike_has_no_strikes() -> None:
    assert plan_round(1, 1, [], SIZE).strikes == []
