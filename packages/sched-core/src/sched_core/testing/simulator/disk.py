"""A disk in memory that driver and nodes share: each content is seen by the driver from some time on."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from dataclasses import dataclass, field

__all__ = ["SimulatedDisk", "no_such_file"]

_ALWAYS = float("-inf")


@dataclass(slots=True)
class _File:
    """Every content that the file has had, and since when the driver sees it."""

    versions: list[tuple[float, bytes]] = field(default_factory=list)
    listed: float | None = None
    """Since when its folder lists it for the driver, where that is another time."""

    def seen_at(self, now: float) -> bytes | None:
        for since, data in reversed(self.versions):
            if since <= now:
                return data
        return None

    @property
    def newest(self) -> bytes:
        return self.versions[-1][1]

    def is_listed_at(self, now: float) -> bool:
        """Tell whether its folder lists it."""
        return now >= (self.versions[0][0] if self.listed is None else self.listed)

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
        self.full_until = 0.0
        """Until when there is no room for anything."""
        self.away_until = 0.0
        """Until when it answers no driver."""
        self._ghosts: dict[str, dict[str, float]] = {}

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
            raise no_such_file(folder) from None

    def listing(self, folder: str) -> list[str]:
        """Return the names that the driver sees in a folder."""
        now = self.clock()
        names = [name for name in self.entries(folder) if self._is_listed(f"{folder}/{name}", now)]
        ghosts = self._ghosts.get(folder, {})
        return names + [n for n, until in ghosts.items() if now < until and n not in names]

    def _is_listed(self, path: str, now: float) -> bool:
        file = self.files.get(path)
        return path in self.folders if file is None else file.is_listed_at(now)

    def haunt(self, path: str, seconds: float) -> None:
        """Have a file that is being removed be listed for so much longer."""
        folder, _, name = path.rpartition("/")
        self._ghosts.setdefault(folder, {})[name] = self.clock() + seconds

    def create(self, path: str, data: bytes, since: float = _ALWAYS) -> bool:
        """Create a file exclusively."""
        folder, _, name = path.rpartition("/")
        entries = self.entries(folder)
        if name in entries:
            return False
        entries[name] = None
        self.files[path] = _File([(since, data)])
        return True

    def list_from(self, path: str, since: float) -> None:
        """Have a file that is listed at other times than it can be read be listed from then on."""
        self.files[path].listed = since

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
            raise no_such_file(source)
        self.remove(source)
        self.remove(target)
        self.create(target, b"")
        self.files[target] = file


def no_such_file(path: str) -> FileNotFoundError:
    """Return the error of a file that is not there."""
    return FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
