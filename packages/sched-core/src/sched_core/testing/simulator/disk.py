"""A shared disk in memory: what a node writes may be seen by the driver only later."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from ...ports.files import Entry, OneByOne
from .faults import Chance, Fault

__all__ = ["DriverFiles", "NodeFiles", "SimulatedDisk"]

T = TypeVar("T")

_ALWAYS = float("-inf")


@dataclass(slots=True)
class _File:
    """Every content that the file has had, and since when the driver sees it."""

    versions: list[tuple[float, bytes]] = field(default_factory=list)

    def seen_at(self, now: float) -> bytes | None:
        for since, data in reversed(self.versions):
            if since <= now:
                return data
        return None

    @property
    def newest(self) -> bytes:
        return self.versions[-1][1]

    def put(self, data: bytes, since: float) -> None:
        if self.versions:
            since = max(since, self.versions[-1][0])
        self.versions.append((since, data))


class SimulatedDisk:
    """Files and folders; an exclusive create is a lock for all that share the disk."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """Use that clock to tell what can be seen already."""
        self.clock = clock
        self.files: dict[str, _File] = {}
        self.folders: dict[str, dict[str, None]] = {"": {}}

    def make_folder(self, path: str) -> bool:
        """Make a folder and its missing parents; False where it was there already."""
        if path in self.folders:
            return False
        parent, _, name = path.rpartition("/")
        if path in self.files:
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), path)
        self.make_folder(parent)
        self.folders[path] = {}
        self.folders[parent][name] = None
        return True

    def entries(self, folder: str) -> dict[str, None]:
        """Return the names in a folder."""
        try:
            return self.folders[folder]
        except KeyError:
            raise _missing(folder) from None

    def create(self, path: str, data: bytes, since: float = _ALWAYS) -> bool:
        """Create a file exclusively."""
        folder, _, name = path.rpartition("/")
        entries = self.entries(folder)
        if name in entries:
            return False
        entries[name] = None
        self.files[path] = _File([(since, data)])
        return True

    def write(self, path: str, data: bytes, since: float = _ALWAYS) -> None:
        """Put content in place of whatever there was."""
        if not self.create(path, data, since):
            self.files[path].put(data, since)

    def remove(self, path: str) -> None:
        """Remove a file, if there is one."""
        folder, _, name = path.rpartition("/")
        if self.files.pop(path, None) is not None:
            del self.folders[folder][name]

    def move(self, source: str, target: str) -> None:
        """Give a file another name."""
        file = self.files.get(source)
        if file is None:
            raise _missing(source)
        self.remove(source)
        self.remove(target)
        self.create(target, b"")
        self.files[target] = file


def _missing(path: str) -> FileNotFoundError:
    return FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)


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
        act: Act,
        torn: Callable[[], bool],
    ) -> None:
        """See that disk; `torn` tells whether the driver dies in the middle of the next write."""
        self._disk = disk
        self._act = act
        self._torn = torn

    def create(self, path: str, data: bytes) -> bool:
        """Create the file with this content; False, and no effect, where there is one already."""
        if self._torn():
            data = data[: len(data) // 2]
        return self._act(lambda: self._disk.create(path, data))

    def write(self, path: str, data: bytes) -> None:
        """Put the content in place of whatever there was."""

        def effect() -> None:
            self._disk.remove(path)
            self._disk.create(path, data)

        self._act(effect)

    def read(self, path: str) -> bytes:
        """Return the whole content, as far as it can be seen from here."""

        def effect() -> bytes:
            file = self._disk.files.get(path)
            data = None if file is None else file.seen_at(self._disk.clock())
            if data is None:
                raise _missing(path)
            return data

        return self._act(effect)

    def names(self, folder: str) -> list[str]:
        """List what can be seen of the folder from here."""

        def effect() -> list[str]:
            return [name for name in self._disk.entries(folder) if self._sees(f"{folder}/{name}")]

        return self._act(effect)

    def make_folder(self, path: str) -> bool:
        """Make the folder and its missing parents; False where it was there already."""
        return self._act(lambda: self._disk.make_folder(path))

    def remove(self, path: str) -> None:
        """Remove the file, if there is one."""
        self._act(lambda: self._disk.remove(path))

    def move(self, source: str, target: str) -> None:
        """Give a file another name."""
        self._act(lambda: self._disk.move(source, target))

    def exists(self, path: str) -> bool:
        """Tell whether such a file or folder can be seen from here."""
        return self._act(lambda: self._sees(path))

    def read_from(self, path: str, offset: int) -> bytes:
        """Return what lies beyond that many bytes, as far as it can be seen from here."""
        return self.read(path)[offset:]

    def entries(self, folder: str) -> dict[str, Entry]:
        """Return what can be seen of the folder from here, by name."""
        names = self.names(folder)
        return {name: entry for name in names if (entry := self._entry(f"{folder}/{name}"))}

    def checksums(self, paths: Iterable[str]) -> dict[str, Entry]:
        """Return what is known of those of the files that can be seen from here."""
        found = self._act(lambda: {path: self._entry(path) for path in paths})
        return {path: entry for path, entry in found.items() if entry}

    def _entry(self, path: str) -> Entry | None:
        file = self._disk.files.get(path)
        if file is None:
            return Entry(0, 0.0, is_folder=True) if path in self._disk.folders else None
        data = file.seen_at(self._disk.clock())
        return None if data is None else Entry(len(data), 0.0)

    def _sees(self, path: str) -> bool:
        file = self._disk.files.get(path)
        if file is None:
            return path in self._disk.folders
        return file.seen_at(self._disk.clock()) is not None


class NodeFiles:
    """The disk as the wrapper of one start of a task sees it."""

    def __init__(self, disk: SimulatedDisk, chance: Chance) -> None:
        """Write to that disk, late and into nothing as chance has it."""
        self._disk = disk
        self._chance = chance
        self.full = False
        """Whether files can be created, but nothing be written into them."""

    def read(self, path: str) -> bytes | None:
        """Return the newest content, None where there is no such file."""
        file = self._disk.files.get(path)
        return None if file is None else file.newest

    def exists(self, path: str) -> bool:
        """Tell whether there is such a file."""
        return path in self._disk.files

    def create(self, path: str, data: bytes) -> bool:
        """Create a file exclusively. Raises OSError where its content cannot be written."""
        made = self._disk.create(path, b"" if self.full else data, self._since())
        if made:
            self._check()
        return made

    def append(self, path: str, data: bytes) -> None:
        """Add to a file. Raises OSError where that cannot be written."""
        self._check()
        self._disk.write(path, (self.read(path) or b"") + data, self._since())

    def write(self, path: str, data: bytes) -> None:
        """Put content in place of whatever there was. Raises OSError where it cannot be written."""
        self._disk.write(path, b"" if self.full else data, self._since())
        self._check()

    def tell(self, path: str, data: bytes) -> None:
        """Create an event; its name matters most, so that it may be without content."""
        self._disk.write(path, b"" if self.full else data, self._since())

    def _check(self) -> None:
        if self.full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def _since(self) -> float:
        now = self._disk.clock()
        if self._chance.strikes(Fault.LATE_FILE):
            dice = self._chance.dice("late")
            return now + (dice.uniform(0, 3) if dice.random() < 0.7 else dice.uniform(0, 110))
        return now
