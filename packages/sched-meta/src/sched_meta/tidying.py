"""Removing what runs have left, elsewhere or in their folders, and saying so."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import anyio
import click

from sched_core import OptionError, RunNotFound, SchedError, clean_run

from .console import say, warnings_go_to
from .driving.options import parse_options
from .keeping.leased import full_disk_told
from .keeping.overview import older_than, parse_age, runs_below
from .keeping.removing import (
    Removal,
    is_half_removed,
    remove_jobs,
    remove_run,
    what_jobs_have,
    what_run_has,
)
from .keeping.ticking import ticking
from .reading.runfolder import RUNS, RunFolder, existing_run
from .reading.selection import select_jobs
from .wording import count_jobs, count_of, index_ranges, plain, size

__all__ = ["Cleaning", "clean_up", "meant_runs"]

_MOST_NAMED = 5


@dataclass(frozen=True, slots=True)
class Cleaning:
    """What is to be removed, as it was typed."""

    options: Sequence[str] = ()
    """Of the scheduler, KEY=VALUE."""
    remove_run: bool = False
    remove_jobs: Sequence[str] = ()
    """Words that mean jobs; none where what lies in the run's folder stays."""
    dry_run: bool = False
    yes: bool = False


def meant_runs(runs: Sequence[str], age: str | None, cleaning: Cleaning) -> list[RunFolder]:
    """Return the runs that were typed, or those that are so old. Raises OptionError, RunNotFound."""
    if age is None:
        return [_meant_run(run, cleaning) for run in dict.fromkeys(runs or (None,))]
    seconds = parse_age(age)
    folders = [_meant_run(run, cleaning) for run in dict.fromkeys(runs)] if runs else runs_below()
    return older_than(folders, seconds)


def _meant_run(run: str | None, cleaning: Cleaning) -> RunFolder:
    try:
        return existing_run(run)
    except RunNotFound:
        for path in (run, f"{RUNS}/{run}") if run and cleaning.remove_run else ():
            if is_half_removed(folder := RunFolder(path)):
                return folder
        raise


def clean_up(folders: Sequence[RunFolder], cleaning: Cleaning) -> int:
    """Remove what is meant of these runs; return the exit code. Raises SchedError for a single run."""
    if not folders:
        say("no run is that old")
        return 0
    if not (cleaning.remove_run or cleaning.remove_jobs):
        return max(_one_by_one(folders, partial(_clean_elsewhere, cleaning=cleaning)))
    if cleaning.dry_run or not cleaning.yes:
        found = [(folder, _look(folder, cleaning)) for folder in folders]
        for folder, removal in found:
            _tell(folder, removal, "would be removed")
        if cleaning.dry_run or not any(removal.files for _, removal in found):
            return 0
        _ask()
    act = _remove_run if cleaning.remove_run else _remove_jobs
    return max(_one_by_one(folders, partial(act, cleaning=cleaning)))


def _one_by_one(folders: Sequence[RunFolder], act: partial[int]) -> list[int]:
    """Do it for each run; what is wrong with one of several does not keep the others."""
    if len(folders) == 1:
        return [act(folders[0])]
    codes = []
    for folder in folders:
        try:
            codes.append(act(folder))
        except (SchedError, OSError) as error:
            say(f"not cleaned: {folder}: {error}")
            codes.append(1)
    return codes


def _ask() -> None:
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise OptionError("nothing was removed: add --yes to remove it")
    if not click.confirm("sched: remove it?", err=True):
        raise click.Abort


def _look(folder: RunFolder, cleaning: Cleaning) -> Removal:
    if not cleaning.remove_run:
        return what_jobs_have(folder, partial(select_jobs, cleaning.remove_jobs))
    return Removal(files=1) if is_half_removed(folder) else what_run_has(folder)


def _remove_run(folder: RunFolder, cleaning: Cleaning) -> int:
    if not is_half_removed(folder) and _clean_elsewhere(folder, cleaning, quiet=True):
        say(f"{folder} stays: what it has left elsewhere could not be found any more without it")
        return 1
    with ticking() as show:
        removal = remove_run(folder, lambda files: show(f"removed {files:,} files"))
    _tell(folder, removal, "removed")
    return 1 if removal.kept else 0


def _remove_jobs(folder: RunFolder, cleaning: Cleaning) -> int:
    choose = partial(select_jobs, cleaning.remove_jobs)
    with ticking() as show:
        removal = remove_jobs(folder, choose, lambda files: show(f"removed {files:,} files"))
    _tell(folder, removal, "removed")
    return 1 if removal.changed else 0


def _tell(folder: RunFolder, removal: Removal, what: str) -> None:
    files = count_of(removal.files, "file")
    of_jobs = f" of {count_jobs(removal.jobs)}" if removal.jobs else ""
    say(f"{what}: {files}{of_jobs} in {folder} ({size(removal.size)})")
    if removal.open:
        say(f"  kept: the files of {count_jobs(removal.open)} that did not end yet")
    if removal.changed:
        say(f"  kept: files that still change, of jobs {index_ranges(removal.changed)}")
    if removal.kept:
        names = ", ".join(plain(name) for name in sorted(removal.kept)[:_MOST_NAMED])
        more = ", ..." if len(removal.kept) > _MOST_NAMED else ""
        say(f"  kept: {len(removal.kept):,} that sched did not write: {names}{more}")


def _clean_elsewhere(folder: RunFolder, cleaning: Cleaning, *, quiet: bool = False) -> int:
    """Remove what the run has left outside of its folder; return the exit code."""
    scheduler = folder.scheduler()
    if changes := parse_options(cleaning.options, type(scheduler)):
        scheduler = folder.scheduler(**changes)
    clean = partial(clean_run, scheduler, lose_results=cleaning.yes, dry_run=cleaning.dry_run)
    needed = _needed_secrets(folder)
    with warnings_go_to(say), full_disk_told(folder):
        found = anyio.run(clean)
    left = [remains for remains in found if remains.problem]
    done = "would be removed:" if cleaning.dry_run else "removed"
    for remains in found:
        if remains not in left:
            say(f"{done} {plain(str(remains))} ({size(remains.size)})")
    if needed and not quiet:
        again = " ".join(f"--secret-env {variable}" for variable in needed)
        what = "the secrets of jobs that have not ended"
        say(f"{done} {what}; sched resume {folder} {again} goes on with them")
    for remains in left:
        say(f"not cleaned: {plain(remains.problem)}")
    if left:
        say(f"next:    sched clean {folder}, when that is mended")
    elif not (found or needed or quiet):
        say(f"nothing of the run is left outside of its folder {folder}")
    return 1 if left else 0


def _needed_secrets(folder: RunFolder) -> list[str]:
    """Return the variables whose values go with the run's secrets, though jobs may still need them."""
    try:
        stored = {*folder.files.names(folder.layout.secrets)}
    except FileNotFoundError:
        return []
    waiting = [job.secrets or {} for job in folder.read().jobs.values() if not job.is_done]
    return sorted({name for secrets in waiting for name in secrets if secrets[name] in stored})
