"""The folders of jobs as a disk or a bucket has them: walked, and removed, file by file.

Everything here blocks. What sched itself wrote for jobs is told from all else by its name; links are
never followed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

from .disktree import DiskTree
from .jobfolder import JobFolder
from .objecttree import ObjectTree

if TYPE_CHECKING:
    from sched_core.ports.buckettree import Bucket

    from ..reading.runfolder import RunFolder

__all__ = ["Tree", "bucket_of", "tree_of"]


class Tree(Protocol):
    """The folder of a run, whose files can be walked and removed."""

    def indexes(self) -> Collection[int]:
        """Return the jobs that have a folder."""
        ...

    def walk(self, indexes: Collection[int]) -> Iterator[JobFolder]:
        """Yield what lies in the folders of these jobs, in the order given."""
        ...

    def pieces(self, name: str) -> Iterator[bytes]:
        """Yield the content of a file below the run's folder."""
        ...

    def remove(self, folders: Sequence[JobFolder]) -> list[JobFolder]:
        """Remove the records in the folders of jobs; return those folders of which one has changed, and
        that are left as they are.
        """
        ...

    def changed(self, folders: Sequence[JobFolder]) -> list[JobFolder]:
        """Return those of the folders that have changed since they were walked."""
        ...

    def others(self) -> list[str]:
        """Return what else lies in the run's folder, beside the folders of jobs and `.sched`."""
        ...

    def place(self, source: str, name: str, modified: float | None = None) -> None:
        """Put a file of this machine in place of the one of that name below the run's folder.

        It is safe on the disk after that, or after `flush` where it is given a time. Raises
        NotADirectoryError where its folder is a link, or another file.
        """
        ...

    def scratch(self, name: str) -> str:
        """Return an empty file of this machine, for `place` to take."""
        ...

    def flush(self) -> None:
        """Have the disk hold all that was placed."""
        ...

    def own(self) -> dict[str, int]:
        """Return the sizes of the files below `.sched`, all of which are sched's own, by their paths
        from the run's folder.
        """
        ...

    def discard(self, names: Sequence[str]) -> None:
        """Remove those of the files, given by their paths from the run's folder, that are there."""
        ...

    def prune(self) -> bool:
        """Remove the folders of `.sched`, and the run's own one, where they are empty; tell whether
        nothing is left.
        """
        ...

    def close(self) -> None:
        """Remove what was in the making."""
        ...


def tree_of(folder: RunFolder) -> Tree:
    """Return the tree that the run's folder is."""
    if not folder.in_bucket:
        return DiskTree(folder.path)
    return ObjectTree(bucket_of(folder), folder.path)


def bucket_of(folder: RunFolder) -> Bucket:
    """Return the bucket that holds the run."""
    from sched_core.lifecycle.mirroring import as_mirrored

    mirrored = as_mirrored(folder.ports.files)
    return folder.ports.files if mirrored is None else mirrored.bucket  # type: ignore[return-value]  # the store of a bucket is one
