"""What befalls the tasks of a simulated engine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .chance import Chance
from .disk import SimulatedDisk
from .faults import Fault
from .process import Process
from .tasks import Task, TaskState

if TYPE_CHECKING:
    from .engine import SimulatedEngine

__all__ = ["Mishaps"]

_DOOMS = (
    Fault.PREEMPTED,
    Fault.PREEMPTED_BY_TERM,
    Fault.NODE_FAIL,
    Fault.REQUEUED,
    Fault.REQUEUED_BY_TERM,
    Fault.OUT_OF_MEMORY,
    Fault.OUT_OF_TIME,
    Fault.SUSPENDED,
)
_NOTICE = 5.0
"""Seconds from an engine's TERM to its KILL, where it wants the node back."""


class Mishaps:
    """Draws what happens to tasks when they start, while they run, and when they have ended."""

    def __init__(self, engine: SimulatedEngine, chance: Chance, disk: SimulatedDisk) -> None:
        """Happen to the tasks of that engine."""
        self._engine = engine
        self._chance = chance
        self._disk = disk

    # --- at the start ----------------------------------------------------------------------------

    def keep_from_starting(self, task: Task) -> bool:
        """Tell whether a task that is to be started now cannot be."""
        if self._chance.strikes(Fault.LAUNCH_HELD):
            self._hold(task)
            return True
        if self._chance.strikes(Fault.LAUNCH_FAILED):
            self._requeue(task, TaskState.PENDING)
            return True
        return False

    def _hold(self, task: Task) -> None:
        task.state = TaskState.HELD

        def release() -> None:
            if task.state is TaskState.HELD and self._engine.has(task):
                task.state = TaskState.PENDING
                self._engine.schedule_soon()

        if self._chance.dice("release").random() < 0.5:
            self._engine.later(self._chance.between("release", 1.0, 200.0), release)

    # --- while it runs ---------------------------------------------------------------------------

    def doom(self, task: Task, process: Process) -> None:
        """Draw what will happen to a task while it runs."""
        for fault in _DOOMS:
            if self._chance.strikes(fault):
                after = self._chance.between("doom", 0.0, 12.0)
                self._engine.later(after, lambda fault=fault: self._strike(task, process, fault))  # type: ignore[misc]
                return

    def _strike(self, task: Task, process: Process, fault: Fault) -> None:
        if task.process is not process or process.told:
            return
        match fault:
            case Fault.PREEMPTED:
                self.lose(task, TaskState.PREEMPTED, requeue=False)
            case Fault.NODE_FAIL:
                self.lose(task, TaskState.NODE_FAIL, requeue=False)
            case Fault.REQUEUED:
                states = (TaskState.PREEMPTED, TaskState.NODE_FAIL)
                self.lose(task, self._chance.dice("requeue").choice(states), requeue=True)
            case Fault.REQUEUED_BY_TERM:
                self._ask_to_end(task, process, TaskState.PREEMPTED, requeue=True)
            case Fault.PREEMPTED_BY_TERM:
                self._ask_to_end(task, process, TaskState.PREEMPTED, requeue=False)
            case Fault.OUT_OF_TIME:
                self._ask_to_end(task, process, TaskState.TIMEOUT, requeue=False)
            case Fault.OUT_OF_MEMORY:
                self._starve(task, process)
            case _:
                self._suspend(task, process)

    def _ask_to_end(self, task: Task, process: Process, state: TaskState, *, requeue: bool) -> None:
        """Send TERM, and take the node away when the task has ended, at the latest after a while."""

        def give_up() -> None:
            if task.process is process:
                self.lose(task, state, requeue=requeue)

        def exited(rc: int) -> None:
            task.rc = rc
            give_up()

        process.on_exit = exited
        process.signal("TERM")
        self._engine.later(_NOTICE, give_up)

    def _starve(self, task: Task, process: Process) -> None:
        """Kill the command alone, or all that runs there."""
        if process.runs_command and self._chance.dice("starve").random() < 0.7:
            process.signal("KILL")

            def exited(rc: int) -> None:
                task.rc = rc
                self._engine.end(task, TaskState.OUT_OF_MEMORY)

            process.on_exit = exited
        else:
            self.lose(task, TaskState.OUT_OF_MEMORY, requeue=False)

    def _suspend(self, task: Task, process: Process) -> None:
        seconds = self._chance.between("suspend", 1.0, 100.0)
        process.suspend(seconds)
        task.state = TaskState.SUSPENDED

        def resume() -> None:
            if task.process is process:
                task.state = TaskState.RUNNING

        self._engine.later(seconds, resume)

    # --- taken from its node ---------------------------------------------------------------------

    def lose(self, task: Task, state: TaskState, *, requeue: bool) -> None:
        """Take a running task's node away; the engine says so, for a while where it requeues."""
        if not requeue:
            self._engine.end(task, state)
            return
        self._engine.vacate(task)
        shown = self._chance.dice("shown").choice((0.0, 0.0, 2.0, 8.0))
        task.state = state
        task.begins = self._engine.clock() + shown
        self._engine.later(shown, lambda: self._requeue(task, state))
        self._engine.schedule_soon()

    def _requeue(self, task: Task, state: TaskState) -> None:
        if task.state is not state or not self._engine.has(task):
            return
        task.state, task.rc = TaskState.PENDING, None
        task.restart += 1
        wait = self._chance.between("requeue", 0.0, 30.0)
        task.begins = self._engine.clock() + wait
        self._engine.tell(f"task {task.jid} is queued again")
        self._engine.later(wait, self._engine.schedule)

    # --- afterwards ------------------------------------------------------------------------------

    def repeat_event(self, events: Sequence[str]) -> None:
        """Have an event of an attempt that has ended come once more, when it may be an old one."""
        if events and self._chance.strikes(Fault.OLD_EVENT):
            dice = self._chance.dice("repeat")
            path = dice.choice(events)
            self._engine.later(dice.uniform(0.0, 100.0), lambda: self._disk.write(path, b""))
