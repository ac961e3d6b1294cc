"""A run's folder on disk, and a driver whose clock is a number."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar, TypeVarTuple

import anyio

from sched_core.ports import DriverIdentity, MemoryTokens, Tokens
from sched_core.ports.files import Files
from sched_core.ports.localfiles import LocalFiles
from sched_core.runfolder import Layout

T = TypeVar("T")
Args = TypeVarTuple("Args")


def make_layout(workdir: Path) -> Layout:
    layout = Layout(str(workdir))
    for folder in layout.folders():
        Path(folder).mkdir(parents=True, exist_ok=True)
    return layout


def driver(pid: int, host: str = "here", boot: str = "boot-1") -> DriverIdentity:
    return DriverIdentity(host, boot, "namespace", pid, start_time=pid * 10)


@dataclass
class Driver:
    """Ports of one process: its clock moves when it sleeps, and meanwhile others do things."""

    identity: DriverIdentity
    alive: set[DriverIdentity] = field(default_factory=set)
    files: Files = field(default_factory=LocalFiles)
    meanwhile: Callable[[float], None] = lambda moment: None
    random: random.Random = field(default_factory=lambda: random.Random(1))
    clock: float = 0.0

    def lives(self, identity: DriverIdentity) -> bool | None:
        return identity in self.alive if identity.same_pids_as(self.identity) else None

    def tokens(self, endpoint: str) -> Tokens:
        return MemoryTokens()

    def now(self) -> float:
        return 1e9 + self.clock

    def monotonic(self) -> float:
        return self.clock

    async def sleep(self, seconds: float) -> None:
        self.clock += seconds
        self.meanwhile(self.clock)

    async def wait(self, event: anyio.Event, seconds: float | None) -> bool:
        raise NotImplementedError

    async def offload(self, function: Callable[[*Args], T], *args: *Args) -> T:
        return function(*args)
