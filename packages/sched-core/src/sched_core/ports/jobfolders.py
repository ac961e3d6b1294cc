"""The folders of jobs, of which a bucket has what has ended and a mirror what runs.

Everything here blocks.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from threading import Lock

from .buckettree import Bucket, try_all
from .exchange import Exchange, Facts, facts_of, is_storable
from .files import Entry
from .jobrecord import is_job_record, is_path

__all__ = ["JobFolders"]

_REMEMBERED = 1000
"""Jobs of which it is known what the bucket has: more would fill the memory."""
_UNKNOWN: Facts = (-1, -1)
_Upload = tuple[str, Facts, dict[str, Facts]]


class JobFolders:
    """Brings the folders of jobs to the bucket when they end, and records back when asked for."""

    def __init__(self, bucket: Bucket, exchange: Exchange, root: str, folder: str) -> None:
        """Let `folder`, on a disk, hold what is in the bucket's folder `root`."""
        self._bucket, self._exchange = bucket, exchange
        self._root, self._folder = root, folder
        self._sent: OrderedDict[int, dict[str, Facts]] = OrderedDict()
        self._away: dict[str, dict[str, Entry]] = {}
        self._fetching = Lock()

    # --- from the bucket -------------------------------------------------------------------------

    def expect(self, found: Mapping[str, Entry]) -> None:
        """Know of records that only the bucket has, or has newer than they are here."""
        for path, entry in found.items():
            if not is_path(path):
                continue  # whoever may write to the bucket can give an object any name
            folder, _, name = path.rpartition("/")
            self._away.setdefault(folder, {})[name] = entry

    def fetch(self, path: str) -> None:
        """Bring a record that only the bucket has, if it is one."""
        folder, _, name = path.rpartition("/")
        with self._fetching:
            if (entry := self._away.get(folder, {}).pop(name, None)) is None:
                return
            try:
                facts = self._exchange.fetch(path, entry)
            except BaseException:
                self._away[folder][name] = entry
                raise
        index, _, _ = path.partition("/")
        self._known(int(index))[path] = facts

    def names(self, folder: str) -> Collection[str]:
        """Return the names of records in that folder that only the bucket has."""
        return self._away.get(folder, {}).keys()

    def drop(self, path: str) -> None:
        """Forget a record that only the bucket had: it has been removed there."""
        folder, _, name = path.rpartition("/")
        self._away.get(folder, {}).pop(name, None)

    # --- to the bucket ---------------------------------------------------------------------------

    def publish(self, indexes: Iterable[int]) -> list[OSError]:
        """Have the bucket hold what the folders of these jobs hold; return problems."""
        wanted: list[_Upload] = []
        gone: list[tuple[str, dict[str, Facts]]] = []
        for index in indexes:
            here, known = dict(self._here(index)), self._known(index)
            wanted += [(n, facts, known) for n, facts in here.items() if known.get(n) != facts]
            gone += [(name, known) for name in known if name not in here and is_job_record(name)]
        problems = try_all(self._upload, wanted)
        if gone and not problems:
            self._remove(gone)
        while len(self._sent) > _REMEMBERED:
            self._sent.popitem(last=False)
        return problems

    def publish_again(self) -> list[OSError]:
        """Look once more at the jobs that ended last: something may have been written late."""
        return self.publish(list(self._sent))

    def moved(self, name: str) -> None:
        """Have a record removed from the bucket, too, with what is published next."""
        self._known(int(name.partition("/")[0])).setdefault(name, _UNKNOWN)

    def _upload(self, item: _Upload) -> None:
        name, facts, known = item
        with suppress(FileNotFoundError):  # it has just been removed
            self._bucket.upload(f"{self._folder}/{name}", f"{self._root}/{name}")
            known[name] = facts

    def _remove(self, gone: list[tuple[str, dict[str, Facts]]]) -> None:
        self._bucket.remove_many([f"{self._root}/{name}" for name, _ in gone])
        for name, known in gone:
            known.pop(name, None)

    def _known(self, index: int) -> dict[str, Facts]:
        return self._sent.setdefault(index, {})

    def _here(self, index: int) -> Iterator[tuple[str, Facts]]:
        top = f"{self._folder}/{index}"
        _refresh(top)
        for path, _, names in os.walk(top):
            for name in names:
                relative = f"{path[len(self._folder) + 1 :]}/{name}"
                facts = facts_of(f"{path}/{name}")
                if not is_storable(relative):
                    self._exchange.left_out.add(relative)
                elif facts is not None:
                    yield relative, facts


def _refresh(folder: str) -> None:
    """Have a disk of the network tell what is there now: it keeps listings for a while."""
    path = f"{folder}/.look"
    with suppress(OSError):
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o600))
        os.unlink(path)
