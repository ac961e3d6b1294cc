"""Several short jobs in one of the engine's tasks: which of them what is said of the task concerns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from sched_core import AttemptId, EngineState, Failure, Job, JobStatus, Observation
from sched_core.lifecycle.active import Active
from sched_core.ports import Files

__all__ = ["Tasks", "ask_to_end", "in_tasks", "not_all_of_their_tasks", "of_each_job"]

Tasks = Sequence[Sequence[AttemptId | None]]
"""The attempts that each task runs, one after the other; None for one that is left out."""

_ONE_OF_THEM = 1
"""Exit status of a task of several jobs of which not all have ended well (task.bash)."""


def in_tasks(
    recorded: Sequence[AttemptId], present: Iterable[AttemptId], chunk: int
) -> list[list[AttemptId | None]]:
    """Return the tasks of a submission, numbered as its record says, without what is not present."""
    there = set(present)
    places = [attempt if attempt in there else None for attempt in recorded]
    while places and places[-1] is None:
        places.pop()
    return [places[i : i + chunk] for i in range(0, len(places), chunk)]


def of_each_job(
    actives: Iterable[Active], seen: Mapping[AttemptId, Observation]
) -> dict[AttemptId, Observation]:
    """Return what is true of each job where `seen` tells of its task; `actives` as they will run.

    That a task runs does not tell that the job does. A task that ended early has ended the job that
    it was at; those that would have come next are submitted again, unless none has ever started.
    """
    judged = dict(seen)
    ended_early: dict[str, bool] = {}
    for active in filter(_share_a_task, actives):
        job, key = active.job, active.id
        if job.jid is None:
            continue
        is_first = job.jid not in ended_early
        if is_first:
            ended_early[job.jid] = job.started is not None or not _comes_first(active)
        found = seen.get(key)
        if found is not None:
            found = replace(found, max_rss=None)  # it is the task's
            judged[key] = _of_one(active, found, behind=not is_first and ended_early[job.jid])
    return judged


def _of_one(active: Active, seen: Observation, *, behind: bool) -> Observation:
    job = active.job
    if seen.state is EngineState.RUNNING:
        runs = job.status is JobStatus.RUNNING and job.restart == seen.restart
        return seen if runs else replace(seen, state=EngineState.WAITING, started=None)
    failed = seen.state is EngineState.FAILED and seen.failure is not Failure.CANCELLED
    if failed and behind and job.started is None:
        reason = f"their task ended before it came to them: {seen.reason}"
        return Observation(EngineState.FORGOTTEN, reason=reason)
    if failed and seen.failure is Failure.EXIT and seen.rc == _ONE_OF_THEM:
        # Not the job's own: its record tells, and where there is none, it is lost.
        return replace(seen, state=EngineState.SUCCEEDED, rc=None, failure=None)
    return seen


def _comes_first(active: Active) -> bool:
    submission = active.submission
    assert submission is not None
    return submission.tasks.index(active.id) % submission.chunk == 0


def not_all_of_their_tasks(jobs: Sequence[Job], actives: Iterable[Active]) -> list[Job]:
    """Return those of the jobs whose task also has others, which are not to be killed."""
    shared = [active for active in actives if _share_a_task(active)]
    if not shared:
        return []
    wanted = {job.index for job in jobs}
    task_of = _tasks_of(shared)
    kept = {
        task_of[active.job.index]
        for active in shared
        if active.job.index not in wanted and active.job.status is not JobStatus.KILLING
    }
    return [job for job in jobs if task_of.get(job.index) in kept]


def _share_a_task(active: Active) -> bool:
    """Tell whether the job's task may be that of other jobs too."""
    return active.submission is not None and active.submission.chunk > 1


def _tasks_of(actives: Sequence[Active]) -> dict[int, tuple[str, int]]:
    """Return for each job which task of which submission it is in."""
    submissions = {a.submission.sid: a.submission for a in actives if a.submission}
    places = {
        (sid, attempt): place // submission.chunk
        for sid, submission in submissions.items()
        for place, attempt in enumerate(submission.tasks)
    }
    return {
        a.job.index: (sid, places[sid, a.id])
        for a in actives
        if a.submission and (sid := a.submission.sid)
    }


def ask_to_end(files: Files, places: Iterable[tuple[str, int]]) -> None:
    """Ask the tasks that run these attempts, by folder and number, to end them alone."""
    for metadir, attempt in places:
        try:
            files.create(f"{metadir}/job.kill.{attempt}", b"")
        except FileExistsError:
            continue  # it was asked before
