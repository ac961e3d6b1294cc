"""Killing and retrying jobs of a run: by its driver where one lives, else by this process."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from sched_core import Failure, JobStatus, OptionError, Resources, RunView, Secret
from sched_core.runfolder import JobRecord, ask_driver, jobs_that_may_run, request_is_open

from ..console import say
from ..reading.onlooker import nobody_drives
from ..reading.runfolder import RunFolder
from ..reading.selection import failure_class, select_jobs
from ..reading.states import state_counts
from ..wording import count_jobs, counted, index_ranges
from .conduct import NOTHING_ELSE, Conduct
from .given import Given, Output
from .secrets import check_that_known
from .start import changed_scheduler, resume_run
from .undriven import kill_undriven
from .wishes import check_retry

__all__ = ["ask_to_retry", "kill_jobs", "retry_jobs"]

_INTERVAL = 0.1
_PATIENCE = 30.0
_PATIENCE_IN_BUCKET = 180.0  # what runs on an engine far away is looked at, and ends, later


def kill_jobs(folder: RunFolder, words: Sequence[str]) -> int:
    """Kill the jobs and wait until they have ended; return the exit code."""
    view = folder.read()
    chosen = select_jobs(words or ("all",), view.jobs)
    jobs = [job for job in chosen if _can_be_killed(job)]
    if not jobs:
        say("none of these jobs waits or runs; nothing is to be killed")
        return 0
    if not _ask(folder, view, "kill", jobs):
        _check_that_no_other_runs(folder, view, jobs)
        kill_undriven(folder, {job.index for job in jobs})
    return _tell_killed(folder, jobs)


def retry_jobs(
    folder: RunFolder,
    words: Sequence[str],
    given: Given,
    output: Output,
    failures: Sequence[str] = (),
    conduct: Conduct = NOTHING_ELSE,
    secrets: Mapping[str, Secret] | None = None,
) -> int:
    """Have the jobs run once more, of some classes of failure only if any are given; return the exit code.

    Raises OptionError for words that mean no jobs, or no class.
    """
    classes = {failure_class(word) for word in failures}
    view = folder.read()
    jobs = _of_classes(_to_retry(view, words), classes)
    if not jobs:
        return 0
    wishes, others = given.wishes(), given.without_wishes()
    resources = wishes if wishes.to_json() else None
    if resources:
        check_retry(changed_scheduler(folder, others), jobs, resources)
    if _ask_to_retry(folder, view, jobs, resources):
        if conduct.max_failures or conduct.on_finish or secrets:
            say("its own --max-failures, --on-finish and --secret-env stay in effect")
        return 0
    check_that_known(folder, jobs, secrets or {})
    again = [job.index for job in jobs]
    return resume_run(
        folder.path,
        others,
        output,
        retry=again,
        resources=resources,
        conduct=conduct,
        secrets=secrets,
    )


def ask_to_retry(folder: RunFolder, words: Sequence[str]) -> bool:
    """Have the run's driver run the jobs once more; tell whether there is a driver."""
    view = folder.read()
    jobs = _of_classes(_to_retry(view, words), ())
    return not jobs or _ask_to_retry(folder, view, jobs)


def _to_retry(view: RunView, words: Sequence[str]) -> list[JobRecord]:
    chosen = select_jobs(words or ("failed", "killed"), view.jobs)
    return [job for job in chosen if job.status in (JobStatus.FAILED, JobStatus.KILLED)]


def _ask_to_retry(
    folder: RunFolder,
    view: RunView,
    jobs: Sequence[JobRecord],
    resources: Resources | None = None,
) -> bool:
    asked = _ask(folder, view, "retry", jobs, resources)
    if asked:
        say(f"the run's driver takes up {count_jobs(len(jobs))} again")
    return asked


def _of_classes(jobs: Sequence[JobRecord], classes: Collection[Failure]) -> Sequence[JobRecord]:
    """Return those of the jobs that ended so, all where no class is given; say why there are none."""
    found = [job for job in jobs if job.failure in classes] if classes else jobs
    if not jobs:
        say("none of these jobs failed or was killed; nothing is to be run again")
    elif not found:
        there = Counter(job.failure or job.status.name for job in jobs)
        words = ", ".join(f"{number:,} {failure}" for failure, number in there.most_common())
        asked = " or ".join(sorted(classes))
        say(f"none of these jobs ended as {asked}, but {words}; nothing is to be run again")
    return found


def _check_that_no_other_runs(folder: RunFolder, view: RunView, jobs: Sequence[JobRecord]) -> None:
    """Whoever takes a run over has to end, or wait for, all that the last driver left running."""
    chosen = {job.index for job in jobs}
    others = jobs_that_may_run(folder.files, folder.layout, view.jobs) - chosen
    if others:
        raise OptionError(
            f"the run's driver is gone, and other jobs may still run ({index_ranges(sorted(others))});"
            f" kill them all (sched kill {folder}), or first go on with the run (sched resume {folder})"
        )


def _can_be_killed(job: JobRecord) -> bool:
    return not job.status.final or job.interrupted


def _ask(
    folder: RunFolder,
    view: RunView,
    verb: str,
    jobs: Sequence[JobRecord],
    resources: Resources | None = None,
) -> bool:
    """Ask the run's driver and wait for its answer; tell whether there is one that did."""
    if nobody_drives(folder):
        return False
    files = folder.files
    indexes = tuple(job.index for job in jobs)
    wanted = None if resources is None else resources.to_json()
    request = ask_driver(files, folder.layout, verb, indexes, wanted)
    wait_until = time.monotonic() + _patience(folder)
    while request_is_open(files, request):
        if nobody_drives(folder):
            files.remove(request.path)
            return False
        if time.monotonic() > wait_until:
            say(f"still waiting for {view.driver} to answer; Ctrl-C gives up")
            wait_until = math.inf
        time.sleep(folder.interval(_INTERVAL))
    return True


def _patience(folder: RunFolder) -> float:
    return _PATIENCE_IN_BUCKET if folder.in_bucket else _PATIENCE


def _tell_killed(folder: RunFolder, jobs: Sequence[JobRecord]) -> int:
    """Wait until the jobs have ended, and say how."""
    wait_until = time.monotonic() + _patience(folder)
    while True:
        now = folder.read().jobs
        left = [job.index for job in jobs if not now[job.index].status.final]
        if not left or time.monotonic() > wait_until:
            break
        time.sleep(folder.interval(_INTERVAL * 5))
    states = state_counts(now[job.index] for job in jobs)
    say(f"{count_jobs(len(jobs))}: {counted(states)}")
    if left:
        say(f"not ended yet, though told to: {index_ranges(left)}")
    return 1 if left else 0
