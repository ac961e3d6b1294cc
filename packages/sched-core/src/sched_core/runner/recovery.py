"""Picking up what an earlier driver left: every open attempt is found, none is started twice."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from ..lifecycle.active import Active
from ..lifecycle.secrets import read_secrets
from ..lifecycle.session import Session
from ..model.failure import Failure
from ..model.job import Job
from ..model.status import JobStatus
from ..runfolder import AttemptId, JobRecord, Submission, read_submissions
from ..scheduler import EngineState
from .opening import restore_job

if TYPE_CHECKING:
    from ..text.claim import Claim

__all__ = ["recover"]


async def recover(session: Session, records: Mapping[int, JobRecord]) -> list[Job]:
    """Restore the jobs of the run and go on with those that have not ended.

    Returns the jobs, by index.
    """
    ports = session.ports
    submissions = await ports.offload(read_submissions, ports.files, session.layout)
    submitted = {task: s for s in submissions for task in s.tasks}
    for record in records.values():
        job = restore_job(session.scheduler, record)
        await session.added(job)
        if record.is_done:
            session.recall(job)
            continue
        session.expect(job)
        if record.status is JobStatus.KILLING and record.interrupted:
            session.interrupted_before.add(job.index)
        submission = submitted.get(AttemptId(job.index, job.attempt))
        if not record.status.final and (submission is not None or record.status.active):
            _activate(session, job, submission)
    await _recall_secrets(session)
    await session.reconciler.read_spool()
    await _sort_out(session)
    await _queue_the_rest(session)
    await ports.offload(_drop_settled, session, submissions)
    return list(session.jobs.values())


async def _recall_secrets(session: Session) -> None:
    jobs = [job for job in session.jobs.values() if job.secrets]
    if jobs:
        ports = session.ports
        stored = await ports.offload(read_secrets, ports.files, session.layout)
        session.secrets.recall(jobs, stored)


def _activate(session: Session, job: Job, submission: Submission | None) -> None:
    active = session.active[job.index] = Active(job, job.attempt, session.ports.monotonic())
    if submission is not None:
        session.submissions.bind(active, submission)
    active.accepted = job.status.active
    session.transitions.resumed(job)
    if job.status is JobStatus.INIT:
        job.status = JobStatus.QUEUED


async def _sort_out(session: Session) -> None:
    """Read the claims of all open attempts: they tell which have started and which have ended."""
    actives, running = await _recall(session)
    claims = await session.evidence.read_records(actives)
    unclaimed: list[Active] = []
    for active, claim in zip(actives, claims, strict=True):
        if claim is None:
            unclaimed.append(active)
        elif claim.is_fence:
            await _never_starts(session, active)
        else:
            await _take_up(session, active, claim, running)
    if session.mirror is not None:
        await session.mirror.take_over([active.job for active in unclaimed])
    if running:
        await session.scheduler.adopt_jobs(running)
    if session.scheduler.outlives_driver:
        _look_up(session, unclaimed)
    else:
        await _queue_again(session, unclaimed)


async def _recall(session: Session) -> tuple[list[Active], list[Job]]:
    """Return the attempts that can be told by their claims, and the jobs of all others."""
    actives = list(session.active.values())
    silent = await session.scheduler.recall_jobs([active.job for active in actives])
    known, away = [], []
    for active in actives:
        if active.id in silent:
            await session.submitter.accept(active, None)
            away.append(active.job)
        else:
            known.append(active)
    return known, away


async def _take_up(session: Session, active: Active, claim: Claim, running: list[Job]) -> None:
    seen = session.evidence.told_by(claim)
    if claim.sealed and claim.rc is None:
        reason = "it was given up when an earlier driver ended"
        await session.evidence.engine_failed(active, Failure.LOST, reason)
        return
    if seen.state is EngineState.RUNNING:
        running.append(active.job)
    await session.evidence.observe(active.id, seen)


async def _never_starts(session: Session, active: Active) -> None:
    """Deal with an attempt that the earlier driver had fenced."""
    job = active.job
    if job.status is JobStatus.KILLING:
        await session.scheduler.transition_job_status(job, JobStatus.KILLED)
    elif job.status is JobStatus.RUNNING:
        # An engine said so before the wrapper came to claim the attempt.
        reason = "it was given up when an earlier driver ended"
        await session.evidence.engine_failed(active, Failure.LOST, reason)
    else:
        session.submitter.supersede(active)


def _look_up(session: Session, unclaimed: Iterable[Active]) -> None:
    """Have the engine asked for submissions of which it is not known that it took them."""
    by_submission: dict[str, tuple[Submission, list[Job]]] = {}
    for active in unclaimed:
        if active.submission is not None and not active.accepted:
            group = by_submission.setdefault(active.submission.sid, (active.submission, []))
            group[1].append(active.job)
        active.accepted = active.accepted or active.submission is None
    for submission, jobs in by_submission.values():
        session.reconciler.look_up(submission, jobs)


async def _queue_again(session: Session, unclaimed: Iterable[Active]) -> None:
    """Put back what waited in a queue that died with the earlier driver.

    Should one start all the same, its claim shows it: nothing runs twice.
    """
    for active in unclaimed:
        if active.job.status is not JobStatus.KILLING:
            session.submitter.release(active)
        elif await session.reconciler.fence([active]):
            await session.scheduler.transition_job_status(active.job, JobStatus.KILLED)


async def _queue_the_rest(session: Session) -> None:
    # Some failed while nobody drove the run: those are in the queue already, to be retried.
    waiting = session.waiting.indexes()
    for job in session.jobs.values():
        if job.index in session.active or job.index in waiting or session.is_done(job):
            continue
        if job.status.final:  # it was interrupted with the run, or was about to be retried
            failed = job.status is JobStatus.FAILED
            session.retries.next_attempt(job, charged=failed)
        if job.secrets and session.submits:
            session.secrets.require(job)
        if job.status is not JobStatus.QUEUED:
            await session.scheduler.transition_job_status(job, JobStatus.QUEUED)
        session.enqueue(job)


def _drop_settled(session: Session, submissions: Iterable[Submission]) -> None:
    """Remove the records of submissions that no open attempt is in. Blocks."""
    session.check_lease()
    open_attempts = {a.id for a in session.active.values()}
    settled = [s for s in submissions if not open_attempts.intersection(s.tasks)]
    session.journal.remove_settled(settled)
