"""What a simulated engine knows of the tasks that it was given."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from .process import Process

__all__ = ["Array", "Row", "Task", "TaskState"]


class TaskState(Enum):
    """What the engine says of a task."""

    PENDING = "PENDING"
    HELD = "HELD"
    RUNNING = "RUNNING"
    SUSPENDED = "SUSPENDED"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    PREEMPTED = "PREEMPTED"
    NODE_FAIL = "NODE_FAIL"
    OUT_OF_MEMORY = "OUT_OF_MEMORY"
    TIMEOUT = "TIMEOUT"

    @property
    def ended(self) -> bool:
        """Whether the engine is done with the task, unless it starts it again."""
        return self not in _OPEN

    @property
    def runs(self) -> bool:
        """Whether the task has a node."""
        return self in (TaskState.RUNNING, TaskState.SUSPENDED)


_OPEN = (TaskState.PENDING, TaskState.HELD, TaskState.RUNNING, TaskState.SUSPENDED)


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the engine's list of tasks."""

    name: str
    number: int
    jid: str
    state: TaskState
    restart: int
    rc: int | None
    node: str | None


@dataclass(slots=True)
class Task:
    """One task of an array: a script, and the attempt that it is to be run for."""

    array: Array
    number: int
    script: str
    attempt: int
    state: TaskState = TaskState.PENDING
    restart: int = 0
    rc: int | None = None
    node: str | None = None
    begins: float = 0.0
    """When it may be started, at the earliest."""
    process: Process | None = None
    lags_until: float = 0.0
    """Until when it is listed as running though it has ended."""

    @property
    def jid(self) -> str:
        """The engine's id."""
        return f"{self.array.id}_{self.number}"

    def row(self, now: float) -> Row:
        """Return what is listed of it."""
        state, rc = self.state, self.rc
        if now < self.lags_until:
            state, rc = TaskState.RUNNING, None
        return Row(self.array.name, self.number, self.jid, state, self.restart, rc, self.node)


@dataclass(slots=True)
class Array:
    """What was submitted at once: at most `limit` of its tasks run at the same time."""

    id: int
    name: str
    limit: int
    tasks: dict[int, Task] = field(default_factory=dict)
