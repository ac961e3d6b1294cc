"""How often a host is connected to that cannot be used."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest

from sched_core.ports import SystemPorts
from sched_ssh.host import Host, Place
from sched_ssh.link import ConnectOptions
from sched_ssh.servers import Server
from sched_ssh.wire import Message

pytestmark = pytest.mark.anyio


class Counted(SystemPorts):
    """Waits for nothing, and ends after some waits."""

    def __init__(self, waits: int) -> None:
        super().__init__()
        self.waits, self._left = list[float](), waits
        self.over = anyio.Event()

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        if len(self.waits) == self._left:
            self.over.set()
            await anyio.sleep_forever()


class Nobody:
    async def came_up(self, host: Host) -> None:
        raise AssertionError(host)

    def went_down(self, host: Host) -> None:
        pass

    def heard(self, host: Host, message: Message) -> None:
        raise AssertionError(message)


async def waits_for(server: Server, folder: Path) -> list[float]:
    ports = Counted(4)
    place = Place(str(folder), "probe", "", "run", "recorder", b"", "/")
    host = Host(server, ConnectOptions(ssh_config=()), place, ports)
    async with anyio.create_task_group() as group:
        group.start_soon(host.keep_up, Nobody())
        await ports.over.wait()
        group.cancel_scope.cancel()
    return ports.waits


async def test_one_that_refuses_is_tried_again_at_growing_intervals(tmp_path: Path) -> None:
    waits = await waits_for(Server("h", "127.0.0.1", port=1), tmp_path)
    assert waits[0] <= 0.5
    assert waits[3] > waits[0]
    assert max(waits) <= 4


async def test_t30_one_that_lets_nobody_in_is_tried_again_only_after_long(tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("no key at all")
    waits = await waits_for(Server("h", "127.0.0.1", port=1, keyfile=str(key)), tmp_path)
    assert min(waits) >= 200
