"""A simulated disk as a task sees it."""

from __future__ import annotations

import errno
import os
from typing import Literal

from .chance import Chance
from .disk import SimulatedDisk
from .faults import Fault

__all__ = ["NodeFiles", "Trouble"]

Trouble = Literal["full", "read-only"]


class NodeFiles:
    """The disk as the wrapper of one start of a task sees it."""

    def __init__(self, disk: SimulatedDisk, chance: Chance) -> None:
        """Write to that disk, late and into nothing as chance has it."""
        self._disk = disk
        self._chance = chance
        self.trouble: Trouble | None = None
        """Whether files can be created, but nothing be written into them, or not even that."""

    def read(self, path: str) -> bytes | None:
        """Return the newest content, None where there is no such file."""
        file = self._disk.files.get(path)
        return None if file is None else file.newest

    def exists(self, path: str) -> bool:
        """Tell whether there is such a file."""
        return path in self._disk.files

    def create(self, path: str, data: bytes) -> bool:
        """Create a file exclusively. Raises OSError where its content cannot be written."""
        self._check_writable()
        if self.exists(path):
            return False
        self._put(path, data)
        self._check_room()
        return True

    def append(self, path: str, data: bytes) -> None:
        """Add to a file. Raises OSError where that cannot be written."""
        self._check_writable()
        self._check_room()
        self._put(path, (self.read(path) or b"") + data)

    def write(self, path: str, data: bytes) -> None:
        """Put content in place of whatever there was. Raises OSError where it cannot be written."""
        self._check_writable()
        self._put(path, data)
        self._check_room()

    def tell(self, path: str, data: bytes) -> None:
        """Create an event; its name matters most, so that it may be without content. Raises OSError
        where not even that can be done.
        """
        self._check_writable()
        self._put(path, data)

    def _put(self, path: str, data: bytes) -> None:
        since = self._since()
        new = not self.exists(path)
        if new and self._chance.strikes(Fault.EMPTY_FILE):
            self._disk.write(path, b"", since)
            since += self._chance.between("empty file", 0.0, 60.0)
        self._disk.write(path, b"" if self.trouble else data, since)
        if new and self._chance.strikes(Fault.LISTING_LAGS):
            now = self._disk.clock()
            self._disk.list_from(path, now + self._chance.between("listing", 0.0, 60.0))

    def _check_writable(self) -> None:
        if self.trouble == "read-only":
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    def _check_room(self) -> None:
        if self.trouble == "full":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def _since(self) -> float:
        now = self._disk.clock()
        if self._chance.strikes(Fault.LATE_FILE):
            dice = self._chance.dice("late")
            return now + (dice.uniform(0, 3) if dice.random() < 0.7 else dice.uniform(0, 110))
        return now
