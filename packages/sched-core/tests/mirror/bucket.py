"""A bucket in memory, with a clock of its own."""

from __future__ import annotations

import errno
import hashlib
from collections.abc import Iterable
from pathlib import Path

from sched_core.ports.files import Entry, OneByOne

__all__ = ["MemoryBucket"]


class MemoryBucket(OneByOne):
    """Objects under full names, such as gs://bucket/run/0/job.stdout."""

    def __init__(self) -> None:
        self.objects: dict[str, tuple[bytes, float]] = {}
        self.clock = 1.8e9
        self.uploads: list[str] = []
        self.away = 0
        """How many more requests find it out of reach."""

    def _ask(self) -> None:
        if self.away:
            self.away -= 1
            raise OSError(errno.EIO, "cannot be reached now")

    def put(self, path: str, text: str, modified: float | None = None) -> None:
        """Do what another client does."""
        self.clock += 1.0
        self.objects[path] = (text.encode(), self.clock if modified is None else modified)

    def text(self, path: str) -> str:
        return self.objects[path][0].decode()

    def _entry(self, path: str) -> Entry:
        data, modified = self.objects[path]
        md5 = hashlib.md5(data, usedforsecurity=False).hexdigest()
        return Entry(len(data), modified, md5=md5)

    def create(self, path: str, data: bytes) -> bool:
        self._ask()
        if path in self.objects:
            return False
        self.put(path, data.decode())
        return True

    def write(self, path: str, data: bytes) -> None:
        self._ask()
        self.put(path, data.decode())

    def read(self, path: str) -> bytes:
        self._ask()
        if path not in self.objects:
            raise FileNotFoundError(errno.ENOENT, "No such object", path)
        return self.objects[path][0]

    def read_from(self, path: str, offset: int) -> bytes:
        return self.read(path)[offset:]

    def names(self, folder: str) -> list[str]:
        return list(self.entries(folder))

    def entries(self, folder: str) -> dict[str, Entry]:
        found = {}
        for name, entry in self.tree(folder).items():
            first, slash, _ = name.partition("/")
            found[first] = Entry(0, 0.0, is_folder=True) if slash else entry
        return found

    def tree(self, folder: str) -> dict[str, Entry]:
        self._ask()
        start = f"{folder}/"
        return {p[len(start) :]: self._entry(p) for p in self.objects if p.startswith(start)}

    def checksums(self, paths: Iterable[str]) -> dict[str, Entry]:
        return {path: self._entry(path) for path in paths if path in self.objects}

    def make_folder(self, path: str) -> bool:
        return False

    def exists(self, path: str) -> bool:
        self._ask()
        return path in self.objects or bool(self.tree(path))

    def remove(self, path: str) -> None:
        self._ask()
        self.objects.pop(path, None)

    def move(self, source: str, target: str) -> None:
        self.write(target, self.read(source))
        self.remove(source)

    def upload(self, source: str, path: str) -> Entry:
        self.write(path, Path(source).read_bytes())
        self.uploads.append(path)
        return self._entry(path)

    def download(self, path: str, target: str) -> None:
        Path(target).write_bytes(self.read(path))
