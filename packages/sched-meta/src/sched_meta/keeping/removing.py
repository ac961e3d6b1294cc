"""Removing runs, or the files of some of their jobs: only what sched itself wrote."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

import anyio

from sched_core.errors import RunLocked, RunUnfinished
from sched_core.ports.archive import Archive, ArchiveWriter
from sched_core.runfolder import Lease, jobs_that_may_run
from sched_core.runner.holding import work_off

from ..reading.runfolder import RunFolder
from ..wording import count_jobs
from .jobfolder import JobFolder
from .leased import AT_ONCE, Choose, Steps, under_lease
from .tree import Tree, tree_of

__all__ = [
    "Removal",
    "is_half_removed",
    "remove_jobs",
    "remove_run",
    "remove_unbegun",
    "what_jobs_have",
    "what_run_has",
]

Tell = Callable[[int], None]


def _nothing(_: int) -> None: ...


@dataclass(slots=True)
class Removal:
    """What is removed, or would be."""

    jobs: int = 0
    """Jobs that have files."""
    files: int = 0
    size: int = 0
    """Bytes."""
    kept: list[str] = field(default_factory=list)
    """What somebody else put into the folder, which stays: paths from the run's folder."""
    open: int = 0
    """Jobs that were meant, and have not ended for good: theirs stays, too."""
    changed: list[int] = field(default_factory=list)
    """Jobs whose files changed meanwhile: they stay, too."""
    tell: Callable[[int], None] = _nothing
    """Hears how many files were removed so far."""

    def take(self, found: JobFolder) -> None:
        """Count what lies in the folder of a job."""
        self.jobs += bool(found.records)
        self.files += len(found.records)
        self.size += found.size
        self.kept += [f"{found.index}/{name}" for name in found.others]


def what_run_has(folder: RunFolder) -> Removal:
    """Return what `remove_run` would remove; blocks. Raises RunLocked, RunUnfinished."""
    _check(folder)
    tree, removal = tree_of(folder), Removal()
    for found in tree.walk(tree.indexes()):
        removal.take(found)
    own = tree.own()
    removal.files += len(own)
    removal.size += sum(own.values())
    removal.kept += tree.others()
    return removal


def what_jobs_have(folder: RunFolder, choose: Choose) -> Removal:
    """Return what `remove_jobs` would remove; blocks. Raises RunLocked."""
    if driver := folder.read().driver:
        raise RunLocked(_driven(folder, driver))
    removal = Removal()
    indexes = _ended(folder, choose, removal)
    tree = tree_of(folder)
    for found in tree.walk(indexes):
        packed = folder.files.view(found.index)
        removal.take(found)
        missing = [member for name, member in packed.items() if name not in found.records]
        removal.jobs += bool(missing and not found.records)
        removal.files += len(missing)
        removal.size += sum(member.entry.size for member in missing)
    return removal


def remove_run(folder: RunFolder, tell: Tell = _nothing) -> Removal:
    """Remove the run, with its folder where nobody else put anything into it; blocks.

    What the run has left on hosts, and its mirrors, are to be removed first (`clean_run`). Until all
    files of jobs are gone it can be read as before; broken off at any moment, doing it once more
    finishes it. Raises RunNotFound, RunLocked, RunUnfinished where jobs may still run.
    """
    removal = Removal(tell=tell)
    if is_half_removed(folder):
        anyio.run(work_off, folder.ports, _remove_rest(folder, tree_of(folder), removal))
    else:
        under_lease(folder, partial(_remove_run, folder, removal))
    return removal


def remove_unbegun(folder: RunFolder) -> None:
    """Remove a run that has no job, and its folder; leave any other one as it is; blocks.

    Raises RunNotFound, RunLocked.
    """
    under_lease(folder, partial(_remove_unbegun, folder))


def _remove_unbegun(folder: RunFolder, lease: Lease, tree: Tree) -> Steps:
    if not folder.read().jobs:
        yield from _remove_run(folder, Removal(), lease, tree)


def is_half_removed(folder: RunFolder) -> bool:
    """Tell whether there was a run, of which the removal was broken off."""
    return not folder.holds_run() and folder.files.exists(folder.layout.removing)


def remove_jobs(folder: RunFolder, choose: Choose, tell: Tell = _nothing) -> Removal:
    """Remove the files of those chosen jobs that have ended, packed ones, too; blocks.

    The journal keeps what became of them: they are not run again. Raises RunNotFound, RunLocked.
    """
    removal = Removal(tell=tell)
    under_lease(folder, partial(_remove_jobs, folder, choose, removal))
    return removal


def _check(folder: RunFolder) -> None:
    view = folder.read()
    if view.driver:
        raise RunLocked(_driven(folder, view.driver))
    _check_that_none_runs(folder)


def _driven(folder: RunFolder, driver: str) -> str:
    return f"the run in {folder} is driven by {driver}; wait for it, or stop it, then clean"


