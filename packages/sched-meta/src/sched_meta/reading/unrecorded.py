"""Jobs that have ended while nobody drove their run: their claims tell, and the journal does not yet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from sched_core.model.status import JobStatus
from sched_core.runfolder import JobRecord, RunView

from .runfolder import RunFolder

__all__ = ["as_they_are", "ended_since"]

_MOST = 1000
"""Attempts whose claims are read; of a run with more of them nothing is told."""


def ended_since(folder: RunFolder, view: RunView) -> dict[int, JobRecord]:
    """Return those jobs as they have ended, by index; none where somebody drives the run. Blocks.

    Whether one finished for good is decided by whoever goes on with the run.
    """
    from sched_core.lifecycle.files import read_claims

    active = [job for job in view.jobs.values() if job.status.active]
    if view.driver is not None or not active or len(active) > _MOST:
        return {}
    claims = read_claims(folder.files, [(folder.of_job(job.index), job.attempt) for job in active])
    found = {}
    for job, claim in zip(active, claims, strict=True):
        if claim is not None and claim.rc is not None:
            status = JobStatus.FINISHED if claim.finished else JobStatus.FAILED
            found[job.index] = replace(job, status=status, rc=claim.rc, ended=claim.ended)
    return found


def as_they_are(jobs: Iterable[JobRecord], ended: Mapping[int, JobRecord]) -> Iterable[JobRecord]:
    """Return the jobs, with those that have ended as `ended_since` has found them."""
    return [ended.get(job.index, job) for job in jobs] if ended else jobs
