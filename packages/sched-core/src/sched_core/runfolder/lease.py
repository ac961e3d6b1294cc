"""Who drives a run: one driver an epoch, and a way to tell that it is dead.

A driver takes the epoch after the highest that was ever taken, by creating `lease.<epoch>`
exclusively. Where the pids of the last driver mean something to this process, a look at /proc
tells whether it lives. Elsewhere (another host, another container) only its heartbeat can: it is
dead when the heartbeat has not changed for three intervals of this process's own clock, since
clocks of two hosts cannot be compared.
"""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass, replace
from typing import Any

from ..errors import RunCorrupt, RunLocked
from ..ports import DriverIdentity, Files, Ports
from .layout import Layout
from .records import MALFORMED, dump, load

__all__ = ["HEARTBEAT_INTERVAL", "Lease", "LeaseRecord", "acquire_lease", "newest_lease"]

HEARTBEAT_INTERVAL = 10.0
_MISSED_HEARTBEATS = 3
_RELEASED = ".released"
_NAME = re.compile(r"lease\.([1-9][0-9]*)((?:\.released)?)", re.ASCII)


@dataclass(frozen=True, slots=True)
class LeaseRecord:
    """What a lease file says."""

    epoch: int
    driver: DriverIdentity
    beat: int
    released: bool

    def to_json(self) -> dict[str, Any]:
        """Return what `from_json` takes."""
        return {"driver": self.driver.to_json(), "beat": self.beat, "released": self.released}

    @classmethod
    def from_json(cls, epoch: int, data: dict[str, Any]) -> LeaseRecord:
        """Read what `to_json` wrote."""
        driver = DriverIdentity.from_json(data["driver"])
        return cls(epoch, driver, int(data["beat"]), bool(data["released"]))


@dataclass(slots=True)
class Lease:
    """The right to drive a run, held by this process until `release` or its death.

    The calls block: offload them.
    """

    files: Files
    layout: Layout
    epoch: int
    driver: DriverIdentity
    _beat: int = 0
    _given_up: bool = False

    def holds(self) -> bool:
        """Tell whether no later driver has taken the run over."""
        return all(epoch <= self.epoch for epoch, _ in _leases(self.files, self.layout))

    def check(self) -> None:
        """Raise RunLocked where a later driver has taken the run over."""
        if not self.holds():
            raise RunLocked(f"the run in {self.layout.workdir} was taken over by another driver")

    def beat(self) -> None:
        """Show that this driver lives."""
        if self._given_up:
            return
        self.check()
        self._beat += 1
        self._write(released=False)

    def release(self) -> None:
        """Let the next driver begin at once."""
        try:
            if not self._given_up and self.holds():
                self._write(released=True)
        except OSError:
            # On a full disk a name can still be changed; else the end of this process tells.
            path = self.layout.lease(self.epoch)
            with contextlib.suppress(OSError):
                self.files.move(path, path + _RELEASED)

    def give_up(self) -> None:
        """Write nothing any more: the run is being removed, and the lease with it."""
        self._given_up = True

    def _write(self, *, released: bool) -> None:
        record = LeaseRecord(self.epoch, self.driver, self._beat, released)
        self.files.write(self.layout.lease(self.epoch), dump(record.to_json()))


def newest_lease(files: Files, layout: Layout) -> LeaseRecord | None:
    """Return the lease of the last driver, None where the run never had one."""
    found = max(_leases(files, layout), default=None)
    if found is None:
        return None
    epoch, mark = found
    path = layout.lease(epoch) + mark
    try:
        record = LeaseRecord.from_json(epoch, load(files.read(path), path))
        return replace(record, released=True) if mark else record
    except FileNotFoundError:
        return newest_lease(files, layout)  # it has just got its other name
    except (RunCorrupt, *MALFORMED):
        # Just being written, or its driver died at that: nobody whom a pid could tell of.
        return LeaseRecord(epoch, DriverIdentity("an unknown host", "", "", 0, 0), 0, False)


def _leases(files: Files, layout: Layout) -> list[tuple[int, str]]:
    """Return epoch and mark of every lease that there ever was."""
    matches = [_NAME.fullmatch(name) for name in files.names(layout.home)]
    return [(int(match[1]), match[2]) for match in matches if match]


async def acquire_lease(ports: Ports, layout: Layout) -> Lease:
    """Become the run's driver.

    Waits up to three heartbeats for a driver elsewhere that shows no sign of life. Raises
    RunLocked, naming the driver, where one lives or another one was faster.
    """
    last = await ports.offload(newest_lease, ports.files, layout)
    lives = False
    if last is not None and not last.released:
        last, lives = await _look_for_life(ports, layout, last)
    if last is not None and lives:
        raise RunLocked(
            f"the run in {layout.workdir} is driven by {last.driver}; "
            "wait for it, stop it, or use another work directory"
        )
    return await ports.offload(_take, ports, layout, last.epoch + 1 if last else 1)


async def _look_for_life(
    ports: Ports, layout: Layout, last: LeaseRecord
) -> tuple[LeaseRecord | None, bool]:
    """Return the newest lease, which may be another's by now, and whether its driver lives."""
    known = ports.lives(last.driver)
    if known is not None:
        return last, known
    until = ports.monotonic() + _MISSED_HEARTBEATS * HEARTBEAT_INTERVAL
    while ports.monotonic() < until:
        await ports.sleep(HEARTBEAT_INTERVAL / 2)
        now = await ports.offload(newest_lease, ports.files, layout)
        if now != last:
            return now, now is not None and not now.released
    return last, False


def _take(ports: Ports, layout: Layout, epoch: int) -> Lease:
    lease = Lease(ports.files, layout, epoch, ports.identity)
    record = LeaseRecord(epoch, ports.identity, 0, released=False)
    if not ports.files.create(layout.lease(epoch), dump(record.to_json())):
        raise RunLocked(f"another driver has just taken the run in {layout.workdir}")
    return lease
