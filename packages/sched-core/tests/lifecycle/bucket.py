"""A store in memory that knows checksums, and shows what it is told to."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from sched_core.ports import Entry, StoreUnavailable, SystemPorts
from sched_core.ports.files import OneByOne


class Bucket(OneByOne):
    """Objects by their paths; `late` are those that the driver does not see yet."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.late: set[str] = set()
        self.was_read: list[str] = []
        self.removed: list[list[str]] = []
        self.broken = False
        self.away = False

    def _seen(self) -> dict[str, bytes]:
        self._ask()
        return {path: data for path, data in self.objects.items() if path not in self.late}

    def _ask(self) -> None:
        if self.away:
            raise StoreUnavailable("the bucket is away")

    def create(self, path: str, data: bytes) -> bool:
        self._ask()
        return self.objects.setdefault(path, data) is data

    def write(self, path: str, data: bytes) -> None:
        self._ask()
        self.objects[path] = data

    def read(self, path: str) -> bytes:
        self.was_read.append(path)
        try:
            return self._seen()[path]
        except KeyError:
            raise FileNotFoundError(path) from None

    def read_from(self, path: str, offset: int) -> bytes:
        return self.read(path)[offset:]

    def names(self, folder: str) -> list[str]:
        start = len(folder) + 1
        found = (path[start:] for path in self._seen() if path.startswith(f"{folder}/"))
        return list({path.partition("/")[0] for path in found})

    def entries(self, folder: str) -> dict[str, Entry]:
        found = self.checksums(f"{folder}/{name}" for name in self.names(folder))
        return {path.rpartition("/")[2]: entry for path, entry in found.items()}

    def checksums(self, paths: Iterable[str]) -> dict[str, Entry]:
        if self.broken:
            raise OSError("out of reach")
        seen = self._seen()
        return {path: entry_of(seen[path]) for path in paths if path in seen}

    def make_folder(self, path: str) -> bool:
        return False

    def remove(self, path: str) -> None:
        self.objects.pop(path, None)

    def remove_many(self, paths: Iterable[str]) -> None:
        self._ask()
        self.removed.append(list(paths))
        super().remove_many(self.removed[-1])

    def move(self, source: str, target: str) -> None:
        self.objects[target] = self.objects.pop(source)

    def exists(self, path: str) -> bool:
        return path in self._seen()


def entry_of(data: bytes) -> Entry:
    return Entry(len(data), 0.0, md5=md5(data))


def md5(data: bytes) -> str:
    return hashlib.md5(data).hexdigest()


class Ports(SystemPorts):
    """The machine's, with a clock that can be put forward, and a bucket for a disk."""

    def __init__(self) -> None:
        self.bucket = Bucket()
        super().__init__(self.bucket)
        self.later = 0.0

    def monotonic(self) -> float:
        return super().monotonic() + self.later
