"""Removing what a run has left outside of its folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ..errors import RunUnfinished
from ..lifecycle.secrets import remove_secrets
from ..model.failure import Failure
from ..ports import Ports
from ..runfolder import (
    JobRecord,
    Layout,
    Lease,
    RunFile,
    jobs_that_may_run,
    read_journal,
    replay,
    require_run,
)
from ..scheduler.observation import Remains
from .holding import hold_run
from .opening import looking_at

if TYPE_CHECKING:
    from ..scheduler import Scheduler

__all__ = ["clean_run"]

_NOT_BROUGHT_BACK = (Failure.OUTPUT, Failure.UNAVAILABLE, Failure.LOST)


async def clean_run(
    scheduler: Scheduler, *, lose_results: bool = False, dry_run: bool = False
) -> Sequence[Remains]:
    """Remove what the run in the scheduler's work directory has left outside of it: on hosts that
    do not share its disk, and in mirrors of a bucket, which gets what is only there. The run's
    folder stays as it is, but for values of secrets: whoever goes on with the run gives them again.

    Returns what was found, each with the problem that kept it from being removed, if any. Jobs that
    have not ended for good, or whose outputs did not come back, may have left the only copy of
    something: that is removed with `lose_results` only. With `dry_run` nothing is removed.

    Raises RunNotFound, RunCorrupt; RunLocked where somebody drives the run; RunUnfinished where jobs
    may still run, or results would be lost.
    """
    ports = scheduler.make_ports()
    layout = Layout(str(scheduler.workdir))
    async with hold_run(ports, layout) as lease:
        run, jobs, used = await ports.offload(_read, ports, layout)
        with looking_at(scheduler, ports, run, lease):
            found = await scheduler.find_remains(used)
            if not lose_results:
                _check_that_nothing_is_lost(jobs, found)
            removed = found if dry_run else await scheduler.remove_remains(found)
            if not dry_run:
                await ports.offload(remove_secrets, ports.files, layout)
            return [*removed, *await _clean_mirrors(scheduler, ports, run, lease, dry_run)]


async def _clean_mirrors(
    scheduler: Scheduler, ports: Ports, run: RunFile, lease: Lease, dry_run: bool
) -> Sequence[Remains]:
    if not scheduler.workdir.is_cloud():
        return ()
    from .mirrors import clean_mirrors

    return await ports.offload(clean_mirrors, scheduler, run.run, lease, dry_run)


def _read(ports: Ports, layout: Layout) -> tuple[RunFile, Mapping[int, JobRecord], set[str]]:
    """Return the run, its jobs and all hosts that they were ever on. Blocks; raises RunUnfinished."""
    run = require_run(ports.files, layout)
    entries = list(read_journal(ports.files, layout))
    jobs = replay(entries)
    if running := jobs_that_may_run(ports.files, layout, jobs):
        raise RunUnfinished(
            f"{len(running)} jobs of the run in {layout.workdir} may still run (job {min(running)}"
            f"{', ...' if len(running) > 1 else ''}); go on with the run (sched resume), or kill "
            "them (sched kill), then clean"
        )
    return run, jobs, {entry["host"] for entry in entries if entry.get("host")}


def _check_that_nothing_is_lost(jobs: Mapping[int, JobRecord], found: Sequence[Remains]) -> None:
    places = {remains.host: remains for remains in found if not remains.problem}
    doubtful = [job for job in jobs.values() if job.host in places and _is_doubtful(job)]
    if doubtful:
        job = doubtful[0]
        why = f"it ended {job.status.name}" + (f", {job.failure}" if job.failure else "")
        raise RunUnfinished(
            f"what {len(doubtful)} jobs wrote may be nowhere but there: job {job.index} in "
            f"{places[job.host or '']} ({why}). Go on with the run (sched resume, sched retry), or "
            "look there; --yes (lose_results=True) removes it all the same"
        )


def _is_doubtful(job: JobRecord) -> bool:
    return not job.is_done or job.failure in _NOT_BROUGHT_BACK
