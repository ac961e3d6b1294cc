"""The folders of jobs in a bucket."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from sched_core.ports.jobrecord import is_job_record, is_scheds_own

from .jobfolder import JobFolder

if TYPE_CHECKING:
    from sched_core.ports import Entry
    from sched_core.ports.buckettree import Bucket

__all__ = ["ObjectTree"]

_PART = 1 << 23
_FEW = 20
"""Folders that are listed one by one; for more of them the whole run is listed."""


class ObjectTree:
    """A run's folder in a bucket, where a file is never changed: another one takes its place."""

    def __init__(self, bucket: Bucket, root: str) -> None:
        self._bucket, self._root = bucket, root
        self._scratch: tempfile.TemporaryDirectory[str] | None = None

    def indexes(self) -> Collection[int]:
        """Return the jobs that have a folder."""
        return sorted(int(name) for name in self._bucket.names(self._root) if _is_index(name))

    def others(self) -> list[str]:
        """Return what else lies in the run's folder, beside the folders of jobs and `.sched`."""
        names = self._bucket.names(self._root)
        return sorted(name for name in names if not _is_index(name) and name != ".sched")

    def walk(self, indexes: Collection[int]) -> Iterator[JobFolder]:
        """Yield what lies in the folders of these jobs, in the order given."""
        if len(indexes) <= _FEW:
            for index in indexes:
                yield _job_folder(index, self._bucket.tree(f"{self._root}/{index}"))
            return
        found: dict[str, dict[str, Entry]] = {}
        for path, entry in self._bucket.tree(self._root).items():
            folder, _, name = path.partition("/")
            found.setdefault(folder, {})[name] = entry
        for index in indexes:
            yield _job_folder(index, found.get(str(index), {}))

    def pieces(self, name: str) -> Iterator[bytes]:
        """Yield the content of a file below the run's folder."""
        offset = 0
        while piece := self._bucket.read_part(f"{self._root}/{name}", offset, _PART):
            yield piece
            offset += len(piece)
            if len(piece) < _PART:
                return

    def remove(self, folders: Sequence[JobFolder]) -> list[JobFolder]:
        """Remove the records in the folders of jobs; return those that are left as they are: none."""
        self._bucket.remove_many(
            [f"{self._root}/{found.index}/{name}" for found in folders for name in found.records]
        )
        return []

    def changed(self, folders: Sequence[JobFolder]) -> list[JobFolder]:
        """Return those of the folders that have changed: none, tasks put whole objects there."""
        return []

    def scratch(self, name: str) -> str:
        """Return an empty file of this machine, for `place` to take."""
        if self._scratch is None:
            self._scratch = tempfile.TemporaryDirectory(prefix="sched-")
        return f"{self._scratch.name}/{name}"

    def place(self, source: str, name: str, modified: float | None = None) -> None:
        """Put a file of this machine in place of the one of that name below the run's folder."""
        self._bucket.upload(source, f"{self._root}/{name}")
        os.unlink(source)

    def flush(self) -> None:
        """Do nothing: what a bucket has taken is safe."""

    # --- the run's own records ---------------------------------------------------------------------

    def own(self) -> dict[str, int]:
        """Return the sizes of the files below `.sched`, all of which are sched's own, by their paths
        from the run's folder.
        """
        found = self._bucket.tree(f"{self._root}/.sched")
        return {f".sched/{name}": entry.size for name, entry in found.items()}

    def discard(self, names: Sequence[str]) -> None:
        """Remove those of the files, given by their paths from the run's folder, that are there."""
        if names:
            self._bucket.remove_many([f"{self._root}/{name}" for name in names])

    def prune(self) -> bool:
        """Tell whether nothing is left: a bucket has no empty folders."""
        return not self._bucket.names(self._root)

    def close(self) -> None:
        """Remove what was in the making."""
        if self._scratch is not None:
            self._scratch.cleanup()
            self._scratch = None


def _is_index(name: str) -> bool:
    return is_job_record(f"{name}/job.x")


def _job_folder(index: int, files: Mapping[str, Entry]) -> JobFolder:
    found = JobFolder(index)
    for name, entry in files.items():
        (found.records if is_scheds_own(name) else found.others)[name] = entry
    return found
