"""`sched run --dry-run`: what a run would be, with nothing started, written or asked."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..console import stdout_is_terminal, terminal_width, write_text
from ..lists.jobspec import JobSpec
from ..lists.matching import match_jobs
from ..reading.runfolder import RunFolder, next_run
from ..reading.wishes import wishes_words
from ..wording import count_jobs, index_ranges, one_line
from .driver import new_jobs
from .given import Given
from .start import Plan, plan_run

if TYPE_CHECKING:
    from sched_core import Job, Preview, Scheduler
    from sched_core.runfolder import JobRecord, RunView

__all__ = ["DryRun", "dry_run", "show_dry_run"]

_SHOWN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class DryRun:
    """What a run would be."""

    scheduler: Scheduler
    folder: RunFolder
    resumes: bool
    """Whether there is a run in the folder, to be gone on with."""
    looked: bool
    """Whether it is known what the folder holds."""
    driven: bool
    """Whether somebody drives the run now, so that it can be gone on with only later."""
    done: int
    """Jobs that have ended before."""
    open: int
    """Jobs that an earlier driver has handed over, and that may run."""
    new: int
    """Jobs that the run does not have yet."""
    jobs: Sequence[Job]
    """The jobs that would be started: those that wait, then the new ones."""
    preview: Preview

    def to_json(self) -> dict[str, Any]:
        """Return it as one object."""
        first = [job.index for job in self.preview.jobs]
        return {
            "folder": self.folder.path,
            "scheduler": self.scheduler.name,
            "forks": self.scheduler.forks,
            "resumes": self.resumes,
            "driven": self.driven,
            "jobs": self.done + self.open + len(self.jobs),
            "done": self.done,
            "open": self.open,
            "new": self.new,
            "first_jobs": [_job_to_json(job) for job in self.jobs[:_SHOWN]],
            "first_submission": {
                "jobs": first,
                "parts": [part._asdict() for part in self.preview.parts],
            },
        }


def dry_run(
    specs: list[JobSpec],
    scheduler: str | None,
    given: Given,
    *,
    workdir: str | None = None,
    run_name: str | None = None,
    resume: bool = False,
) -> DryRun:
    """Return what `start_run` would do, refusing what it would refuse. Raises SchedError.

    A bucket is looked into only where a run in it is to be gone on with.
    """
    looks = resume or not (workdir and RunFolder(workdir).in_bucket)
    plan = plan_run(
        specs, scheduler, given, workdir=workdir, run_name=run_name, resume=resume, looks=looks
    )
    folder = plan.place or next_run(run_name)
    plan.scheduler.workdir = folder.absolute
    view = folder.read() if plan.found else None
    return _shown(plan, folder, specs, view, looks)


def _shown(
    plan: Plan, folder: RunFolder, specs: Sequence[JobSpec], view: RunView | None, looked: bool
) -> DryRun:
    scheduler = plan.scheduler
    records = list(view.jobs.values()) if view else []
    _, missing = match_jobs(specs, records)
    new = new_jobs(scheduler, records, missing)
    jobs = [*_waiting(scheduler, records), *new]
    done = sum(record.is_done for record in records)
    return DryRun(
        scheduler=scheduler,
        folder=folder,
        resumes=plan.found is not None,
        looked=looked,
        driven=bool(view and view.driver_lives),
        done=done,
        open=len(records) + len(new) - done - len(jobs),
        new=len(new),
        jobs=jobs,
        preview=scheduler.preview(jobs, run=plan.found),
    )


def _waiting(scheduler: Scheduler, records: Sequence[JobRecord]) -> Iterator[Job]:
    """Yield the run's jobs that wait for their next attempt."""
    from sched_core.runner.opening import restore_job

    for record in records:
        if record.is_done or record.status.active:
            continue
        job = restore_job(scheduler, record)
        job.attempt += record.status.final  # it was interrupted, or was about to be tried again
        yield job


def show_dry_run(run: DryRun, *, as_json: bool) -> None:
    """Write it to stdout: for a person, or as a JSON object."""
    if as_json:
        write_text([json.dumps(run.to_json()), "\n"])
    else:
        width = terminal_width() if stdout_is_terminal() else 0
        write_text(f"{line}\n" for line in _lines(run, width))


def _lines(run: DryRun, width: int) -> Iterator[str]:
    scheduler, left = run.scheduler, len(run.jobs)
    yield "A dry run: nothing is started, and nothing is written."
    yield f"run:     {run.folder} ({_kind(run)})"
    yield f"jobs:    {_counts(run)} on {scheduler.name}, {scheduler.forks:,} at a time"
    for job in run.jobs[:_SHOWN]:
        name = f" ({job.given_name})" if job.given_name else ""
        head = f"  {job.index}{name}: "
        yield head + one_line(job.cmd, width and max(20, width - len(head)))
    if left > _SHOWN:
        yield f"  and {left - _SHOWN:,} more"
    if not run.preview.jobs:
        yield "No job is left to be started."
        return
    job = run.preview.jobs[0]
    if words := wishes_words(scheduler.all_resources(job), job.raised):
        yield f"wants:   {'; '.join(words)} (job {job.index})"
    yield f"submits: {_first(run)}"
    for title, text in run.preview.parts:
        yield ""
        yield f"----- {title} -----"
        yield text.rstrip("\n")


def _kind(run: DryRun) -> str:
    if not run.looked:
        return "what it holds is looked at when the run begins"
    if run.driven:
        return "goes on when its present driver has ended"
    return "goes on" if run.resumes else "new"


def _counts(run: DryRun) -> str:
    total = count_jobs(run.done + run.open + len(run.jobs))
    if not run.resumes:
        return total
    waiting = len(run.jobs) - run.new
    counts = {"done": run.done, "may run": run.open, "waiting": waiting, "new": run.new}
    words = [f"{number:,} {word}" for word, number in counts.items() if number]
    return f"{total} ({', '.join(words)})"


def _first(run: DryRun) -> str:
    jobs = run.preview.jobs
    indexes = index_ranges([job.index for job in jobs])
    ids = "ids, here zeros, are made then" if run.resumes else "ids, here zeros, come with the run"
    return f"{count_jobs(len(jobs))} first ({indexes}), as follows; {ids}"


def _job_to_json(job: Job) -> dict[str, Any]:
    return {"index": job.index, "name": job.given_name, "cmd": list(job.cmd)}
