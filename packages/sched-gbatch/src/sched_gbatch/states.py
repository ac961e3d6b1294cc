"""What Google Batch says of tasks and jobs, in one table each, and what it means for ours. Pure.

See https://cloud.google.com/batch/docs/troubleshooting#reserved-exit-codes, and for the states
https://cloud.google.com/batch/docs/reference/rest/v1/projects.locations.jobs.taskGroups.tasks.
The numbers of states differ between jobs and tasks: names are compared.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from sched_core import EngineState, Failure, Observation
from sched_core.text.recorder import NOT_OURS, NOT_SET_UP

__all__ = [
    "ENDED_JOBS",
    "JobNews",
    "TaskEvent",
    "TaskNews",
    "failure_of_job",
    "observation_of_task",
    "observation_without_task",
    "trouble_of",
]

ENDED_JOBS = frozenset("SUCCEEDED FAILED CANCELLED".split())
CANCELLED_JOBS = frozenset("CANCELLED CANCELLATION_IN_PROGRESS DELETION_IN_PROGRESS".split())
_ENDED_TASKS = frozenset("SUCCEEDED FAILED UNEXECUTED".split())
_BEFORE = frozenset("STATE_UNSPECIFIED PENDING ASSIGNED".split())

RESERVED_CODES: Mapping[int, tuple[Failure, str]] = {
    50001: (Failure.PREEMPTED, "the Spot VM was preempted"),
    50002: (Failure.NODE_FAIL, "the VM no longer reported to Batch"),
    50003: (Failure.NODE_FAIL, "the VM was rebooted"),
    50004: (Failure.NODE_FAIL, "the task and its VM did not respond"),
    50005: (Failure.TIMEOUT, "the task ran longer than its maxRunDuration"),
    50006: (Failure.NODE_FAIL, "the VM was recreated"),
}
"""Exit codes that are Batch's own word, not a command's."""

_NEVER_STARTED = (125, 126, 127)
"""What a container's client, or a shell that finds no program, ends with."""


@dataclass(frozen=True, slots=True)
class TaskEvent:
    """One change of a task. `state` is the name of the new one."""

    state: str
    text: str
    exit_code: int | None = None

    @property
    def code(self) -> int | None:
        """The exit code; one of Batch's own may be told in words alone."""
        if self.exit_code or not (found := _RESERVED.search(self.text)):
            return self.exit_code
        return int(found[1])


@dataclass(frozen=True, slots=True)
class TaskNews:
    """What Batch says of a task."""

    state: str
    events: tuple[TaskEvent, ...] = ()

    @property
    def ended(self) -> bool:
        """Whether Batch has nothing more to do for it."""
        return self.state in _ENDED_TASKS

    @property
    def starts(self) -> int:
        """How often it was started."""
        return sum(event.state == "RUNNING" for event in self.events)

    @property
    def exit_code(self) -> int | None:
        """What its last start ended with; that of an earlier one is no word on this one."""
        for event in reversed(self.events):
            if event.state == "FAILED" and (code := event.code) is not None:
                return code
            if event.state == "RUNNING":
                break
        return None

    @property
    def host(self) -> str | None:
        """The VM that it is or was on."""
        for event in reversed(self.events):
            if found := _INSTANCE.search(event.text):
                return found[1]
        return None


@dataclass(frozen=True, slots=True)
class JobNews:
    """What Batch says of a job: `counts` are of its tasks, by the names of their states."""

    state: str
    events: tuple[str, ...] = ()
    counts: Mapping[str, int] | None = None
    created: float | None = None
    parallelism: int = 0

    @property
    def ended_tasks(self) -> int:
        """How many of its tasks have ended."""
        return sum((self.counts or {}).get(state, 0) for state in _ENDED_TASKS)

    @property
    def begun_tasks(self) -> int:
        """How many of its tasks run or have run."""
        return sum((self.counts or {}).get(s, 0) for s in ("RUNNING", "SUCCEEDED", "FAILED"))

    @property
    def failed_tasks(self) -> int:
        """How many of its tasks have failed."""
        return (self.counts or {}).get("FAILED", 0)

    @property
    def given_tasks(self) -> int:
        """How many of its tasks are, or were, with a VM."""
        return self.begun_tasks + (self.counts or {}).get("ASSIGNED", 0)

    @property
    def waits(self) -> bool:
        """Whether not one of its tasks has ever begun, and some still may."""
        return self.state in ("QUEUED", "SCHEDULED", "RUNNING") and not self.begun_tasks

    @property
    def was_cancelled(self) -> bool:
        """Whether somebody ended it."""
        return self.state in CANCELLED_JOBS


