"""A cluster in virtual time: arrays of tasks, nodes that run them, and what befalls both."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from itertools import count

import anyio

from .clock import virtual_clock
from .disk import NodeFiles, SimulatedDisk
from .faults import Chance, Fault
from .wrapper import Execution, Payload, Steps, Wrapper

__all__ = ["Row", "SimulatedEngine", "TaskState"]


class TaskState(Enum):
    """What the engine says of a task."""

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    PREEMPTED = "PREEMPTED"
    NODE_FAIL = "NODE_FAIL"

    @property
    def ended(self) -> bool:
        """Whether the engine is done with the task, unless it starts it again."""
        return self not in (TaskState.PENDING, TaskState.RUNNING)


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
class _Task:
    array: _Array
    number: int
    script: str
    attempt: int
    state: TaskState = TaskState.PENDING
    restart: int = 0
    rc: int | None = None
    node: str | None = None
    begins: float = 0.0
    process: _Process | None = None

    @property
    def jid(self) -> str:
        return f"{self.array.id}_{self.number}"

    def row(self) -> Row:
        return Row(
            self.array.name, self.number, self.jid, self.state, self.restart, self.rc, self.node
        )


@dataclass(slots=True)
class _Array:
    id: int
    name: str
    limit: int
    tasks: dict[int, _Task] = field(default_factory=dict)


class SimulatedEngine:
    """Takes arrays of scripts and runs them, a limited number of each array at once.

    Its methods act at once: whoever talks to it adds the time that this takes and what goes wrong.
    `run` is its life.
    """

    def __init__(self, disk: SimulatedDisk, chance: Chance, nodes: int = 40) -> None:
        """Run tasks on so many nodes, one on each, which share that disk."""
        self.executions: list[Execution] = []
        self.on_start: Callable[[Execution], None] = _nothing
        self.restarts: dict[str, int] = {}
        """How often each task was started again, whatever came of it, by its id."""
        self.clock = virtual_clock()
        self.down_until = 0.0
        """Until when it answers nobody."""
        self._disk = disk
        self._chance = chance
        self._nodes = nodes
        self._arrays: dict[int, _Array] = {}
        self._running: dict[str, _Task] = {}
        self._next_id = 1
        self._agenda: list[tuple[float, int, Callable[[], None]]] = []
        self._tie = count()
        self._poke = anyio.Event()
        self._retention = chance.dice("retention").choice((5.0, 20.0, 60.0, 300.0))

    # --- time ------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Do what is due, until cancelled."""
        while True:
            while self._agenda and self._agenda[0][0] <= self.clock():
                heapq.heappop(self._agenda)[2]()
            self._poke = anyio.Event()
            left = self._agenda[0][0] - self.clock() if self._agenda else float("inf")
            with anyio.move_on_after(left):
                await self._poke.wait()

    def later(self, seconds: float, action: Callable[[], None]) -> None:
        """Do something in so many seconds."""
        heapq.heappush(self._agenda, (self.clock() + seconds, next(self._tie), action))
        self._poke.set()

    # --- what clients ask for --------------------------------------------------------------------

    def submit(self, name: str, limit: int, tasks: Mapping[int, tuple[str, int]]) -> int:
        """Take an array: for each number a script, and the attempt that it is to be run for."""
        array = _Array(self._next_id, name, limit)
        if self._chance.strikes(Fault.FORGOTTEN):
            return array.id
        self._next_id += 1
        for number, (script, attempt) in tasks.items():
            array.tasks[number] = _Task(array, number, script, attempt)
        self._arrays[array.id] = array
        self._schedule_soon()
        return array.id

    def rows(self) -> list[Row]:
        """List every task that is not purged yet."""
        return [task.row() for array in self._arrays.values() for task in array.tasks.values()]

    def cancel(self, tasks: Iterable[tuple[str, int]]) -> None:
        """End tasks, given by the array's name and their number: what runs gets TERM, then KILL."""
        wanted = set(tasks)
        for array in list(self._arrays.values()):
            for task in list(array.tasks.values()):
                if (array.name, task.number) in wanted:
                    self._cancel(task)

    def widen(self, name: str, limit: int) -> None:
        """Let more tasks of an array run at once."""
        for array in self._arrays.values():
            if array.name == name:
                array.limit = limit
        self._schedule_soon()

    # --- starting --------------------------------------------------------------------------------

    def _schedule_soon(self) -> None:
        self.later(self._chance.between("schedule", 0.01, 1.0), self._schedule)

    def _schedule(self) -> None:
        for array in self._arrays.values():
            running = sum(task.state is TaskState.RUNNING for task in array.tasks.values())
            for task in array.tasks.values():
                if running >= array.limit or len(self._running) >= self._nodes:
                    break
                if task.state is TaskState.PENDING and task.begins <= self.clock():
                    running += 1
                    self._start(task)

    def _start(self, task: _Task) -> None:
        if self._chance.strikes(Fault.LAUNCH_FAILED):
            self._requeue(task)
            return
        task.state = TaskState.RUNNING
        self.restarts[task.jid] = task.restart
        task.node = f"n{len(self._running) + 1}"
        self._running[task.jid] = task
        wrapper = Wrapper(
            task.script,
            task.attempt,
            task.jid,
            task.restart,
            NodeFiles(self._disk, self._chance),
            self._chance,
            self.clock,
            self._started,
        )
        task.process = _Process(self, wrapper, lambda rc: self._exited(task, wrapper, rc))
        task.process.begin()
        self._doom(task, task.process)

    def _started(self, execution: Execution) -> None:
        self.executions.append(execution)
        self.on_start(execution)

    # --- ending ----------------------------------------------------------------------------------

    def _exited(self, task: _Task, wrapper: Wrapper, rc: int) -> None:
        if self._chance.strikes(Fault.REQUEUED_LATE):
            self._lose(task, TaskState.NODE_FAIL, requeue=True)
            return
        task.rc = rc
        state = TaskState.FAILED if rc else TaskState.COMPLETED
        self._end(task, TaskState.CANCELLED if task.process and task.process.told else state)
        self._repeat_event(wrapper)

    def _end(self, task: _Task, state: TaskState) -> None:
        self._vacate(task)
        task.state = state
        purged = self._chance.strikes(Fault.PURGED)
        self.later(0.0 if purged else self._retention, lambda: self._purge(task))
        self._schedule_soon()

    def _vacate(self, task: _Task) -> None:
        self._running.pop(task.jid, None)
        if task.process is not None:
            task.process.kill()
            task.process = None

    def _purge(self, task: _Task) -> None:
        task.array.tasks.pop(task.number, None)
        if not task.array.tasks:
            self._arrays.pop(task.array.id, None)

    def _cancel(self, task: _Task) -> None:
        if task.state is TaskState.RUNNING and task.process is not None:
            if not self._chance.strikes(Fault.KILL_IGNORED):
                task.process.signal("TERM")
            process = task.process
            process.told = True
            self.later(10.0, lambda: self._finish_off(task, process))
        elif not task.state.ended or task.begins > self.clock():
            task.begins = 0.0
            self._end(task, TaskState.CANCELLED)

    def _finish_off(self, task: _Task, process: _Process) -> None:
        if task.process is process:
            self._end(task, TaskState.CANCELLED)

    # --- what befalls running tasks --------------------------------------------------------------

    def _doom(self, task: _Task, process: _Process) -> None:
        """Draw what will happen to a task while it runs."""
        for fault in (Fault.PREEMPTED, Fault.NODE_FAIL, Fault.REQUEUED, Fault.REQUEUED_BY_TERM):
            if self._chance.strikes(fault):
                after = self._chance.between("doom", 0.0, 12.0)
                self.later(after, lambda fault=fault: self._strike(task, process, fault))  # type: ignore[misc]
                return

    def _strike(self, task: _Task, process: _Process, fault: Fault) -> None:
        if task.process is not process or process.told:
            return
        if fault is Fault.PREEMPTED:
            self._lose(task, TaskState.PREEMPTED, requeue=False)
        elif fault is Fault.NODE_FAIL:
            self._lose(task, TaskState.NODE_FAIL, requeue=False)
        elif fault is Fault.REQUEUED:
            states = (TaskState.PREEMPTED, TaskState.NODE_FAIL)
            self._lose(task, self._chance.dice("requeue").choice(states), requeue=True)
        else:
            process.signal("TERM")
            self.later(5.0, lambda: self._requeue_after_term(task, process))
            process.on_exit = lambda rc: self._requeue_after_term(task, process)

    def _requeue_after_term(self, task: _Task, process: _Process) -> None:
        if task.process is process:
            self._lose(task, TaskState.PREEMPTED, requeue=True)

    def _lose(self, task: _Task, state: TaskState, *, requeue: bool) -> None:
        """Take a running task's node away; the engine says so, for a while where it requeues."""
        if not requeue:
            self._end(task, state)
            return
        self._vacate(task)
        shown = self._chance.dice("shown").choice((0.0, 0.0, 2.0, 8.0))
        task.state = state
        task.begins = self.clock() + shown
        self.later(shown, lambda: self._requeue(task, state))
        self._schedule_soon()

    def _requeue(self, task: _Task, state: TaskState = TaskState.PENDING) -> None:
        if task.state is not state or task.array.tasks.get(task.number) is not task:
            return
        task.state = TaskState.PENDING
        task.restart += 1
        wait = self._chance.between("requeue", 0.0, 30.0)
        task.begins = self.clock() + wait
        self.later(wait, self._schedule)

    def _repeat_event(self, wrapper: Wrapper) -> None:
        """Have an event of this attempt come once more, when it may be an old one."""
        if wrapper.events and self._chance.strikes(Fault.OLD_EVENT):
            dice = self._chance.dice("repeat")
            path = dice.choice(wrapper.events)
            self.later(dice.uniform(0.0, 100.0), lambda: self._disk.write(path, b""))


