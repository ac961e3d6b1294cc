"""A simulated disk as a driver sees it."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterable
from typing import Protocol, TypeVar

from ...ports import StoreUnavailable
from ...ports.files import Entry, OneByOne
from .chance import Chance
from .disk import SimulatedDisk, no_such_file
from .faults import Fault

__all__ = ["DriverFiles"]

T = TypeVar("T")


class Act(Protocol):
    """Makes an effect, or does not."""

    def __call__(self, effect: Callable[[], T], /) -> T:
        """Make it, and return what it does."""
        ...


class DriverFiles(OneByOne):
    """The disk as a driver sees it; `act` makes each effect, or does not."""

    def __init__(
        self,
        disk: SimulatedDisk,
        chance: Chance,
        act: Act,
        torn: Callable[[], bool],
    ) -> None:
        """See that disk; `torn` tells whether the driver dies in the middle of the next write."""
        self._disk = disk
        self._chance = chance
        self._driver_acts = act
        self._torn = torn

    # --- what changes files ----------------------------------------------------------------------

    def create(self, path: str, data: bytes) -> bool:
        """Create the file with this content; False, and no effect, where there is one already."""
        if self._torn():
            data = data[: len(data) // 2]
        return self._change(lambda: self._disk.create(path, data))

    def write(self, path: str, data: bytes) -> None:
        """Put the content in place of whatever there was."""

        def effect() -> None:
            self._disk.remove(path)
            self._disk.create(path, data)

        self._change(effect)

    def make_folder(self, path: str) -> bool:
        """Make the folder and its missing parents; False where it was there already."""
        return self._change(lambda: self._disk.make_folder(path))

    def remove(self, path: str) -> None:
        """Remove the file, if there is one."""

        def effect() -> None:
            if path in self._disk.files:
                self._haunt(path)
            self._disk.remove(path)

        self._act(effect)

    def move(self, source: str, target: str) -> None:
        """Give a file another name."""

        def effect() -> None:
            self._disk.move(source, target)
            self._haunt(source)

        self._act(effect)

    def _haunt(self, path: str) -> None:
        if self._chance.strikes(Fault.GHOST_FILE):
            self._disk.haunt(path, self._chance.between("ghost", 0.0, 60.0))

    # --- what looks at them ----------------------------------------------------------------------

    def read(self, path: str) -> bytes:
        """Return the whole content, as far as it can be seen from here."""

        def effect() -> bytes:
            file = self._disk.files.get(path)
            data = None if file is None else file.seen_at(self._disk.clock())
            if data is None:
                raise no_such_file(path)
            return data

        return self._look(effect)

    def names(self, folder: str) -> list[str]:
        """List what can be seen of the folder from here."""
        return self._look(lambda: self._disk.listing(folder))

    def exists(self, path: str) -> bool:
        """Tell whether such a file or folder can be seen from here."""
        return self._act(lambda: self._entry(path)) is not None

    def read_from(self, path: str, offset: int) -> bytes:
        """Return what lies beyond that many bytes, as far as it can be seen from here."""
        return self.read(path)[offset:]

    def entries(self, folder: str) -> dict[str, Entry]:
        """Return what can be seen of the folder from here, by name."""
        names = self.names(folder)
        return {name: entry for name in names if (entry := self._entry(f"{folder}/{name}"))}

    def checksums(self, paths: Iterable[str]) -> dict[str, Entry]:
        """Return what is known of those of the files that can be seen from here."""
        found = self._look(lambda: {path: self._entry(path) for path in paths})
        return {path: entry for path, entry in found.items() if entry}

    def _entry(self, path: str) -> Entry | None:
        file = self._disk.files.get(path)
        if file is None:
            return Entry(0, 0.0, is_folder=True) if path in self._disk.folders else None
        data = file.seen_at(self._disk.clock())
        return None if data is None else Entry(len(data), 0.0)

    # --- troubles --------------------------------------------------------------------------------

    def _change(self, effect: Callable[[], T]) -> T:
        """Make an effect that needs room on the disk."""
        disk, chance = self._disk, self._chance
        if chance.strikes(Fault.DRIVER_DISK_FULL):
            disk.full_until = disk.clock() + chance.between("disk full", 0.0, 100.0)

        def write() -> T:
            if not chance.calm and disk.clock() < disk.full_until:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return effect()

        return self._act(write)

    def _look(self, effect: Callable[[], T]) -> T:
        """Make an effect that changes nothing."""

        def look() -> T:
            if self._chance.strikes(Fault.STALE_MOUNT):
                raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))
            return effect()

        return self._act(look)

    def _act(self, effect: Callable[[], T]) -> T:
        """Make an effect of which the store may say nothing, whether it was made or not."""
        disk, chance = self._disk, self._chance
        if chance.strikes(Fault.STORE_AWAY):
            seconds = chance.dice("store away").choice((0.001, 0.001, 10.0, 60.0))
            disk.away_until = disk.clock() + seconds * chance.dice("store away").random()
        if chance.calm or disk.clock() >= disk.away_until:
            return self._driver_acts(effect)

        def fail() -> T:
            if chance.dice("store away").random() < 0.3:
                effect()
            raise StoreUnavailable("the simulated store does not answer")

        return self._driver_acts(fail)
