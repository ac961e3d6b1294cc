"""Packing the files of jobs that have ended into archives, and unpacking them."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from functools import partial

from sched_core.errors import OptionError
from sched_core.ports.archive import Archive, ArchiveWriter, same_file
from sched_core.ports.archives import archive_name
from sched_core.runfolder import Lease, jobs_that_may_run

from ..reading.runfolder import RunFolder
from .jobfolder import JobFolder
from .leased import AT_ONCE, Choose, Steps, under_lease
from .tree import Tree

__all__ = ["Packed", "pack_jobs", "unpack_jobs"]

MOST_JOBS = 5000
"""Jobs of one archive: to read one file of one job, the list of all files in its archive is read."""
MOST_BYTES = 1 << 30


@dataclass(slots=True)
class Packed:
    """What was done."""

    jobs: int = 0
    files: int = 0
    """Files that went into archives, or came out of them."""
    size: int = 0
    """Their bytes."""
    archives: int = 0
    archived: int = 0
    """Bytes of the archives."""
    changed: list[int] = field(default_factory=list)
    """Jobs whose files changed meanwhile, and are left as they are."""
    blocked: list[int] = field(default_factory=list)
    """Jobs whose files stay packed: a link, or another file, lies where their folder has to be."""
    open: int = 0
    """Jobs that were meant, and have not ended for good."""
    total: int = 0
    """Jobs that were meant, and have ended."""
    seen: int = 0
    """How many of them were looked at so far."""


def pack_jobs(
    folder: RunFolder,
    choose: Choose | None = None,
    tell: Callable[[Packed], None] = lambda _: None,
) -> Packed:
    """Pack the files of jobs that have ended, all or those that are chosen; blocks.

    All that reads the run's folder by `RunFolder.files` finds them as before. An archive is complete,
    and safe on the disk, before the first of its files is removed: broken off at any moment, nothing
    is lost, and packing once more finishes it. Raises RunLocked where somebody drives the run,
    OptionError where its jobs have a mirror.
    """
    packed = Packed()
    under_lease(folder, partial(_pack, folder, choose, packed, tell))
    return packed


def unpack_jobs(folder: RunFolder, tell: Callable[[Packed], None] = lambda _: None) -> Packed:
    """Put all packed files back into the folders of their jobs, and remove the archives; blocks.

    Raises RunLocked where somebody drives the run, OSError where an archive is damaged.
    """
    unpacked = Packed()
    under_lease(folder, partial(_unpack, folder, unpacked, tell))
    return unpacked


def _pack(
    folder: RunFolder,
    choose: Choose | None,
    packed: Packed,
    tell: Callable[[Packed], None],
    lease: Lease,
    tree: Tree,
) -> Steps:
    _check_that_there_is_no_mirror(folder)
    tree.close()  # what an earlier one left that was broken off
    jobs = folder.read().jobs
    running = jobs_that_may_run(folder.files, folder.layout, jobs)
    chosen = sorted(jobs if choose is None else (job.index for job in choose(jobs)))
    ended = [index for index in chosen if jobs[index].is_done and index not in running]
    packed.open, packed.total = len(chosen) - len(ended), len(ended)
    packer = _Packer(folder, lease, tree, packed, tell)
    yield from packer.pack(ended)


def _check_that_there_is_no_mirror(folder: RunFolder) -> None:
    from sched_core.ports.mirrormark import read_mark

    if folder.in_bucket and (mark := read_mark(folder.files, folder.path)) is not None:
        raise OptionError(
            f"jobs of {folder} have a mirror of it, {mark.folder} on {mark.host}, from which their "
            f"files would come back: first remove it (sched clean {folder})"
        )


class _Packer:
    """Packs jobs in the order of their indexes, step by step."""

    def __init__(
        self,
        folder: RunFolder,
        lease: Lease,
        tree: Tree,
        packed: Packed,
        tell: Callable[[Packed], None],
    ) -> None:
        self._folder, self._lease, self._tree = folder, lease, tree
        self._packed, self._tell = packed, tell
        self._archives = folder.files.archives
        self._batch: list[JobFolder] = []
        self._size = 0
        self._left_over: list[JobFolder] = []

    def pack(self, indexes: Sequence[int]) -> Steps:
        there = set(self._tree.indexes())
        for found in self._tree.walk([index for index in indexes if index in there]):
            self._packed.seen += 1
            if not _can_be_packed(found):
                continue
            if self._is_packed(found):
                self._left_over.append(found)
            else:
                self._batch.append(found)
                self._size += found.size
            if len(self._batch) >= MOST_JOBS or self._size >= MOST_BYTES:
                yield from self._write()
            elif (len(self._batch) + len(self._left_over)) % AT_ONCE == 0:
                yield
        yield from self._write()

    def _is_packed(self, found: JobFolder) -> bool:
        """Tell whether all files are in an archive: one that was broken off before it removed them."""
        view = self._archives.view(found.index)
        return all(
            name in view and same_file(view[name].entry, entry)
            for name, entry in found.records.items()
        )

    def _write(self) -> Steps:
        while self._batch:
            numbers = [number for number, *_ in self._archives.look()]
            span = self._batch[0].index, self._batch[-1].index
            name = archive_name(max(numbers, default=0) + 1, *span)
            path = self._tree.scratch(name)
            size = yield from self._write_archive(path)
            if changed := self._tree.changed(self._batch):
                # Processes that jobs have left behind may still write.
                self._packed.changed += [found.index for found in changed]
                self._batch = [found for found in self._batch if found not in changed]
                continue
            self._keep(path, name, size)
            yield from self._remove(self._batch)
            self._batch, self._size = [], 0
        yield from self._remove(self._left_over)
        self._left_over = []

    def _write_archive(self, path: str) -> Generator[None, None, int]:
        writer = ArchiveWriter(path)
        try:
            for number, found in enumerate(self._batch):
                for file, entry in found.records.items():
                    content = self._tree.pieces(f"{found.index}/{file}")
                    writer.add(f"{found.index}/{file}", entry, content)
                if number % AT_ONCE == 0:
                    self._tell(self._packed)
                    yield
            return writer.close()
        finally:
            writer.abandon()

    def _keep(self, path: str, name: str, size: int) -> None:
        """Have the run's folder hold the archive: from now on its files may be removed."""
        self._check(path, size)
        self._lease.check()
        self._tree.place(path, f".sched/packs/{name}")
        self._archives.forget()
        self._packed.archives += 1
        self._packed.archived += size

    def _check(self, path: str, size: int) -> None:
        """See that the archive holds what is going to be removed. Raises OSError."""
        from sched_core.ports.localfiles import LocalFiles

        held = Archive(LocalFiles(), path, size).jobs
        for found in self._batch:
            sizes = {name: member.entry.size for name, member in held[found.index].items()}
            if sizes != {name: entry.size for name, entry in found.records.items()}:
                raise OSError(
                    f"{path} does not hold the files of job {found.index}: nothing is removed"
                )

    def _remove(self, folders: Sequence[JobFolder]) -> Steps:
        for first in range(0, len(folders), AT_ONCE):
            self._lease.check()
            some = folders[first : first + AT_ONCE]
            kept = {found.index for found in self._tree.remove(some)}
            self._packed.changed += sorted(kept)
            for found in some:
                if found.index not in kept:
                    self._packed.jobs += bool(found.records)
                    self._packed.files += len(found.records)
                    self._packed.size += found.size
            self._tell(self._packed)
            yield


