"""Removing the mirrors of a run in a bucket, once the bucket has all that is in them."""

from __future__ import annotations

import glob
import os
import shutil
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..lifecycle.mirroring import as_mirrored
from ..ports.buckettree import Bucket, BucketTree
from ..ports.exchange import Exchange
from ..ports.jobrecord import is_job_record
from ..ports.localfiles import LocalFiles
from ..ports.mirrormark import Mark, read_mark, remove_mark
from ..runfolder import Lease
from ..scheduler.configuration import default_mirror
from ..scheduler.observation import Remains

if TYPE_CHECKING:
    from ..scheduler import Scheduler

__all__ = ["MirrorCleaner", "clean_mirrors"]


def clean_mirrors(
    scheduler: Scheduler, run: str, lease: Lease, dry_run: bool = False
) -> Sequence[Remains]:
    """Remove the mirrors of the run, unless `dry_run`; return them, each with the problem it had, if
    any. Blocks.
    """
    files, root = as_mirrored(lease.files), str(scheduler.workdir)
    bucket = BucketTree() if files is None else files.bucket
    folders = {default_mirror(root), scheduler.mirror_folder() or default_mirror(root)}
    cleaner = MirrorCleaner(bucket, root, run, lease)
    return cleaner.look(folders) if dry_run else cleaner.clean(folders)


@dataclass(frozen=True, slots=True)
class MirrorCleaner:
    """Removes the mirrors of the run whose folder in the bucket is `root`. Its calls block."""

    bucket: Bucket
    root: str
    run: str
    lease: Lease

    def clean(self, folders: Collection[str]) -> list[Remains]:
        """Remove the present mirror, and those in or beside these folders that the run has left."""
        present = read_mark(self.bucket, self.root)
        found = self._find(folders, present)
        done = [self._remove(found[path], path, present) for path in sorted(found)]
        if present is not None and present.id not in (mark.id for mark in found.values()):
            done.append(_unseen(present))
        return done

    def look(self, folders: Collection[str]) -> list[Remains]:
        """Return the mirrors that `clean` would remove, as far as they can be seen from here."""
        present = read_mark(self.bucket, self.root)
        found = self._find(folders, present)
        seen = [
            Remains(mark.host, path, _size(path)) for path, mark in sorted(found.items(), key=str)
        ]
        if present is not None and present.id not in (mark.id for mark in found.values()):
            seen.append(_unseen(present))
        return seen

    def _find(self, folders: Collection[str], present: Mark | None) -> dict[str, Mark]:
        places = {*folders, present.folder} if present else {*folders}
        return dict(pair for place in places for pair in self._look(place, present))

    def _look(self, place: str, present: Mark | None) -> Iterator[tuple[str, Mark]]:
        for path in (place, *glob.iglob(f"{glob.escape(place)}.*")):
            mark = _mark_of(path)
            if mark is None or path not in (place, f"{place}.{mark.id}"):
                continue
            if mark.run == self.run or (present is not None and mark.id == present.id):
                yield path, mark

    def _remove(self, mark: Mark, path: str, present: Mark | None) -> Remains:
        remains = Remains(mark.host, path)
        left = present is None or mark.id != present.id
        try:
            remains = replace(remains, size=_size(path))
            problem = self._bring(path, left=left)
            if not problem:
                self.lease.check()
                if not left:
                    remove_mark(self.bucket, self.root)
                _remove_folder(path)
        except OSError as error:
            problem = str(error)
        return replace(remains, problem=problem and f"the mirror {remains}: {problem}")

    def _bring(self, path: str, *, left: bool) -> str:
        """Bring to the bucket what is only there; return why it cannot be, if so."""
        exchange = Exchange(self.bucket, LocalFiles(), self.root, path)
        if problems := exchange.bring_rest(is_job_record, left=left):
            return f"its files cannot be brought to the bucket: {problems[0]}"
        if exchange.left_out:
            return f"no object can have the name {min(exchange.left_out)!r}: move that file away"
        return ""


def _mark_of(path: str) -> Mark | None:
    try:
        return read_mark(LocalFiles(), path)
    except OSError:
        return None  # somebody else's


def _unseen(mark: Mark) -> Remains:
    what = f"the mirror {mark.folder} cannot be seen from here: run sched clean on {mark.host}"
    return Remains(mark.host, mark.folder, problem=what)


def _size(folder: str) -> int:
    paths = (f"{path}/{name}" for path, _, names in os.walk(folder) for name in names)
    return sum(os.lstat(path).st_blocks * 512 for path in paths)


def _remove_folder(folder: str) -> None:
    """Remove it, and last what tells whose it is."""
    folder = os.path.realpath(folder)
    for entry in list(os.scandir(folder)):
        if entry.is_dir(follow_symlinks=False) and entry.name != ".sched":
            shutil.rmtree(entry.path)
        elif entry.name != ".sched":
            os.unlink(entry.path)
    shutil.rmtree(folder)
