"""A bucket in memory, in the place of the real one."""

from __future__ import annotations

import errno
import hashlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from sched_core.ports import Entry, SystemPorts
from sched_core.ports.files import OneByOne
from sched_meta.reading.runfolder import RunFolder

__all__ = ["Bucket", "run_folder"]


class Bucket(OneByOne):
    """Objects by their paths; `questions` counts what was asked."""

    interval = 0.01

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.questions: list[str] = []
        self.broken: OSError | None = None

    @contextmanager
    def _asked(self, what: str) -> Iterator[None]:
        self.questions.append(what)
        if self.broken:
            raise self.broken
        yield

    def create(self, path: str, data: bytes) -> bool:
        with self._asked("create"):
            if path in self.objects:
                return False
            self.objects[path] = data
            return True

    def write(self, path: str, data: bytes) -> None:
        self.objects[path] = data

    def read(self, path: str) -> bytes:
        return self.read_from(path, 0)

    def read_from(self, path: str, offset: int) -> bytes:
        with self._asked("read"):
            if path not in self.objects:
                raise FileNotFoundError(errno.ENOENT, "No such object", path)
            return self.objects[path][offset:]

    def names(self, folder: str) -> list[str]:
        return list(self.entries(folder))

    def entries(self, folder: str) -> dict[str, Entry]:
        with self._asked("list"):
            found = {}
            for path, data in self.objects.items():
                name, slash, _ = path.removeprefix(f"{folder}/").partition("/")
                if path.startswith(f"{folder}/"):
                    found[name] = Entry(0, 0.0, is_folder=True) if slash else _entry(data)
            return found

    def checksums(self, paths: Iterable[str]) -> dict[str, Entry]:
        with self._asked("checksums"):
            return {p: _entry(self.objects[p]) for p in paths if p in self.objects}

    def make_folder(self, path: str) -> bool:
        return False

    def exists(self, path: str) -> bool:
        with self._asked("exists"):
            return path in self.objects

    def remove(self, path: str) -> None:
        with self._asked("remove"):
            self.objects.pop(path, None)

    def move(self, source: str, target: str) -> None:
        self.objects[target] = self.objects.pop(source)


def _entry(data: bytes) -> Entry:
    return Entry(len(data), 0.0, md5=hashlib.md5(data).hexdigest())


def run_folder(bucket: Bucket) -> RunFolder:
    """Return the folder gs://bucket/r of a run in that bucket."""
    folder = RunFolder("gs://bucket/r")
    folder.ports = SystemPorts(bucket)
    return folder
