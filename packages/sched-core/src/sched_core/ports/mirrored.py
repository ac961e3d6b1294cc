"""A run in a bucket whose jobs see a folder of a disk: the store over both."""

from __future__ import annotations

import errno
import logging
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TypeVar

from .buckettree import Bucket
from .exchange import Exchange
from .files import Entry, OneByOne
from .jobfolders import JobFolders
from .jobrecord import is_job_record
from .localfiles import LocalFiles
from .mirrormark import Mark, is_at, make_room, read_mark, write_mark

__all__ = ["MirroredFiles"]

T = TypeVar("T")

log = logging.getLogger("sched")

_DRIVERS = (".sched/journal", ".sched/submissions", ".sched/requests", ".sched/packs")
_FIRST_DELAY, _LONGEST_DELAY, _STEP = 1.0, 30.0, 0.2


class MirroredFiles(OneByOne):
    """Files of a run in the bucket's folder `root`, which jobs find in `folder`, the mirror.

    What drivers share (the lease, run.json, the journal, submissions, requests) is in the bucket:
    an exclusive create there is a lock between all machines. What jobs and drivers share (scripts,
    claims, events, outputs) is in the mirror: an exclusive create there is a lock between them.
    `publish` and `exchange` bring what is in the mirror to the bucket, and back.

    Paths may be those in the bucket, or those in the mirror. Until `join` nothing is written to the
    mirror, and it is looked at only if it is the run's present one. An onlooker names no mirror: it
    reads from the present one, if that can be seen from here, and writes to the bucket.
    """

    def __init__(self, bucket: Bucket, root: str, folder: str = "", mode: int = 0o600) -> None:
        """Let `folder` mirror `root`; files there get the permissions `mode`."""
        self.bucket, self.disk = bucket, LocalFiles(mode)
        self.root, self.folder = root, folder
        self.exchange = Exchange(bucket, self.disk, root, folder)
        self.jobs = JobFolders(bucket, self.exchange, root, folder)
        self.gives_up: Callable[[], bool] = lambda: True
        """Whether a bucket that is out of reach is not waited for."""
        self.elsewhere: Mark | None = None
        """Another mirror, which an earlier driver has used last."""
        self.run = ""
        """The run's id, for its mirror to be known by."""
        self._onlooks = not folder
        self._mark: Mark | None = None
        self._joined: bool | None = None

    # --- becoming the run's mirror -----------------------------------------------------------------

    def join(self) -> None:
        """Have the mirror hold what the bucket holds, and be used. Raises OptionError, OSError."""
        there, here = read_mark(self.bucket, self.root), read_mark(self.disk, self.folder)
        if there is not None and here is not None and there.id == here.id:
            self._mark = there
            _raise_first(self.exchange.look_everywhere())
        else:
            self.elsewhere, self._mark = there, Mark.of(self.folder, self.run)
            self._begin(self._mark)
        self._joined = True

    def _begin(self, mark: Mark) -> None:
        if aside := make_room(self.disk, self.folder):
            log.warning("what was in the mirror %s before is now in %s", self.folder, aside)
        write_mark(self.disk, self.folder, mark)
        found = self.bucket.tree(self.root)
        records = {n: e for n, e in found.items() if is_job_record(n)}
        self.jobs.expect(records)
        common = {
            n: e for n, e in found.items() if n not in records and not n.startswith(".sched/")
        }
        _raise_first(self.exchange.bring_in(common))

    def take(self) -> None:
        """Record that this is the run's mirror now: what is started writes here."""
        if self._mark is not None and not self._mark.taken:
            self._mark = replace(self._mark, taken=True)
            write_mark(self.bucket, self.root, self._mark)
            write_mark(self.disk, self.folder, self._mark)

    def elsewhere_is_seen(self) -> bool:
        """Tell whether the other mirror can be seen from here."""
        return self.elsewhere is not None and is_at(self.elsewhere, self.disk)

    # --- which side --------------------------------------------------------------------------------

    @property
    def interval(self) -> float:  # type: ignore[override]  # a look at the bucket costs
        """The shortest time between two looks at the same place, in seconds."""
        return self.bucket.interval

    def _name(self, path: str) -> str | None:
        """Return the path below the run's folder, None for one of this machine that is not in it."""
        for top in filter(None, (self.root, self.folder)):
            if path == top or path.startswith(f"{top}/"):
                return path[len(top) + 1 :]
        return None

    def _read_from(self, path: str) -> str | None:
        """Return where the disk has the file, once what only the bucket has is there; or None."""
        name = self._name(path)
        if name is None:
            return path
        if _is_drivers(name) or not self._is_joined():
            return None if path.startswith(self.root) or self._joined else path
        self.jobs.fetch(name)
        here = f"{self.folder}/{name}"
        return None if self._onlooks and not self.disk.exists(here) else here

    def _is_joined(self) -> bool:
        """Tell whether the mirror is to be asked: an onlooker finds out when it first asks."""
        if self._joined is None:
            mark = read_mark(self.bucket, self.root)
            self._joined = mark is not None and self._is_ours(mark)
        return self._joined

    def _is_ours(self, mark: Mark) -> bool:
        seen = is_at(mark, self.disk)
        if self._onlooks and seen:
            self.folder = mark.folder
        return seen and mark.folder == self.folder

    def _write_to(self, path: str) -> str | None:
        """Return where the disk is to have the file; None for what the bucket is to have."""
        name = self._name(path)
        if name is None:
            return path
        if _is_drivers(name) or self._onlooks:
            return None
        if not self._joined:
            if not path.startswith(self.root):
                return path
            self.join()
            self.take()
        return f"{self.folder}/{name}"

    def _there(self, path: str) -> str:
        """Return the file's path in the bucket."""
        name = self._name(path)
        return path if not name else f"{self.root}/{name}"

    # --- files -------------------------------------------------------------------------------------

    def create(self, path: str, data: bytes) -> bool:
        """Create the file with this content; False, and no effect, where there is one already."""
        if (here := self._write_to(path)) is None:
            return self._create(self._there(path), data)
        self._read_from(path)
        return self.disk.create(here, data)

    def _create(self, path: str, data: bytes) -> bool:
        tried = 0

        def create() -> bool:
            nonlocal tried
            tried += 1
            return self.bucket.create(path, data)

        # An earlier try may have been heard, though its answer was not.
        return self._patiently(create) or (tried > 1 and self.bucket.read(path) == data)

    def write(self, path: str, data: bytes) -> None:
        """Put the content in place of whatever there was."""
        if (here := self._write_to(path)) is None:
            self._patiently(lambda: self.bucket.write(self._there(path), data))
        else:
            self._read_from(path)
            self.disk.write(here, data)

    def write_private(self, path: str, data: bytes) -> None:
        """Put the content into a file of the mirror that only its owner may read."""
        if (here := self._write_to(path)) is None:
            raise PermissionError(errno.EPERM, "an onlooker writes nothing of this kind", path)
        self.disk.write_private(here, data)

    def read(self, path: str) -> bytes:
        """Return the whole content."""
        here = self._read_from(path)
        return self.bucket.read(self._there(path)) if here is None else self.disk.read(here)

    def read_from(self, path: str, offset: int) -> bytes:
        """Return what lies beyond that many bytes, which may be nothing."""
        if (here := self._read_from(path)) is None:
            return self.bucket.read_from(self._there(path), offset)
        return self.disk.read_from(here, offset)

    def read_part(self, path: str, offset: int, size: int) -> bytes:
        """Return up to that many bytes from there on; fewer only where the file ends."""
        if (here := self._read_from(path)) is None:
            return self.bucket.read_part(self._there(path), offset, size)
        return self.disk.read_part(here, offset, size)

    def exists(self, path: str) -> bool:
        """Tell whether there is such a file or folder."""
        if (here := self._read_from(path)) is None:
            return self.bucket.exists(self._there(path))
        return self.disk.exists(here) or bool(self.jobs.names(self._name(path) or ""))

    def names(self, folder: str) -> list[str]:
        """List what the folder holds, in no order."""
        if (here := self._read_from(folder)) is None:
            return self.bucket.names(self._there(folder))
        away = self.jobs.names(self._name(folder) or "")
        try:
            return list({*self.disk.names(here), *away})
        except FileNotFoundError:
            if not away:
                raise
            return list(away)

    def entries(self, folder: str) -> dict[str, Entry]:
        """Return what the folder holds, by name."""
        for name in list(self.jobs.names(self._name(folder) or "")):
            self._read_from(f"{folder}/{name}")
        if (here := self._read_from(folder)) is None:
            return self.bucket.entries(self._there(folder))
        return self.disk.entries(here)

    def make_folder(self, path: str) -> bool:
        """Make the folder and its missing parents; False where it was there already."""
        name = self._name(path)
        if name is None or (not self._joined and not path.startswith(self.root)):
            return self.disk.make_folder(path)
        if not self._joined or name in _DRIVERS:
            return self.bucket.make_folder(self._there(path))
        return self.disk.make_folder(f"{self.folder}/{name}") and not self.jobs.names(name)

    def remove(self, path: str) -> None:
        """Remove the file, if there is one."""
        self.remove_many([path])

    def move(self, source: str, target: str) -> None:
        """Give a file another name in the same store."""
        here, there = self._write_to(source), self._write_to(target)
        if here is None or there is None:
            self.bucket.move(self._there(source), self._there(target))
            return
        self._read_from(source)
        self.disk.move(here, there)
        self._forget(source)

    def _forget(self, path: str) -> None:
        name = self._name(path)
        if name is not None and is_job_record(name):
            self.jobs.moved(name)

    # --- many at once ------------------------------------------------------------------------------

    def read_many(self, paths: Sequence[str]) -> list[bytes | None]:
        """Return the contents of files, None for one that is not there."""
        here = [self._read_from(path) for path in paths]
        there = [self._there(p) for p, place in zip(paths, here, strict=True) if place is None]
        contents = iter(self.bucket.read_many(there) if there else [])
        return [next(contents) if p is None else self.disk.read_many([p])[0] for p in here]

    def remove_many(self, paths: Sequence[str]) -> None:
        """Remove those of the files that are there."""
        there = []
        for path in paths:
            if (here := self._write_to(path)) is None:
                there.append(self._there(path))
            else:
                self._read_from(path)
                self.disk.remove(here)
                self._forget(path)
        if there:
            self._patiently(lambda: self.bucket.remove_many(there))

    def checksums(self, paths: Iterable[str]) -> dict[str, Entry]:
        """Return what is known of those of the files that are there, by as few questions as it takes."""
        found: dict[str, Entry] = {}
        there: list[str] = []
        for path in paths:
            if (here := self._read_from(path)) is None:
                there.append(self._there(path))
            else:
                known = self.disk.checksums([here])
                found |= {path: known[here]} if known else {}
        return found | self.bucket.checksums(there) if there else found

    # --- patience ----------------------------------------------------------------------------------

    def _patiently(self, call: Callable[[], T]) -> T:
        """Do it as soon as the bucket can be reached: jobs run on meanwhile."""
        delay = _FIRST_DELAY
        while True:
            try:
                return call()
            except OSError as error:
                if error.errno != errno.EIO or self.gives_up():
                    raise
                log.warning("the bucket cannot be reached, trying again: %s", error)
                self._rest(delay)
                delay = min(delay * 2, _LONGEST_DELAY)

    def _rest(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until and not self.gives_up():
            time.sleep(_STEP)


def _is_drivers(name: str) -> bool:
    """Tell whether drivers alone read and write this: it is in the bucket."""
    if name in (".sched", ".sched/run.json", ".sched/mirror.json", ".sched/removing", *_DRIVERS):
        return True
    return name.startswith((".sched/lease.", *(f"{folder}/" for folder in _DRIVERS)))


def _raise_first(problems: Sequence[OSError]) -> None:
    if problems:
        raise problems[0]