def _can_be_packed(found: JobFolder) -> bool:
    try:
        "".join(found.records).encode()
    except UnicodeEncodeError:
        return False  # a zip's names are text
    return True


def _unpack(
    folder: RunFolder,
    unpacked: Packed,
    tell: Callable[[Packed], None],
    lease: Lease,
    tree: Tree,
) -> Steps:
    _check_that_there_is_no_mirror(folder)
    files, archives = folder.files, folder.files.archives
    known = archives.look()
    held: dict[str, set[int]] = {}
    for *_, name, entry in known:
        held[name] = set(archives.open(name, entry).jobs)
        yield
    indexes = set().union(*held.values())
    unpacked.total = len(indexes)
    for number, index in enumerate(sorted(indexes)):
        unpacked.seen = number
        if number % AT_ONCE == 0:
            lease.check()
            tell(unpacked)
            yield
        try:
            _unpack_job(folder, tree, index, unpacked)
        except NotADirectoryError:  # who packs may be allowed more than the job was
            unpacked.blocked.append(index)
    tree.flush()
    for name in (name for name, jobs in held.items() if jobs.isdisjoint(unpacked.blocked)):
        lease.check()
        files.remove(f"{folder.layout.packs}/{name}")
        unpacked.archives += 1
        archives.forget()
        yield


def _unpack_job(folder: RunFolder, tree: Tree, index: int, unpacked: Packed) -> None:
    view = folder.files.view(index)
    (there,) = tree.walk([index])
    for name, member in view.items():
        if name not in there.records and name not in there.others:
            path = tree.scratch("file")
            with open(path, "wb") as file:
                file.writelines(member.pieces())
            tree.place(path, f"{index}/{name}", member.entry.modified)
            unpacked.files += 1
            unpacked.size += member.entry.size
    unpacked.jobs += 1