_RESERVED = re.compile(r"exit code (5000[1-6])\b")
_INSTANCE = re.compile(r"instances/([\w.-]+)")


def observation_of_task(task: TaskNews, job: JobNews, jid: str, *, sure: bool) -> Observation:
    """Return what is true of a job's attempt by the states of its task and its Batch job.

    An exit code of a command counts only where `sure`: its own record, which tells more, may be on
    its way.
    """
    restart = max(0, task.starts - (task.state not in _BEFORE))
    found = _observe(task, job, sure=sure)
    never = not task.starts and task.state in ("PENDING", "UNEXECUTED")
    return replace(found, jid=jid, host=task.host, restart=restart, never_began=never)


def observation_without_task(job: JobNews, jid: str, restart: int) -> Observation:
    """Return what is true of an attempt whose task was not asked about, or is not told of."""
    if job.state not in ENDED_JOBS:
        return Observation(EngineState.WAITING, jid=jid, restart=restart)
    if job.begun_tasks or job.state == "SUCCEEDED":
        return Observation(EngineState.SUCCEEDED, jid=jid, restart=restart)  # its record tells more
    found = _never_ran(job)
    return replace(found, jid=jid, restart=restart)


def _observe(task: TaskNews, job: JobNews, *, sure: bool) -> Observation:
    if task.state == "SUCCEEDED":
        return Observation(EngineState.SUCCEEDED)
    if task.state == "FAILED":
        return _failed(task, job, sure=sure)
    if task.state == "UNEXECUTED" or job.state in ENDED_JOBS:
        return _never_ran(job)
    if task.state == "RUNNING":
        return Observation(EngineState.RUNNING)
    return Observation(EngineState.WAITING)


def _failed(task: TaskNews, job: JobNews, *, sure: bool) -> Observation:
    code = task.exit_code
    if code is not None and code in RESERVED_CODES:
        failure, words = RESERVED_CODES[code]
        return Observation(EngineState.FAILED, None, failure, f"Batch: {words} (exit code {code})")
    if job.was_cancelled:
        return _cancelled()
    if not sure or code == NOT_OURS:
        return Observation(EngineState.SUCCEEDED, rc=code)
    return Observation(EngineState.FAILED, code, _class_of(code), _last_words(task))


def _class_of(code: int | None) -> Failure:
    unstarted = code is None or code == NOT_SET_UP or code in _NEVER_STARTED
    return Failure.SETUP if unstarted else Failure.EXIT


def _last_words(task: TaskNews) -> str:
    return f"Batch: {task.events[-1].text}" if task.events else "Batch: the task failed"


def _cancelled() -> Observation:
    return Observation(EngineState.FAILED, None, Failure.CANCELLED, "Batch: the job was cancelled")


def _never_ran(job: JobNews) -> Observation:
    if job.was_cancelled:
        return _cancelled()
    if job.begun_tasks or job.state == "SUCCEEDED":
        reason = "their Batch job ended before it came to them"
        return Observation(EngineState.FORGOTTEN, reason=reason)
    failure, reason = failure_of_job(job.events)
    return Observation(EngineState.FAILED, None, failure, reason)


# --- why a job waits, or fails without any task ------------------------------------------------------

_LACKS = r"QUOTA|quota|EXHAUSTED|STOCKOUT|LIMIT|insufficient|does not have enough resources"
_FORBIDS = r"PERMISSION|FORBIDDEN|DENIED|INVALID|NOT_FOUND|not found|does not exist|UNSUPPORTED"
_TROUBLE = re.compile(f"({_LACKS})|({_FORBIDS})")
_SENTENCE = re.compile(r"^Job state is set from \S+ to \S+ for job \S+?\.\s*")


def trouble_of(events: Iterable[str]) -> str | None:
    """Return what keeps a job from starting, in Batch's own words; None where it says of nothing."""
    for event in reversed(list(events)):
        text = _SENTENCE.sub("", event)  # it names the job, whose name may be any word
        if _TROUBLE.search(text):
            return text
    return None


def failure_of_job(events: Sequence[str]) -> tuple[Failure, str]:
    """Return class and reason of a job that failed before any task had begun."""
    said = (_SENTENCE.sub("", event) for event in reversed(events))
    text = trouble_of(events) or next(filter(None, said), "")
    found = _TROUBLE.search(text)
    words = f"Batch: {text}" if text else "Batch: the job failed before any of its tasks began"
    if found is None:
        return Failure.SETUP, words
    return (Failure.UNAVAILABLE if found[1] else Failure.REJECTED), words