def _check_that_none_runs(folder: RunFolder) -> None:
    jobs = folder.read().jobs
    if running := jobs_that_may_run(folder.files, folder.layout, jobs):
        raise RunUnfinished(
            f"{count_jobs(len(running))} of the run in {folder} may still run (job {min(running)}"
            f"{', ...' if len(running) > 1 else ''}); go on with the run (sched resume {folder}), or "
            f"kill them (sched kill {folder}), then clean"
        )


# --- a whole run -----------------------------------------------------------------------------------


def _remove_run(folder: RunFolder, removal: Removal, lease: Lease, tree: Tree) -> Steps:
    _check_that_none_runs(folder)
    yield from _remove_folders(tree, lease, list(tree.indexes()), removal)
    if removal.changed:
        raise RunUnfinished(
            f"files of job {removal.changed[0]} in {folder} still change: something of it still runs; "
            "end that, then clean once more"
        )
    removal.kept += tree.others()
    lease.check()
    lease.give_up()
    folder.files.create(folder.layout.removing, b"")
    yield
    # From here on it is no run any more: half a journal would tell what is not true.
    folder.files.remove(folder.layout.run_file)
    removal.files += 1
    yield
    yield from _remove_rest(folder, tree, removal)


def _remove_rest(folder: RunFolder, tree: Tree, removal: Removal) -> Steps:
    """Remove what is sched's own; leases, and what tells that this goes on, last."""
    own = tree.own()
    late = {name for name in own if name.startswith(".sched/lease.")}
    last = [".sched/removing"]
    rest = [name for name in own if name not in late and name not in last]
    for first in range(0, len(rest), AT_ONCE):
        tree.discard(rest[first : first + AT_ONCE])
        yield
    tree.discard(sorted(late))
    yield
    tree.discard(last)
    removal.files += len(own) - 1
    removal.size += sum(own.values())
    tree.prune()
    yield


def _remove_folders(tree: Tree, lease: Lease, indexes: Sequence[int], removal: Removal) -> Steps:
    batch: list[JobFolder] = []
    for found in tree.walk(indexes):
        batch.append(found)
        if len(batch) >= AT_ONCE:
            yield from _remove_batch(tree, lease, batch, removal)
    yield from _remove_batch(tree, lease, batch, removal)


def _remove_batch(tree: Tree, lease: Lease, batch: list[JobFolder], removal: Removal) -> Steps:
    lease.check()
    changed = {found.index for found in tree.remove(batch)}
    for found in batch:
        if found.index not in changed:
            removal.take(found)
    removal.changed += sorted(changed)
    removal.tell(removal.files)
    batch.clear()
    yield


# --- the files of some jobs ------------------------------------------------------------------------


def _ended(folder: RunFolder, choose: Choose, removal: Removal) -> list[int]:
    jobs = folder.read().jobs
    running = jobs_that_may_run(folder.files, folder.layout, jobs)
    chosen = choose(jobs)
    ended = [job.index for job in chosen if job.is_done and job.index not in running]
    removal.open = len(chosen) - len(ended)
    return sorted(ended)


def _remove_jobs(
    folder: RunFolder, choose: Choose, removal: Removal, lease: Lease, tree: Tree
) -> Steps:
    tree.close()  # what an earlier one left that was broken off
    ended = _ended(folder, choose, removal)
    # Archives first, the oldest one first: what is left meanwhile is always a job's newest attempt.
    yield from _remove_from_archives(folder, tree, lease, set(ended), removal)
    yield from _remove_folders(tree, lease, ended, removal)


def _remove_from_archives(
    folder: RunFolder, tree: Tree, lease: Lease, indexes: set[int], removal: Removal
) -> Steps:
    archives = folder.files.archives
    for *_, name, entry in archives.look():
        archive = archives.open(name, entry)
        gone = indexes.intersection(archive.jobs)
        if not gone:
            continue
        path = f".sched/packs/{name}"
        if gone == archive.jobs.keys():
            lease.check()
            tree.discard([path])
        else:
            yield from _write_rest(archive, gone, tree, lease, path)
        archives.forget()
        _count(archive, gone, removal)
        yield


def _write_rest(archive: Archive, gone: set[int], tree: Tree, lease: Lease, path: str) -> Steps:
    """Put an archive without some jobs in the place of one with them."""
    fresh = tree.scratch("archive")
    writer = ArchiveWriter(fresh)
    try:
        for number, (index, members) in enumerate(archive.jobs.items()):
            for name, member in members.items() if index not in gone else ():
                writer.add(f"{index}/{name}", member.entry, member.pieces())
            if number % AT_ONCE == 0:
                yield
        writer.close()
    finally:
        writer.abandon()
    lease.check()
    tree.place(fresh, path)


def _count(archive: Archive, gone: set[int], removal: Removal) -> None:
    for index in gone:
        removal.jobs += 1
        removal.files += len(archive.jobs[index])
        removal.size += sum(member.entry.size for member in archive.jobs[index].values())
