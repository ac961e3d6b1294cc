from __future__ import annotations

from sched_core.lifecycle.pace import Pace
from sched_core.ports.localfiles import LocalFiles


class Bucket(LocalFiles):
    interval = 1.0


def seconds(pace: Pace, looks: int) -> list[float]:
    found = []
    for _ in range(looks):
        pace.note(found=False)
        found.append(pace.seconds)
    return found


def test_a_bucket_is_looked_at_ever_less_often_while_nothing_comes() -> None:
    pace = Pace.in_store(Bucket(), 0.5)
    assert pace.seconds == 1.0
    assert seconds(pace, 5) == [1.5, 2.25, 3.375, 5.0, 5.0]
    pace.note(found=True)
    assert pace.seconds == 1.0
    assert Pace.in_store(Bucket(), 0.5, 2).seconds == 2.0


def test_what_is_to_be_looked_at_rarely_never_is_more_often() -> None:
    assert seconds(Pace.in_store(Bucket(), 60.0), 1) == [60.0]


def test_a_look_at_a_disk_costs_nothing() -> None:
    assert seconds(Pace.in_store(LocalFiles(), 0.1), 3) == [0.1] * 3
