"""The archives of a run, and which files of a job they hold."""

from __future__ import annotations

import re
import time
from collections import OrderedDict
from collections.abc import Mapping
from threading import RLock

from ..text.claim import parse_claim_name
from .archive import Archive, Member, same_file
from .files import Entry, Files
from .jobrecord import ATTEMPT_RECORD, is_scheds_own

__all__ = [
    "Archives",
    "View",
    "archive_name",
    "is_other_attempt",
    "parse_archive_name",
    "put_aside",
]

View = dict[str, Member]
"""The packed files of a job, by their names in its folder."""

_NAME = re.compile(r"pack-([1-9][0-9]*)\.(0|[1-9][0-9]*)-(0|[1-9][0-9]*)\.zip", re.ASCII)
_OPEN = 16
"""Archives whose lists of files are kept in memory."""
_KEPT = re.compile(r"job\.retry/([1-9][0-9]*)/.*", re.DOTALL | re.ASCII)


def archive_name(number: int, first: int, last: int) -> str:
    """Name the archive of that number, with files of jobs from `first` to `last`."""
    return f"pack-{number}.{first}-{last}.zip"


def parse_archive_name(name: str) -> tuple[int, int, int] | None:
    """Return number, first and last job of an archive's name, None for any other name."""
    match = _NAME.fullmatch(name)
    return (int(match[1]), int(match[2]), int(match[3])) if match else None


class Archives:
    """The archives of a run, newest last. Its calls block, and may come from any thread."""

    def __init__(self, files: Files, folder: str) -> None:
        """Read archives of that folder."""
        self._files, self._folder = files, folder
        self._known: list[tuple[int, int, int, str, Entry]] = []
        self._looked: float | None = None
        self._open: OrderedDict[tuple[str, Entry], Archive] = OrderedDict()
        self._lock = RLock()

    def look(self) -> list[tuple[int, int, int, str, Entry]]:
        """Return number, first and last job, name and facts of each archive."""
        with self._lock:
            now = time.monotonic()
            if self._looked is None or now - self._looked >= self._files.interval:
                self._known = self._list()
                self._looked = now
            return self._known

    def _list(self) -> list[tuple[int, int, int, str, Entry]]:
        try:
            found = self._files.entries(self._folder)
        except (FileNotFoundError, NotADirectoryError):
            return []
        parsed = ((parse_archive_name(name), name, entry) for name, entry in found.items())
        return sorted((*key, name, entry) for key, name, entry in parsed if key)

    def forget(self) -> None:
        """Look anew: this process has changed something."""
        self._looked = None

    def of_job(self, index: int) -> list[Archive]:
        """Return the archives that may hold files of the job. Raises OSError."""
        return [
            self.open(name, entry)
            for _, first, last, name, entry in self.look()
            if first <= index <= last
        ]

    def open(self, name: str, entry: Entry) -> Archive:
        """Return an archive that `look` told of. Raises OSError."""
        with self._lock:
            key = (name, entry)
            if key not in self._open:
                self._open[key] = Archive(self._files, f"{self._folder}/{name}", entry.size)
            self._open.move_to_end(key)
            while len(self._open) > _OPEN:
                self._open.popitem(last=False)
            return self._open[key]

    def view(self, index: int) -> View:
        """Return the packed files of a job as they would lie in its folder. Raises OSError."""
        view: View = {}
        for archive in self.of_job(index):
            layer = archive.jobs.get(index, {})
            if is_other_attempt(view, {name: member.entry for name, member in layer.items()}):
                view = put_aside(view)
            view |= layer
        return view


def is_other_attempt(view: View, found: Mapping[str, Entry]) -> bool:
    """Tell whether a job's folder with these files has another attempt than the one that is packed.

    It may also be what is left of a folder of which the packing was broken off: then all in it are
    packed files.
    """
    records = ((n, e) for n, e in found.items() if is_scheds_own(n) and "/" not in n)
    return bool(view) and any(
        not same_file(view[name].entry if name in view else None, entry) for name, entry in records
    )


def put_aside(view: View) -> View:
    """Return the files under the names that they have once there is another attempt."""
    attempt = _attempt(view)
    moved = {
        f"job.retry/{attempt}/{name}": member
        for name, member in view.items()
        if ATTEMPT_RECORD.fullmatch(name)
    }
    return moved | {n: member for n, member in view.items() if not ATTEMPT_RECORD.fullmatch(n)}


def _attempt(view: View) -> int:
    """Return the attempt that wrote the files: its claim tells, or those that were kept before it."""
    claims = [claim[0] for claim in map(parse_claim_name, view) if claim]
    earlier = [int(match[1]) for match in map(_KEPT.fullmatch, view) if match]
    return max(claims, default=0) or max(earlier, default=0) + 1
