from __future__ import annotations

from pathlib import Path

import pytest

from sched_core import RunLocked
from sched_core.ports.localfiles import LocalFiles
from sched_core.runfolder import (
    HEARTBEAT_INTERVAL,
    Layout,
    Lease,
    LeaseRecord,
    acquire_lease,
    newest_lease,
)
from sched_core.runfolder.records import dump

from .helpers import Driver, driver

FIRST, SECOND, THIRD = driver(1), driver(2), driver(4)
ELSEWHERE = driver(3, host="there", boot="boot-2")


async def test_the_first_driver_has_the_first_epoch(layout: Layout) -> None:
    ports = Driver(FIRST)
    lease = await acquire_lease(ports, layout)
    assert lease.epoch == 1
    assert lease.holds()
    record = newest_lease(ports.files, layout)
    assert record is not None
    assert (record.driver, record.beat, record.released) == (FIRST, 0, False)


async def test_a_driver_that_lives_is_named(layout: Layout) -> None:
    await acquire_lease(Driver(FIRST), layout)
    other = Driver(SECOND, alive={FIRST})
    with pytest.raises(RunLocked, match="process 1 on here"):
        await acquire_lease(other, layout)
    assert other.clock == 0  # its pid told it: there was nothing to wait for


async def test_a_dead_driver_here_is_followed_at_once(layout: Layout) -> None:
    first = await acquire_lease(Driver(FIRST), layout)
    other = Driver(SECOND)
    second = await acquire_lease(other, layout)
    assert (second.epoch, other.clock) == (2, 0)
    assert not first.holds()
    with pytest.raises(RunLocked):
        first.beat()


async def test_a_run_that_was_released_is_taken_at_once_from_elsewhere(layout: Layout) -> None:
    lease = await acquire_lease(Driver(FIRST, alive={FIRST}), layout)
    lease.release()
    other = Driver(ELSEWHERE)
    assert (await acquire_lease(other, layout)).epoch == 2
    assert other.clock == 0


async def test_t54_a_silent_driver_elsewhere_is_given_three_heartbeats(layout: Layout) -> None:
    await acquire_lease(Driver(ELSEWHERE), layout)
    here = Driver(FIRST)
    assert (await acquire_lease(here, layout)).epoch == 2
    assert here.clock == 3 * HEARTBEAT_INTERVAL


@pytest.mark.parametrize("late", [1, 14, 29])
async def test_a_heartbeat_from_elsewhere_shows_that_its_driver_lives(
    layout: Layout, late: float
) -> None:
    lease = await acquire_lease(Driver(ELSEWHERE), layout)
    here = Driver(FIRST)

    def meanwhile(moment: float) -> None:
        if moment >= late:
            lease.beat()

    here.meanwhile = meanwhile
    with pytest.raises(RunLocked, match="process 3 on there"):
        await acquire_lease(here, layout)
    assert lease.holds()


async def test_a_driver_elsewhere_that_lets_go_meanwhile_is_followed(layout: Layout) -> None:
    lease = await acquire_lease(Driver(ELSEWHERE), layout)
    here = Driver(FIRST, meanwhile=lambda moment: lease.release())
    assert (await acquire_lease(here, layout)).epoch == 2
    assert here.clock < 3 * HEARTBEAT_INTERVAL


async def test_t54_of_two_that_follow_a_dead_driver_one_takes_over(layout: Layout) -> None:
    await acquire_lease(Driver(FIRST), layout)

    class Overtaken(LocalFiles):
        """Lets another driver be faster, between the last look and the taking."""

        faster: Lease | None = None

        def create(self, path: str, data: bytes) -> bool:
            if self.faster is None:
                self.faster = Lease(LocalFiles(), layout, 2, THIRD)
                record = LeaseRecord(2, THIRD, 0, released=False)
                assert LocalFiles().create(layout.lease(2), dump(record.to_json()))
            return super().create(path, data)

    files = Overtaken()
    with pytest.raises(RunLocked, match="another driver has just taken"):
        await acquire_lease(Driver(SECOND, files=files), layout)
    assert files.faster is not None
    assert files.faster.holds()


async def test_one_that_takes_over_while_another_waits_is_seen(layout: Layout) -> None:
    await acquire_lease(Driver(ELSEWHERE), layout)
    waiting = Driver(FIRST, alive={SECOND})

    def meanwhile(moment: float) -> None:
        record = LeaseRecord(2, SECOND, 0, released=False)
        waiting.files.create(layout.lease(2), dump(record.to_json()))

    waiting.meanwhile = meanwhile
    with pytest.raises(RunLocked, match="process 2 on here"):
        await acquire_lease(waiting, layout)
    assert waiting.clock < 3 * HEARTBEAT_INTERVAL


async def test_one_that_comes_and_goes_while_another_waits_is_followed(layout: Layout) -> None:
    await acquire_lease(Driver(ELSEWHERE), layout)
    waiting = Driver(FIRST)

    def meanwhile(moment: float) -> None:
        record = LeaseRecord(2, SECOND, 0, released=True)
        waiting.files.create(layout.lease(2), dump(record.to_json()))

    waiting.meanwhile = meanwhile
    assert (await acquire_lease(waiting, layout)).epoch == 3


async def test_a_lease_that_was_cut_short_is_treated_as_one_from_elsewhere(layout: Layout) -> None:
    Path(layout.lease(4)).write_bytes(b'{"driver": {"ho')
    here = Driver(FIRST)
    assert (await acquire_lease(here, layout)).epoch == 5
    assert here.clock == 3 * HEARTBEAT_INTERVAL


async def test_other_files_are_no_leases(layout: Layout) -> None:
    for name in ("lease.old", "lease.", "lease.7.tmp", "my-lease.9x"):
        Path(layout.home, name).write_text("x")
    assert newest_lease(LocalFiles(), layout) is None
    assert (await acquire_lease(Driver(FIRST), layout)).epoch == 1


async def test_a_driver_that_was_followed_releases_nothing(layout: Layout) -> None:
    first = await acquire_lease(Driver(FIRST), layout)
    second = await acquire_lease(Driver(SECOND), layout)
    first.release()
    record = newest_lease(LocalFiles(), layout)
    assert record is not None
    assert (record.epoch, record.driver, record.released) == (2, SECOND, False)
    assert second.holds()
