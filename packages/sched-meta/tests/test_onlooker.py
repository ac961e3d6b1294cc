"""Whether a driver is gone, as far as another process can tell."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from sched_core.ports import DriverIdentity
from sched_core.runfolder import HEARTBEAT_INTERVAL, LeaseRecord
from sched_meta.reading.onlooker import DriverWatch
from sched_meta.reading.runfolder import RunFolder

LEASE = LeaseRecord(1, DriverIdentity("node1", "boot", "pids", 4711, 1), 0, released=False)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A clock that the test sets."""
    clock = SimpleNamespace(now=0.0)
    time = SimpleNamespace(monotonic=lambda: clock.now)
    monkeypatch.setattr("sched_meta.reading.onlooker.time", time)
    return clock


def watch(*, lives: bool | None) -> DriverWatch:
    folder: Any = SimpleNamespace(ports=SimpleNamespace(lives=lambda driver: lives))
    return DriverWatch(cast("RunFolder", folder))


@pytest.mark.parametrize("lives", [True, False])
def test_a_driver_of_this_machine_is_looked_for(clock: SimpleNamespace, lives: bool) -> None:
    driver = watch(lives=lives)
    assert driver.is_gone(LEASE) is not lives
    clock.now = 1e6
    assert driver.is_gone(LEASE) is not lives


def test_one_that_has_ended_or_never_was_is_gone(clock: SimpleNamespace) -> None:
    driver = watch(lives=True)
    assert driver.is_gone(None)
    assert driver.is_gone(replace(LEASE, released=True))


def test_one_on_another_host_is_gone_when_its_heart_stands_still(clock: SimpleNamespace) -> None:
    driver = watch(lives=None)
    for beat in range(5):
        assert not driver.is_gone(replace(LEASE, beat=beat))
        clock.now += 3 * HEARTBEAT_INTERVAL
        assert not driver.is_gone(replace(LEASE, beat=beat))
    clock.now += 1
    assert driver.is_gone(replace(LEASE, beat=4))
    assert not driver.is_gone(replace(LEASE, beat=5))
