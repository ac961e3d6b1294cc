"""A run for the picture of `sched top`, which is the same one each time."""

from __future__ import annotations

from collections.abc import Sequence

from sched_core.model.failure import Failure
from sched_core.model.status import JobStatus
from sched_core.ports import DriverIdentity
from sched_core.runfolder import JobRecord, Layout, LeaseRecord, RunFile, RunView
from sched_meta.top.model import Query, RunModel, Tab
from sched_meta.top.runlook import RunPicture
from sched_meta.top.table import make_table

from .recorded import BEGUN

NOW = BEGUN + 1500.0
_LINES = (
    "[E::hts_open] fail to open file 's{}.fq.gz'",
    "slurmstepd: error: Detected 1 oom-kill event",
)


def picture() -> RunPicture:
    """The list of failures, while the run goes on."""
    jobs = [_job(index) for index in range(1200)]
    model = RunModel()
    model.take(jobs)
    run = RunFile("r1", 1, BEGUN, "slurm", "sched_hpc:SlurmScheduler", {}, "/")
    lease = LeaseRecord(1, DriverIdentity("login1", "", "", 4711, 0), 0, released=False)
    view = RunView(Layout("sched-runs/align-1"), run, {job.index: job for job in jobs}, lease, True)
    return RunPicture(
        view, model.counts(view, NOW), make_table(model, Query(Tab.FAILED), NOW, _said)
    )


def _job(index: int) -> JobRecord:
    job = JobRecord(index, ["bwa", "mem", "ref.fa", f"s{index}.fq.gz"], name=f"s{index}")
    took = 200.0 + (index * 7919) % 181
    start = BEGUN + 1.6 * index + (index * 31) % 17
    if start > NOW:
        job.status = JobStatus.QUEUED
        return job
    job.host = f"node{index % 9 + 1:02}"
    job.started = start
    if start + took > NOW:
        job.status = JobStatus.RUNNING
        return job
    job.ended, job.rc, job.status = start + took, 0, JobStatus.FINISHED
    if index % 97 == 13 or index % 211 == 7:
        job.status, job.rc = JobStatus.FAILED, 1
        job.failure = Failure.OUT_OF_MEMORY if index % 97 == 13 else Failure.EXIT
    return job


def _said(jobs: Sequence[JobRecord]) -> list[str]:
    oom = Failure.OUT_OF_MEMORY
    return [_LINES[1] if job.failure is oom else _LINES[0].format(job.index) for job in jobs]
