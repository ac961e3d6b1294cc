"""A Google Batch that a test moves by hand, and a run that is open without anything outside."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sched_core import AttemptId, BackendError, Job, JobStatus, Submission
from sched_core.hooks import Hooks
from sched_core.lifecycle.active import Active
from sched_core.lifecycle.session import Session
from sched_core.ports import SystemPorts
from sched_core.runfolder.runfile import RunFile
from sched_gbatch import GbatchScheduler
from sched_gbatch.names import batch_id
from sched_gbatch.service import BatchService
from sched_gbatch.states import JobNews, TaskEvent, TaskNews

from .helpers import made


class FakeService(BatchService):
    """Has the jobs that a test says there are; counts the calls."""

    def __init__(self) -> None:
        super().__init__("p", "us-central1")
        self.jobs: dict[str, JobNews] = {}
        self.of_tasks: dict[str, dict[int, TaskNews]] = {}
        self.calls: Counter[str] = Counter()
        self.cancelled: list[str] = []
        self.error: BackendError | None = None

    def _called(self, name: str) -> None:
        self.calls[name] += 1
        if self.error is not None:
            raise self.error

    def job(self, batch: str) -> JobNews | None:
        self._called("job")
        return self.jobs.get(batch)

    def tasks(self, batch: str) -> Mapping[int, TaskNews]:
        self._called("tasks")
        return self.of_tasks.get(batch, {})

    def cancel(self, batch: str, request: str) -> None:
        self._called("cancel")
        self.cancelled.append(batch)

    def check(self) -> None:
        self._called("check")

    def be(self, batch: str, state: str, *tasks: str, events: Sequence[str] = ()) -> None:
        """Say what state a job is in, and each of its tasks."""
        counts = Counter(task.partition(":")[0] for task in tasks)
        self.jobs[batch] = JobNews(state, tuple(events), counts, parallelism=len(tasks))
        self.of_tasks[batch] = {number: _task(task) for number, task in enumerate(tasks)}

    def change(self, batch: str, **news: Any) -> None:
        self.jobs[batch] = replace(self.jobs[batch], **news)


def _task(text: str) -> TaskNews:
    """Return a task: "RUNNING", or "FAILED:3", which is its exit code."""
    state, _, code = text.partition(":")
    events = () if state in ("PENDING", "UNEXECUTED") else (TaskEvent("RUNNING", "begun"),)
    last = TaskEvent(state, "ended", int(code)) if code else TaskEvent(state, "now")
    return TaskNews(state, (*events, last))


class Objects:
    """The few calls on files that are made here, kept in memory."""

    interval = 0.0

    def __init__(self) -> None:
        self.stored: dict[str, bytes] = {}
        self.error: OSError | None = None

    def names(self, folder: str) -> list[str]:
        found = (path.rpartition("/") for path in self.stored)
        return [name for parent, _, name in found if parent == folder]

    def write(self, path: str, data: bytes) -> None:
        if self.error is not None:
            raise self.error
        self.stored[path] = data

    def remove_many(self, paths: Sequence[str]) -> None:
        if self.error is not None:
            raise self.error
        for path in paths:
            self.stored.pop(path, None)


class Ports(SystemPorts):
    """This machine's, but for the store and the clocks, which stand still unless they are moved."""

    def __init__(self, objects: Any) -> None:
        super().__init__(objects)
        self.time = 1000.0

    def now(self) -> float:
        return 1_700_000_000.0 + self.time

    def monotonic(self) -> float:
        return self.time


class Open:
    """A run that is open."""

    def __init__(self, **options: Any) -> None:
        self.objects = Objects()
        self.ports = Ports(self.objects)
        self.scheduler: GbatchScheduler = made(**options)
        run = RunFile("ab12", 1, 0.0, "gbatch", "", {}, "")
        self.session = Session(self.scheduler, self.ports, Hooks(), run)
        self.scheduler._session = self.session
        self.service = FakeService()
        self.warnings: list[str] = []
        setattr(self.session, "warn", self.warnings.append)  # noqa: B010  # mypy takes no method
        self._indexes = 0

    def submitted(self, count: int, sid: str = "0001") -> tuple[str, list[Job]]:
        """Return the id of a Batch job and the jobs that are its tasks."""
        jobs = [self._job() for _ in range(count)]
        tasks = tuple(AttemptId(job.index, job.attempt) for job in jobs)
        submission = Submission(sid, f"gbatch-ab12-{sid}", "gbatch", tasks)
        for job in jobs:
            active = Active(job, job.attempt, self.ports.monotonic())
            self.session.active[job.index] = active
            self.session.submissions.bind(active, submission)
        return batch_id(submission.name), jobs

    def _job(self) -> Job:
        job = self.scheduler.new_job(self._indexes, ["true"])
        self._indexes += 1
        job.attempt, job.status = 1, JobStatus.SUBMITTED
        self.session.jobs[job.index] = job
        return job

    def started(self, *jobs: Job) -> None:
        for job in jobs:
            job.status, job.started = JobStatus.RUNNING, self.ports.now()

    def ended(self, *jobs: Job) -> None:
        for job in jobs:
            self.session.let_go(job)
