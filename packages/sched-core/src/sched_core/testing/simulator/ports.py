"""The ports of a simulated driver, which can die or stand still at anything that it does."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any, Generic, Literal, TypeVar, TypeVarTuple

import anyio
import anyio.lowlevel

from ...ports import DriverIdentity, Files, MemoryTokens
from .chance import Chance
from .clock import virtual_clock
from .disk import SimulatedDisk
from .driverfiles import DriverFiles
from .faults import Fault
from .wallclock import WallClock

__all__ = ["DriverDied", "Fuse", "SimulatedPorts"]

T = TypeVar("T")
Args = TypeVarTuple("Args")


class DriverDied(BaseException):  # it is no error, but the end
    """The driver was killed: nothing that it still tries has an effect."""


@dataclass(frozen=True, slots=True)
class Fuse:
    """At which of its effects a driver dies or hangs: "before" it, "after" it, or, where it
    creates a file, in the middle of that ("torn").
    """

    effect: int
    moment: Literal["before", "after", "torn"] = "before"
    hangs: bool = False
    """It stands still until `SimulatedPorts.wake`, and does not die."""


class SimulatedPorts:
    """Everything through which one driver reaches its simulated world.

    Each thing that it does to files or to an engine goes through `act` and counts. Time is the
    event loop's.
    """

    def __init__(
        self,
        disk: SimulatedDisk,
        chance: Chance,
        host: str,
        pid: int,
        living: dict[DriverIdentity, bool],
        fuse: Fuse | None = None,
    ) -> None:
        """Be the driver of that pid on that host; `living` tells of all drivers there ever were."""
        self.identity = DriverIdentity(host, f"boot-{host}", "pid:[1]", pid, 1000 + pid)
        self._clock = virtual_clock()
        self.random: Random = chance.dice(f"driver {pid}")
        self.files: Files = DriverFiles(disk, chance, self.act, self._torn)
        self._wall_clock = WallClock(self._clock, chance, Fault.CLOCK_JUMPS)
        self.dead = False
        self.effects = 0
        self.on_end: Callable[[], None] = _nothing
        self.on_hang: Callable[[], None] = _nothing
        self._chance = chance
        self._fuse = fuse
        self._living = living
        self._waits: dict[int, anyio.CancelScope] = {}
        self.hangs = False
        self._awake = anyio.Event()
        self._call: _Stopped[Any] | None = None
        living[self.identity] = True

    # --- dying and hanging -----------------------------------------------------------------------

    def act(self, effect: Callable[[], T]) -> T:
        """Do something to the world, unless the driver is dead, or dies at it."""
        self.check()
        self.effects += 1
        fuse = self._fuse
        if fuse is None or self.effects != fuse.effect:
            return effect()
        if fuse.hangs:
            if self._call is not None:
                self._call.stop()
            return effect()
        if fuse.moment != "before":
            effect()
        self._chance.count(Fault.DRIVER_DIES)
        self.die()
        raise DriverDied

    async def perform(self, effect: Callable[[], T]) -> T:
        """Do something to the world from the event loop's own thread."""
        await self.gate()
        if self._fuse is not None and self._fuse.hangs and self.effects + 1 == self._fuse.effect:
            await self._stand_still()
        return self.act(effect)

    async def _stand_still(self) -> None:
        self._chance.count(Fault.DRIVER_HANGS)
        self.hangs = True
        self.on_hang()
        await self.gate()

    def check(self) -> None:
        """Raise DriverDied where the driver is dead."""
        if self.dead:
            raise DriverDied

    def die(self) -> None:
        """End the driver, as SIGKILL does."""
        self.dead = True
        self.retire()
        self.wake()
        for scope in list(self._waits.values()):
            scope.cancel()
        self.on_end()

    def retire(self) -> None:
        """Let others know that the process is gone."""
        self._living[self.identity] = False

    def wake(self) -> None:
        """Let a driver that hangs go on."""
        self.hangs = False
        self._awake.set()

    def _torn(self) -> bool:
        fuse = self._fuse
        return (
            fuse is not None
            and not fuse.hangs
            and fuse.moment == "torn"
            and self.effects + 1 == fuse.effect
        )

    async def gate(self) -> None:
        """Let nothing pass while the driver stands still or when it is dead."""
        if self.hangs:
            with anyio.CancelScope(shield=True):
                await self._awake.wait()
        self.check()

    # --- the ports -------------------------------------------------------------------------------

    def lives(self, identity: DriverIdentity) -> bool | None:
        """Tell whether another driver lives; None where it was on another host."""
        return self._living[identity] if identity.same_pids_as(self.identity) else None

    def tokens(self, endpoint: str) -> MemoryTokens:
        """Return tokens that no other driver sees."""
        return MemoryTokens()

    def now(self) -> float:
        """Return the wall clock's time."""
        return self._wall_clock()

    def monotonic(self) -> float:
        """Return the virtual time."""
        return self._clock()

    async def sleep(self, seconds: float) -> None:
        """Wait that long in virtual time."""
        await self._wait(anyio.sleep_forever, seconds)

    async def wait(self, event: anyio.Event, seconds: float | None) -> bool:
        """Wait for the event, at most that long; tell whether it came."""
        await self._wait(event.wait, seconds)
        return event.is_set()

    async def _wait(self, waiting: Callable[[], object], seconds: float | None) -> None:
        await self.gate()
        deadline = float("inf") if seconds is None else self._clock() + seconds
        with anyio.CancelScope(deadline=deadline) as scope:
            self._waits[id(scope)] = scope
            try:
                await waiting()  # type: ignore[misc]  # an async function
            finally:
                del self._waits[id(scope)]
        await self.gate()

    async def offload(self, function: Callable[[*Args], T], *args: *Args) -> T:
        """Call what blocks; others run before and after, but not meanwhile."""
        await anyio.lowlevel.checkpoint()
        await self.gate()
        with anyio.CancelScope(shield=True):
            if self._chance.strikes(Fault.SLOW_DISK):
                await self.sleep(self._chance.between("slow disk", 0, 5))
            if self._fuse is None or not self._fuse.hangs or self.effects >= self._fuse.effect:
                result = function(*args)
            else:
                result = await self._stoppable(function, args)
            await anyio.lowlevel.checkpoint()
        await self.gate()
        return result

    async def _stoppable(self, function: Callable[[*Args], T], args: tuple[*Args]) -> T:
        """Call what may stand still in its middle, while the world goes on."""
        self._call = call = _Stopped(lambda: function(*args))
        try:
            call.go_on()
            if not call.finished:
                await self._stand_still()
        finally:
            self._call = None
            if not call.finished:
                call.go_on()
        return call.result()


def _nothing() -> None:
    """Nobody wants to know."""


class _Stopped(Generic[T]):
    """A call in a thread that can be stopped; only one of the two threads ever runs."""

    def __init__(self, function: Callable[[], T]) -> None:
        self._function = function
        self._result: T
        self._error: BaseException | None = None
        self._turn = threading.Semaphore(0)
        self._back = threading.Semaphore(0)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.finished = False

    def go_on(self) -> None:
        """Let the call run until it ends or stops."""
        if self._thread.ident is None:
            self._thread.start()
        else:
            self._turn.release()
        self._back.acquire()
        if self.finished:
            self._thread.join()

    def stop(self) -> None:
        """Stop, from within the call."""
        self._back.release()
        self._turn.acquire()

    def _run(self) -> None:
        try:
            self._result = self._function()
        except BaseException as error:  # noqa: BLE001  # raised again by `result`
            self._error = error
        self.finished = True
        self._back.release()

    def result(self) -> T:
        """Return or raise what the call did."""
        if self._error is not None:
            raise self._error
        return self._result
