"""Files that a bucket's folder and its mirror on a disk have in common, brought from side to side.

What a run's users and jobs put beside the folders of jobs: the newer of two wins, and nothing is
removed. Everything here blocks.
"""

from __future__ import annotations

import hashlib
import os
import stat
import time
from collections.abc import Callable, Container, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from threading import get_ident

from .buckettree import Bucket, try_all
from .files import Entry
from .jobrecord import is_path
from .localfiles import LocalFiles

__all__ = ["Exchange", "Facts", "facts_of", "is_storable"]

_SMALL = 1 << 20
_QUIET = 2.0
"""Seconds since a file's last change after which it is taken to be whole."""
_LONGEST_NAME = 1024
"""Bytes of an object's name, at most."""

Facts = tuple[int, int]
"""Size and time of the last change of a file, in nanoseconds."""


@dataclass(frozen=True, slots=True)
class _Pair:
    """A file and an object that had the same content."""

    here: Facts
    there: Entry


class Exchange:
    """Brings files between a folder of a bucket and its mirror.

    What lies in `.sched`, and in the folders of `jobs`, is left to others.
    """

    def __init__(self, bucket: Bucket, disk: LocalFiles, root: str, folder: str) -> None:
        """Let `folder`, on a disk, hold what is in the bucket's folder `root`."""
        self._bucket, self._disk = bucket, disk
        self._root, self._folder = root, folder
        self._pairs: dict[str, _Pair] = {}
        self.jobs: Container[int] = ()
        """The indexes of the jobs, whose folders are not looked into."""
        self.earlier_jobs: Container[int] = ()
        """Those of the jobs that the run had before, of which a new list may have fewer."""
        self.searched_for = 0.0
        """How many seconds it took last to find what is new here."""
        self.left_out: set[str] = set()
        """Names that no object, or no file, can have."""
        self.changes = 0
        """Grows as files are brought from side to side."""

    # --- from the bucket -------------------------------------------------------------------------

    def look_in(self) -> list[OSError]:
        """Bring what has appeared or changed at the top of the bucket's folder; return problems."""
        return self.bring_in(self._top())

    def look_everywhere(self) -> list[OSError]:
        """Bring what has appeared or changed anywhere in the bucket's folder; return problems."""
        found = {}
        for name, entry in self._bucket.entries(self._root).items():
            if not entry.is_folder:
                found[name] = entry
            elif self._is_common(name):
                below = self._bucket.tree(f"{self._root}/{name}")
                found.update((f"{name}/{rest}", entry) for rest, entry in below.items())
        return self.bring_in(found)

    def _top(self) -> Mapping[str, Entry]:
        entries = self._bucket.entries(self._root)
        return {name: entry for name, entry in entries.items() if not entry.is_folder}

    def bring_in(self, found: Mapping[str, Entry]) -> list[OSError]:
        """Bring those of the objects that are newer than what is here; return problems."""
        newer = [item for item in found.items() if self._is_wanted(*item)]
        return try_all(self._download, newer)

    def _is_wanted(self, name: str, entry: Entry) -> bool:
        if not is_path(name):
            if not name.endswith("/"):  # which a mount leaves for a folder
                self.left_out.add(name)
            return False
        if ".sched" in name.split("/"):
            return False
        known, here = self._pairs.get(name), facts_of(f"{self._folder}/{name}")
        if known is not None and known.there == entry:
            return False
        if here is None or (known is not None and known.here == here):
            return True
        if known is None and self._is_same(name, here, entry):
            self._pairs[name] = _Pair(here, entry)
            return False
        return entry.modified * 1e9 > here[1]

    def _is_same(self, name: str, here: Facts, entry: Entry) -> bool:
        if here[0] != entry.size:
            return False
        return here[1] == _nanoseconds(entry) or entry.md5 == _md5(f"{self._folder}/{name}")

    def _download(self, item: tuple[str, Entry]) -> None:
        name, entry = item
        here = self.fetch(name, entry)
        self._pairs[name] = _Pair(here, entry)
        self.changes += 1

    def fetch(self, name: str, entry: Entry) -> Facts:
        """Bring one object, whatever there is here."""
        path, fresh = f"{self._folder}/{name}", f"{self._folder}/.sched/incoming"
        self._disk.make_folder(fresh)
        self._disk.make_folder(os.path.dirname(path))
        fresh = f"{fresh}/{get_ident()}"
        self._disk.remove(fresh)
        self._disk.create(fresh, b"")  # with the run's permissions
        self._bucket.download(f"{self._root}/{name}", fresh)
        os.utime(fresh, ns=(_nanoseconds(entry),) * 2)
        os.replace(fresh, path)
        return entry.size, _nanoseconds(entry)

    # --- to the bucket ---------------------------------------------------------------------------

    def bring_out(self, *, small: bool = False, unfinished: bool = False) -> list[OSError]:
        """Bring what is new here to the bucket, and what is large once nobody writes to it; only
        what is `small`, or also what is `unfinished`; return problems.
        """
        now = time.time()
        wanted = [
            (name, facts)
            for name, facts in self._here(self._is_common)
            if self._is_new(name, facts) and _is_due(facts, now, small, unfinished)
        ]
        self.searched_for = time.time() - now
        return try_all(self._upload, wanted)

    def _is_new(self, name: str, facts: Facts) -> bool:
        known = self._pairs.get(name)
        return known is None or known.here != facts

    def _upload(self, item: tuple[str, Facts]) -> None:
        name, facts = item
        with suppress(FileNotFoundError):  # it has just been removed
            entry = self._bucket.upload(f"{self._folder}/{name}", f"{self._root}/{name}")
            self._pairs[name] = _Pair(facts, entry)
            self.changes += 1

    def bring_rest(self, is_record: Callable[[str], bool], *, left: bool) -> list[OSError]:
        """Bring what the bucket lacks, from all folders: this one is about to go; return problems.

        Records of jobs are right here. In a mirror that the run has `left`, they are of no use, and
        nothing is newer than what is in the bucket.
        """
        there = self._bucket.tree(self._root)
        wanted = [
            (name, facts)
            for name, facts in self._here(lambda folder: folder != ".sched")
            if self._is_lacking(name, facts, there.get(name), is_record(name), left)
        ]
        return try_all(self._upload, wanted)

    def _is_lacking(
        self, name: str, here: Facts, there: Entry | None, record: bool, left: bool
    ) -> bool:
        if there is None or left:
            return there is None and not (record and left)
        newer = record or here[1] > there.modified * 1e9
        return newer and not self._is_same(name, here, there)

    def _here(self, is_wanted: Callable[[str], bool]) -> Iterator[tuple[str, Facts]]:
        for path, folders, names in os.walk(self._folder):
            below = path[len(self._folder) + 1 :]
            folders[:] = [name for name in folders if is_wanted(_join(below, name))]
            for name in names:
                facts = facts_of(f"{path}/{name}")
                if facts is not None and self._is_nameable(_join(below, name)):
                    yield _join(below, name), facts

    def _is_nameable(self, name: str) -> bool:
        if not is_storable(name):
            self.left_out.add(name)
            return False
        return True

    def _is_common(self, folder: str) -> bool:
        """Tell whether a folder's files are brought from side to side."""
        if folder == ".sched" or folder.endswith("/.sched"):
            return False
        if not (folder.isdecimal() and folder.isascii()):
            return True
        return int(folder) not in self.jobs and int(folder) not in self.earlier_jobs


def facts_of(path: str) -> Facts | None:
    """Return what tells one content of a file from others, None where there is no such file."""
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return None
    return (found.st_size, found.st_mtime_ns) if stat.S_ISREG(found.st_mode) else None


def _is_due(facts: Facts, now: float, small: bool, unfinished: bool) -> bool:
    if facts[0] <= _SMALL or unfinished:
        return True
    return not small and now - facts[1] / 1e9 >= _QUIET


def is_storable(name: str) -> bool:
    """Tell whether an object can have that name."""
    try:
        return len(name.encode()) < _LONGEST_NAME // 2 and not {"\n", "\r"}.intersection(name)
    except UnicodeEncodeError:
        return False


def _join(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name


def _nanoseconds(entry: Entry) -> int:
    return round(entry.modified * 1e6) * 1000


def _md5(path: str) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