def _nothing(execution: Execution) -> None:
    """Nobody wants to know."""


class _Process:
    """A wrapper that runs on a node."""

    def __init__(
        self, engine: SimulatedEngine, wrapper: Wrapper, on_exit: Callable[[int], None]
    ) -> None:
        self.wrapper = wrapper
        self.told = False
        """Whether its engine has told it to end."""
        self.on_exit = on_exit
        self._engine = engine
        self._steps: Steps = wrapper.steps()
        self._in_payload = False
        self._signal: str | None = None
        self._turn = 0
        self._alive = True

    def begin(self) -> None:
        """Start."""
        self._engine.later(0.0, lambda: self._go_on(self._turn))

    def signal(self, name: str) -> None:
        """Send a signal: it ends the payload, or keeps it from starting."""
        self._signal = self._signal or name
        if self._in_payload:
            self._turn += 1
            self._go_on(self._turn)

    def kill(self) -> None:
        """End at once, without a record."""
        self._alive = False
        execution = self.wrapper.execution
        if execution is not None and execution.ended is None:
            execution.ended = self._engine.clock()

    def _go_on(self, turn: int) -> None:
        if not self._alive or turn != self._turn:
            return
        try:
            step = self._steps.send(self._signal if self._in_payload else None)
        except StopIteration as stop:
            self._alive = False
            self.on_exit(stop.value)
            return
        self._in_payload = isinstance(step, Payload)
        seconds = step.seconds if isinstance(step, Payload) else step
        if self._in_payload and self._signal:
            seconds = 0.0
        self._turn += 1
        turn = self._turn
        self._engine.later(seconds, lambda: self._go_on(turn))
