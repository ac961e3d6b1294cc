"""`sched run` and `sched resume`, from what was typed to the exit code."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sched_core.errors import OptionError, RunExists, SchedError
from sched_core.model.command import job_key
from sched_core.model.resources import Resources

from ..lists.jobspec import JobSpec
from ..reading.runfolder import RUNS, RunFolder, existing_run, new_run, newest_run
from ..registry import get_scheduler
from .conduct import NOTHING_ELSE, Conduct
from .cores import usable_cores
from .driver import Again, Drive, drive, new_job
from .given import Given, Output
from .succession import inherited

if TYPE_CHECKING:
    from sched_core import Scheduler, Secret
    from sched_core.runfolder import RunFile

__all__ = ["Plan", "changed_scheduler", "plan_run", "resume_run", "start_run"]

_DEFAULT_SCHEDULER = "local"


def start_run(
    specs: list[JobSpec],
    scheduler: str | None,
    given: Given,
    output: Output,
    *,
    workdir: str | None = None,
    run_name: str | None = None,
    resume: bool = False,
    conduct: Conduct = NOTHING_ELSE,
    secrets: Mapping[str, Secret] | None = None,
) -> int:
    """Run the jobs in a new run, or in the one to go on with; return the exit code."""
    plan = plan_run(specs, scheduler, given, workdir=workdir, run_name=run_name, resume=resume)
    fresh = plan.place is None or not os.path.lexists(plan.place.path)
    folder = plan.place or new_run(run_name)
    made = plan.scheduler
    made.workdir = folder.absolute  # jobs run in other folders
    try:
        resumes = plan.found is not None
        conduct = inherited(folder, conduct) if resumes else conduct
        return drive(
            Drive(
                made,
                folder,
                specs,
                resumes=resumes,
                output=output,
                conduct=conduct,
                secrets=secrets,
                fresh=fresh and not folder.in_bucket,
            )
        )
    finally:
        if plan.place is None:
            _remove_if_empty(folder)


@dataclass(frozen=True, slots=True)
class Plan:
    """A run that may be begun, or gone on with."""

    scheduler: Scheduler
    place: RunFolder | None
    """Its folder; None for a new one under ./sched-runs."""
    found: RunFile | None
    """The run that is there already."""


def plan_run(
    specs: list[JobSpec],
    scheduler: str | None,
    given: Given,
    *,
    workdir: str | None = None,
    run_name: str | None = None,
    resume: bool = False,
    looks: bool = True,
) -> Plan:
    """Check all that can be checked before anything is written.

    Without `looks` the folder may hold anything: a bucket is not asked. Raises SchedError.
    """
    place = _place(workdir, run_name, resume, looks)
    found = _recorded_run(place) if place is not None and looks and place.holds_run() else None
    name = scheduler or (found.scheduler if found and resume else _DEFAULT_SCHEDULER)
    cls = get_scheduler(name)
    defaults: dict[str, Any] = {"forks": cls.usual_forks or usable_cores()}
    keywords = defaults | given.keywords(cls)
    # Options are checked before a folder is made for them.
    made = _make(cls, name, place or RunFolder(RUNS), keywords)
    _check_jobs(made, specs)
    if place is not None and found:
        _check_that_it_is_this_run(place, specs, keywords.get("cwd"))
    return Plan(made, place, found)


def resume_run(
    run: str | None,
    given: Given,
    output: Output,
    retry: Sequence[int] = (),
    resources: Resources | None = None,
    conduct: Conduct = NOTHING_ELSE,
    secrets: Mapping[str, Secret] | None = None,
) -> int:
    """Go on with a run, and run once more the jobs of these indexes; return the exit code.

    `resources` are what those get in place of what they asked for, `secrets` values that no file of
    the run holds any more, or that have changed.
    """
    folder = existing_run(run)
    scheduler = changed_scheduler(folder, given)
    again = Again(frozenset(retry), resources)
    conduct = inherited(folder, conduct)
    return drive(
        Drive(
            scheduler,
            folder,
            (),
            resumes=True,
            output=output,
            again=again,
            conduct=conduct,
            secrets=secrets,
        )
    )


def changed_scheduler(folder: RunFolder, given: Given) -> Scheduler:
    """Return a scheduler as the run has one, with other options where they were given."""
    scheduler = folder.scheduler()
    if changes := given.keywords(type(scheduler), scheduler.resources):
        scheduler = folder.scheduler(**changes)
    return scheduler


def _remove_if_empty(folder: RunFolder) -> None:
    try:
        os.rmdir(folder.path)
    except OSError:
        pass  # it holds the run


def _make(
    cls: type[Scheduler], name: str, folder: RunFolder, keywords: Mapping[str, Any]
) -> Scheduler:
    try:
        return cls(workdir=folder.path, **keywords)
    except TypeError as error:
        raise OptionError(f"the scheduler {name}: {error}; -o KEY=VALUE gives an option") from error


def _recorded_run(folder: RunFolder) -> RunFile:
    from sched_core.runfolder import require_run

    return require_run(folder.files, folder.layout)


def _check_jobs(scheduler: Scheduler, specs: list[JobSpec]) -> None:
    """Refuse what the scheduler can never run, before anything is recorded. Raises OptionError."""
    from sched_core.scheduler.wishes import check_every_attempt

    for spec in specs[:1] + [spec for spec in specs if spec.resources or spec.container]:
        check_every_attempt(scheduler, new_job(scheduler, 0, spec))


def _place(
    workdir: str | None, run_name: str | None, resume: bool, looks: bool
) -> RunFolder | None:
    """The folder that was asked for, None for a new one."""
    if workdir is None:
        return newest_run(run_name or "") if resume else None
    if not workdir:
        raise OptionError("-w is empty: name the folder of the run")
    folder = RunFolder(workdir)
    if os.path.exists(folder.path) and not os.path.isdir(folder.path):
        raise OptionError(
            f"-w {folder}: this is there already, and is no folder; take another name"
        )
    if looks and not resume and folder.holds_run() and _has_jobs(folder):
        raise RunExists(
            f"{folder} holds a run already; go on with it with --resume,"
            " or name another folder with -w"
        )
    return folder


def _has_jobs(folder: RunFolder) -> bool:
    """Tell whether the run was begun: its scheduler may have been of no use."""
    try:
        return bool(folder.read().jobs)
    except SchedError:
        return True  # nobody can tell


def _check_that_it_is_this_run(
    folder: RunFolder, specs: Sequence[JobSpec], cwd: str | None
) -> None:
    """Refuse to mix two runs: jobs are the same ones by command, environment and directory."""
    view = folder.read()
    begun_in = view.run.options.get("cwd") or view.run.directory
    if begun_in != (cwd or os.getcwd()):
        raise RunExists(
            f"the run in {folder} was begun in {begun_in}; go on with it from there,"
            " or name another folder with -w"
        )
    known = {job_key(job.cmd, job.envs, job.secrets or ()) for job in view.jobs.values()}
    if known and not any(job_key(spec.cmd, spec.envs) in known for spec in specs):
        raise RunExists(
            f"{folder} holds another run: none of its {len(view.jobs)} jobs is in this list;"
            " name another folder with -w"
        )
