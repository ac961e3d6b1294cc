"""Jobs and tasks as the service knows them, and their events."""

from __future__ import annotations

import time
from collections import Counter, deque
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from google.cloud import batch_v1
from google.protobuf.timestamp_pb2 import Timestamp

from .batch_words import job_moved, task_failed, task_moved

__all__ = ["ENDED", "GROUP", "Event", "Job", "JobState", "Task", "TaskState", "now"]

GROUP = "group0"
ZONE = "zones/us-central1-a/instances/{}"
_FIRST_INSTANCE = 4973446500000000000

# The plain messages: a hundred thousand tasks in wrapped ones would take many seconds.
_Job: Any = batch_v1.Job.pb()
_Task: Any = batch_v1.Task.pb()
_Event: Any = batch_v1.StatusEvent.pb()
_Counts: Any = batch_v1.JobStatus.TaskGroupStatus.pb()


class JobState(IntEnum):
    QUEUED = 1
    SCHEDULED = 2
    RUNNING = 3
    SUCCEEDED = 4
    FAILED = 5
    DELETION_IN_PROGRESS = 6
    CANCELLATION_IN_PROGRESS = 7
    CANCELLED = 8


class TaskState(IntEnum):
    """Not numbered as a job's."""

    PENDING = 1
    ASSIGNED = 2
    RUNNING = 3
    FAILED = 4
    SUCCEEDED = 5
    UNEXECUTED = 6


def now() -> Timestamp:
    stamp = Timestamp()
    stamp.FromNanoseconds(time.time_ns())
    return stamp


ENDED = (JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED)


@dataclass(frozen=True, slots=True)
class Event:
    """One of a job's or of a task's."""

    description: str
    state: TaskState | None = None
    code: int | None = None
    kind: str = "STATUS_CHANGED"
    time: Timestamp = field(default_factory=now)

    def message(self) -> Any:
        event = _Event(type_=self.kind, description=self.description, event_time=self.time)
        if self.state is not None:
            event.task_state = self.state
        if self.code is not None:
            event.task_execution.exit_code = self.code
        return event


@dataclass(slots=True)
class Task:
    """One task; `starts` counts how often it was begun."""

    index: int
    state: TaskState = TaskState.PENDING
    starts: int = 0
    instance: int = 0
    events: list[Event] = field(default_factory=list)

    @property
    def zone(self) -> str:
        return ZONE.format(_FIRST_INSTANCE + self.instance)

    def message(self, group: str) -> Any:
        events = [event.message() for event in self.events]
        status = {"state": self.state, "status_events": events}
        return _Task(name=f"{group}/tasks/{self.index}", status=status)


class Job:
    """A job, what waits of it, and what became of its tasks."""

    def __init__(self, message: Any) -> None:
        self.spec = message
        self.state = JobState.QUEUED
        self.events: list[Event] = []
        self.group = message.task_groups[0]
        self.tasks = [Task(index) for index in range(self.group.task_count)]
        self.counts = Counter({TaskState.PENDING: len(self.tasks)})
        self.waiting = deque(range(len(self.tasks)))
        self.closing = False
        """It was cancelled, deleted or ended: nothing more begins."""
        self.held = False
        """It keeps its state until it is released."""
        self.has_tasks = False
        """They are there from when it is scheduled: a job that fails before has none."""
        self.most_running = 0
        self._began = 0.0

    @property
    def name(self) -> str:
        return str(self.spec.name)

    @property
    def job_id(self) -> str:
        return self.name.rpartition("/")[2]

    @property
    def uid(self) -> str:
        return str(self.spec.uid)

    @property
    def parallelism(self) -> int:
        in_order = batch_v1.TaskGroup.SchedulingPolicy.IN_ORDER
        return 1 if self.group.scheduling_policy == in_order else int(self.group.parallelism)

    @property
    def may_start(self) -> bool:
        open_ = self.state in (JobState.SCHEDULED, JobState.RUNNING)
        return open_ and not (self.held or self.closing) and bool(self.waiting)

    def message(self) -> Any:
        """Return the job as it is now."""
        job = _Job()
        job.CopyFrom(self.spec)
        job.status.state = self.state
        job.status.status_events.extend(event.message() for event in self.events)
        if self.has_tasks:
            counts = {state.name: count for state, count in self.counts.items() if count}
            job.status.task_groups[GROUP].CopyFrom(_Counts(counts=counts))
        return job

    def move(self, state: JobState, why: str = "") -> None:
        """Change the job's state, with the event that the service notes."""
        if state is self.state:
            return
        self.tell(job_moved(self.name, self.state.name, state.name, why), "STATUS_CHANGED")
        self.state = state
        self.spec.update_time.CopyFrom(now())
        if state is JobState.RUNNING:
            self._began = time.time()
        elif state in ENDED and self._began:
            spent = int((time.time() - self._began) * 1e9)
            self.spec.status.run_duration.FromNanoseconds(spent)

    def tell(self, words: str, kind: str = "OPERATIONAL_INFO") -> None:
        self.events.append(Event(words, kind=kind))

    def move_task(
        self, task: Task, state: TaskState, why: str = "", code: int | None = None
    ) -> None:
        words = task_moved(task.state.name, state.name, task.zone, why, code)
        task.events.append(Event(words, state, code))
        self._count(task, state)

    def _count(self, task: Task, state: TaskState) -> None:
        self.counts[task.state] -= 1
        self.counts[state] += 1
        task.state = state

    def drop_waiting(self) -> None:
        """Have nothing more begin: what waits was never executed."""
        self.closing = True
        for index in self.waiting:
            self._count(self.tasks[index], TaskState.UNEXECUTED)
        self.waiting.clear()

    def verdict(self) -> tuple[JobState, str]:
        """Return how the job ends by what became of its tasks, and why."""
        if not self.counts[TaskState.FAILED]:
            return JobState.SUCCEEDED, ""
        failed = next(task for task in self.tasks if task.state is TaskState.FAILED)
        return JobState.FAILED, task_failed(failed.index, failed.events[-1].description)
