"""The folders of jobs on a disk."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from sched_core.ports import Entry
from sched_core.ports.archive import same_file
from sched_core.ports.jobrecord import is_job_record, is_scheds_own

from .jobfolder import JobFolder

__all__ = ["DiskTree"]

_CHUNK = 1 << 18
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_NEW = "new-"
_THREADS = 8


class DiskTree:
    """A run's folder on a disk. No link is followed, whatever a job put in the place of a folder."""

    def __init__(self, root: str) -> None:
        self._root = root

    def indexes(self) -> Collection[int]:
        """Return the jobs that have a folder."""
        with os.scandir(self._root) as entries:
            return sorted(int(e.name) for e in entries if _is_job_folder(e))

    def others(self) -> list[str]:
        """Return what else lies in the run's folder, beside the folders of jobs and `.sched`."""
        with os.scandir(self._root) as entries:
            return sorted(e.name for e in entries if not _is_job_folder(e) and e.name != ".sched")

    def walk(self, indexes: Collection[int]) -> Iterator[JobFolder]:
        """Yield what lies in the folders of these jobs, in the order given."""
        for index in indexes:
            found, top = JobFolder(index), f"{self._root}/{index}"
            with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                if not os.path.islink(top):
                    _look(found, top, "")
            yield found

    def pieces(self, name: str) -> Iterator[bytes]:
        """Yield the content of a file below the run's folder."""
        folder, _, file_name = name.rpartition("/")
        with self._open(folder) as descriptor:
            opened = os.open(file_name, _FILE, dir_fd=descriptor)
        with os.fdopen(opened, "rb", buffering=0) as file:
            while chunk := file.read(_CHUNK):
                yield chunk

    def remove(self, folders: Sequence[JobFolder]) -> list[JobFolder]:
        """Remove the records in the folders of jobs; return those folders of which one has changed, and
        that are left as they are.
        """
        changed = self.changed(folders)
        left = {found.index for found in changed}
        gone = [found for found in folders if found.index not in left]
        # A disk of the network takes its time for each, and takes many at once.
        with ThreadPoolExecutor(_THREADS) as pool:
            for _ in pool.map(lambda found: self._remove(found.index, found.records), gone):
                pass  # an error is raised here
        return changed

    def changed(self, folders: Sequence[JobFolder]) -> list[JobFolder]:
        """Return those of the folders that have changed since they were walked."""
        return [f for f in folders if not self._are_unchanged(f.index, f.records)]

    def _remove(self, index: int, records: Mapping[str, Entry]) -> None:
        by_folder: dict[str, list[str]] = {}
        for name in records:
            folder, _, file = name.rpartition("/")
            by_folder.setdefault(folder, []).append(file)
        for folder, names in by_folder.items():
            with (
                contextlib.suppress(FileNotFoundError),
                self._open(f"{index}/{folder}") as descriptor,
            ):
                for name in names:
                    with contextlib.suppress(FileNotFoundError):
                        os.unlink(name, dir_fd=descriptor)
        self._remove_empty(index)

    def _are_unchanged(self, index: int, records: Mapping[str, Entry]) -> bool:
        for name, entry in records.items():
            with contextlib.suppress(FileNotFoundError):
                if not same_file(_entry(os.lstat(f"{self._root}/{index}/{name}")), entry):
                    return False
        return True

    @contextmanager
    def _open(self, folder: str) -> Iterator[int]:
        """Open a folder below the run's. Raises NotADirectoryError where a link is on the way."""
        descriptor = os.open(self._root, _FOLDER & ~os.O_NOFOLLOW)
        try:
            for part in filter(None, folder.split("/")):
                inner = os.open(part, _FOLDER, dir_fd=descriptor)
                os.close(descriptor)
                descriptor = inner
            yield descriptor
        finally:
            os.close(descriptor)

    def _remove_empty(self, index: int) -> None:
        top = f"{self._root}/{index}"
        kept = f"{top}/job.retry"
        within = () if os.path.islink(kept) else os.walk(kept, topdown=False)
        for folder in (*(folder for folder, _, _ in within), top):
            with contextlib.suppress(OSError):  # somebody else's files are in it
                os.rmdir(folder)

    # --- archives ----------------------------------------------------------------------------------

    def scratch(self, name: str) -> str:
        """Return an empty file of this machine, for `place` to take."""
        self._make_folder(".sched/packs")
        path = f"{self._root}/.sched/packs/{_NEW}{name}"
        mode = stat.S_IMODE(os.stat(f"{self._root}/.sched/run.json").st_mode)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)  # it may be a link to what is somebody else's
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, mode))
        return path

    def place(self, source: str, name: str, modified: float | None = None) -> None:
        """Put a file of this machine in place of the one of that name below the run's folder.

        It is safe on the disk after that, or after `flush` where it is given a time. Raises
        NotADirectoryError where its folder is a link, or another file.
        """
        folder, _, file_name = name.rpartition("/")
        self._make_folder(folder)
        if modified is not None:
            os.utime(source, (modified, modified))
        with self._open(folder) as descriptor:
            os.replace(source, file_name, dst_dir_fd=descriptor)
            if modified is None:
                os.fsync(descriptor)

    def _make_folder(self, name: str) -> None:
        mode = stat.S_IMODE(os.stat(f"{self._root}/.sched").st_mode)
        above = ""
        for part in name.split("/"):
            with self._open(above) as descriptor, contextlib.suppress(FileExistsError):
                os.mkdir(part, mode, dir_fd=descriptor)
            above += f"{part}/"
        with self._open(name):
            pass  # no link is taken for it

    def flush(self) -> None:
        """Have the disk hold all that was placed."""
        os.sync()

    # --- the run's own records ---------------------------------------------------------------------

    def own(self) -> dict[str, int]:
        """Return the sizes of the files below `.sched`, all of which are sched's own, by their paths
        from the run's folder.
        """
        if os.path.islink(f"{self._root}/.sched"):
            return {".sched": 0}
        found = {}
        for folder, within, names in os.walk(f"{self._root}/.sched"):
            links = (name for name in within if os.path.islink(f"{folder}/{name}"))
            for path in (f"{folder}/{name}" for name in (*names, *links)):
                with contextlib.suppress(FileNotFoundError):
                    found[path[len(self._root) + 1 :]] = os.lstat(path).st_size
        return found

    def discard(self, names: Sequence[str]) -> None:
        """Remove those of the files, given by their paths from the run's folder, that are there."""
        for name in names:
            folder, _, file_name = name.rpartition("/")
            with (
                contextlib.suppress(FileNotFoundError, NotADirectoryError),
                self._open(folder) as descriptor,
            ):
                os.unlink(file_name, dir_fd=descriptor)

    def prune(self) -> bool:
        """Remove the folders of `.sched`, and the run's own one, where they are empty; tell whether
        nothing is left.
        """
        home = f"{self._root}/.sched"
        folders = [] if os.path.islink(home) else [at for at, _, _ in os.walk(home, topdown=False)]
        for folder in (*folders, self._root):
            with contextlib.suppress(OSError):  # something of somebody else's is in it
                os.rmdir(folder)
        return not os.path.lexists(self._root)

    def close(self) -> None:
        """Remove what was in the making."""
        with (
            contextlib.suppress(FileNotFoundError, NotADirectoryError),
            self._open(".sched/packs") as descriptor,
        ):
            for name in os.listdir(descriptor):
                if name.startswith(_NEW):
                    os.unlink(name, dir_fd=descriptor)


def _is_job_folder(entry: os.DirEntry[str]) -> bool:
    return is_job_record(f"{entry.name}/job.x") and entry.is_dir(follow_symlinks=False)


def _look(found: JobFolder, folder: str, start: str) -> None:
    with os.scandir(folder) as entries:
        for entry in entries:
            name = f"{start}{entry.name}"
            facts = entry.stat(follow_symlinks=False)
            if stat.S_ISDIR(facts.st_mode):
                _look(found, f"{folder}/{entry.name}", f"{name}/")
            elif stat.S_ISREG(facts.st_mode) and is_scheds_own(name):
                found.records[name] = _entry(facts)
            else:
                found.others[name] = _entry(facts)


def _entry(facts: os.stat_result) -> Entry:
    return Entry(facts.st_size, facts.st_mtime)
