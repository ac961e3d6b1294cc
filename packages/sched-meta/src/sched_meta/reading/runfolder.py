"""Where a run lies, which run is meant, and which folder a new one gets."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from sched_core.errors import NoSuchSchedulerError, OptionError, RunNotFound
from sched_core.paths import SpecPath

from ..wording import quoted

if TYPE_CHECKING:
    from sched_core import Scheduler
    from sched_core.model.secret import Redactor
    from sched_core.ports import Ports
    from sched_core.ports.packed import PackedFiles
    from sched_core.runfolder import Layout, RunView, Tally

__all__ = ["RUNS", "RunFolder", "existing_run", "new_run", "newest_run", "next_run", "runs_in"]

RUNS = Path("sched-runs")


class RunFolder:
    """The folder of a run, of this machine or in a bucket (`gs://`), and the way to its files."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Name a folder, which need not be there. Raises OptionError for what can be none."""
        where = SpecPath(path)
        self.path = str(where)
        self.in_bucket = where.is_cloud()

    def __str__(self) -> str:
        """The folder as a person types it: quoted where a shell wants that."""
        return quoted(f"./{self.path}" if self.path.startswith("-") else self.path)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RunFolder) and self.path == other.path

    def __hash__(self) -> int:
        return hash(self.path)

    def __repr__(self) -> str:
        return f"RunFolder({self.path!r})"

    @property
    def absolute(self) -> str:
        """The path that is the same one for jobs, which run in other folders."""
        return self.path if self.in_bucket else os.path.abspath(self.path)

    def of_job(self, index: int) -> str:
        """The path of the folder of a job."""
        return f"{self.path}/{index}"

    @cached_property
    def ports(self) -> Ports:
        """What reaches the folder and tells who drives the run."""
        from sched_core.ports import system_ports

        return system_ports(self.path, mirror="" if self.in_bucket else None)

    @cached_property
    def files(self) -> PackedFiles:
        """The store that holds the folder, packed files of jobs included. Its calls block."""
        from sched_core.ports.packed import PackedFiles

        return PackedFiles(self.ports.files, self.path, self.absolute)

    @cached_property
    def layout(self) -> Layout:
        """Where the run's own records lie."""
        from sched_core.runfolder import Layout

        return Layout(self.path)

    @cached_property
    def redactor(self) -> Redactor:
        """Masks the secrets that are in files of the run, as long as jobs need them. Blocks."""
        from sched_core.lifecycle.secrets import read_secrets
        from sched_core.model.secret import Redactor

        return Redactor(read_secrets(self.files, self.layout).values())

    def redact(self, text: str) -> str:
        """Return what somebody else has said without secrets. Blocks."""
        return self.redactor.redact(text)

    def interval(self, wanted: float) -> float:
        """Return how long to wait between two looks: what is wanted, or more for a store far away."""
        return max(wanted, self.files.interval)

    def scheduler(self, **changes: object) -> Scheduler:
        """Return a scheduler like the run's; `changes` are options. Blocks.

        Raises RunNotFound, RunCorrupt; NoSuchSchedulerError, which says what to install; OptionError.
        """
        from sched_core import scheduler_of
        from sched_core.runfolder import require_run

        from ..registry import missing_schedulers

        try:
            return scheduler_of(self.absolute, **changes)
        except NoSuchSchedulerError as error:
            install = missing_schedulers().get(require_run(self.files, self.layout).scheduler)
            if install is None:
                raise
            raise NoSuchSchedulerError(
                f"the scheduler of {self} is not installed: {install}"
            ) from error

    def holds_run(self) -> bool:
        """Tell whether there is a run in the folder."""
        return self.files.exists(self.layout.run_file)

    def read(self) -> RunView:
        """Return the run as it is now. Raises RunNotFound, RunCorrupt."""
        from sched_core.runfolder import read_run

        from .collecting import without_collecting

        with without_collecting():
            return read_run(self.path, self.ports)

    def glance(self) -> tuple[RunView, Tally]:
        """Return the run as it is now, with only those of its jobs that neither wait nor have finished;
        the others are counted. Raises RunNotFound, RunCorrupt.
        """
        from sched_core.runfolder import glance_at_run

        from .collecting import without_collecting

        with without_collecting():
            return glance_at_run(self.path, self.ports)


def existing_run(run: str | None) -> RunFolder:
    """Return the folder that RUN means: a path, a name under ./sched-runs, or the newest there.

    Raises RunNotFound.
    """
    if run is None:
        newest = newest_run()
        if newest is None:
            raise RunNotFound("there is no run under ./sched-runs; name the folder of one")
        return newest
    if not run:
        raise RunNotFound("RUN is empty: name the folder of a run")
    for folder in _meant(run):
        if folder.holds_run():
            return folder
    newest = newest_run()
    hint = f"; the newest here is {newest}" if newest else ""
    if newest and _means_jobs(run):
        hint = f"; RUN comes before JOBS, as in {newest} {run}"
    problem = "holds no run" if _is_folder(run) else "is no folder of a run"
    raise RunNotFound(f"{run} {problem}{hint}")


def _means_jobs(word: str) -> bool:
    """Tell whether somebody may have left out RUN before a word such as `failed` or `3,7-9`."""
    from .selection import is_state_or_class

    return word.replace(",", "").replace("-", "").isdecimal() or is_state_or_class(word)


def _meant(run: str) -> list[RunFolder]:
    folder = RunFolder(run)
    return [folder] if folder.in_bucket else [folder, RunFolder(RUNS / run)]


def _is_folder(run: str) -> bool:
    folder = RunFolder(run)
    return folder.in_bucket or Path(run).exists()


def newest_run(prefix: str = "") -> RunFolder | None:
    """Return the run under ./sched-runs that was begun last."""
    if not RUNS.is_dir():
        return None
    return next((run for run in runs_in(RUNS) if _is_called(run, prefix)), None)


def _is_called(run: RunFolder, prefix: str) -> bool:
    return not prefix or os.path.basename(run.path).rpartition("-")[0] == prefix


def runs_in(folder: Path) -> list[RunFolder]:
    """Return the runs that lie in a folder of this machine, those begun last first. Raises OSError."""
    found = []
    with os.scandir(folder) as entries:
        for entry in entries:
            run_file = Path(entry.path, ".sched", "run.json")
            try:
                found.append((run_file.stat().st_mtime_ns, entry.path))
            except (FileNotFoundError, NotADirectoryError):
                continue
    return [RunFolder(path) for _, path in sorted(found, reverse=True)]


def new_run(name: str | None = None) -> RunFolder:
    """Create a folder for a new run: sched-runs/<name or time>-<n>.

    Raises OptionError for a name that no folder can have.
    """
    folders = _new_names(name)
    RUNS.mkdir(mode=0o700, exist_ok=True)
    while True:
        folder = next(folders)
        try:
            folder.mkdir(mode=0o700)
        except FileExistsError:
            continue
        return RunFolder(folder)


def next_run(name: str | None = None) -> RunFolder:
    """Return the folder that `new_run` would create now. Raises OptionError."""
    return next(RunFolder(folder) for folder in _new_names(name) if not folder.exists())


def _new_names(name: str | None) -> Iterator[Path]:
    stem = name or time.strftime("%Y%m%d-%H%M%S")
    if "/" in stem or "\0" in stem or stem in (".", "..") or len(os.fsencode(stem)) > 200:
        raise OptionError(f"--name {stem!r} cannot be the name of a folder; use -w RUN for a path")
    return (RUNS / f"{stem}-{number}" for number in count(1))
