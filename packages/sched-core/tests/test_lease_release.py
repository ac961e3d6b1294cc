from __future__ import annotations

import errno
from pathlib import Path

import pytest

from sched_core import RunLocked
from sched_core.ports import SystemPorts
from sched_core.ports.localfiles import LocalFiles
from sched_core.runfolder import Layout, acquire_lease, newest_lease


class FullDisk(LocalFiles):
    """Files of which no new one can be made any more."""

    full = False

    def create(self, path: str, data: bytes) -> bool:
        if self.full:
            raise OSError(errno.ENOSPC, "No space left on device", path)
        return super().create(path, data)


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    (tmp_path / ".sched").mkdir()
    return Layout(str(tmp_path))


async def test_a_run_can_be_let_go_on_a_full_disk(layout: Layout) -> None:
    files = FullDisk()
    ports = SystemPorts(files)
    lease = await acquire_lease(ports, layout)
    files.full = True
    lease.release()
    record = newest_lease(files, layout)
    assert record is not None
    assert (record.epoch, record.released) == (1, True)
    files.full = False
    second = await acquire_lease(ports, layout)
    assert second.epoch == 2
    assert not lease.holds()
    files.full = True
    second.release()
    assert not lease.holds()
    files.full = False
    assert (await acquire_lease(ports, layout)).epoch == 3


async def test_a_run_that_is_driven_is_refused_to_others(layout: Layout) -> None:
    ports = SystemPorts(LocalFiles())
    lease = await acquire_lease(ports, layout)
    with pytest.raises(RunLocked, match=f"process {ports.identity.pid} on "):
        await acquire_lease(ports, layout)
    lease.release()
    assert (await acquire_lease(ports, layout)).epoch == 2
