"""A cluster in virtual time: it takes arrays of tasks, and starts and ends these on its nodes."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Mapping
from itertools import count

import anyio

from .chance import Chance
from .clock import virtual_clock
from .disk import SimulatedDisk
from .faults import Fault
from .mishaps import Mishaps
from .nodefiles import NodeFiles
from .process import Process
from .tasks import Array, Row, Task, TaskState
from .work import Behaviour, scripted
from .wrapper import Execution, Start, Wrapper

__all__ = ["SimulatedEngine"]

_KILLED_AFTER = 10.0
"""Seconds that a task has to end by itself when it was told to."""


class SimulatedEngine:
    """Takes arrays of scripts and runs them, a limited number of each array at once.

    Its methods act at once: whoever talks to it adds the time that this takes and what goes wrong.
    `run` is its life.
    """

    def __init__(
        self,
        disk: SimulatedDisk,
        chance: Chance,
        nodes: int = 40,
        behaviour: Behaviour = scripted,
    ) -> None:
        """Run tasks on so many nodes, one on each, which share that disk; `behaviour` tells what
        commands do.
        """
        self.executions: list[Execution] = []
        self.on_start: Callable[[Execution], None] = _nothing
        self.tell: Callable[[str], None] = _silent
        """Takes what happens, in words."""
        self.restarts: dict[str, int] = {}
        """How often each task was started again, whatever came of it, by its id."""
        self.clock = virtual_clock()
        self.down_until = 0.0
        """Until when it answers nobody."""
        self.refuses_until = 0.0
        """Until when it was called too often."""
        self.quota: int | None = None
        """How many tasks it takes at most, where that is limited."""
        self._disk = disk
        self._chance = chance
        self._nodes = nodes
        self._behaviour = behaviour
        self._mishaps = Mishaps(self, chance, disk)
        self._arrays: dict[int, Array] = {}
        self._running: dict[str, Task] = {}
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
        array = Array(self._next_id, name, limit)
        self.tell(f"the engine takes array {array.id} of {len(tasks)} tasks, {limit} at once")
        if self._chance.strikes(Fault.FORGOTTEN):
            return array.id
        self._next_id += 1
        for number, (script, attempt) in tasks.items():
            array.tasks[number] = Task(array, number, script, attempt)
        self._arrays[array.id] = array
        self.schedule_soon()
        return array.id

    def rows(self) -> list[Row]:
        """List every task that is not purged yet."""
        now = self.clock()
        return [task.row(now) for array in self._arrays.values() for task in array.tasks.values()]

    def vacancies(self) -> int | None:
        """Return how many more tasks it takes now; None where that has no limit."""
        if self.quota is None:
            return None
        tasks = (task for array in self._arrays.values() for task in array.tasks.values())
        return max(0, self.quota - sum(not task.state.ended for task in tasks))

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
        self.schedule_soon()

    # --- starting --------------------------------------------------------------------------------

    def schedule_soon(self) -> None:
        """Look, in a moment, for tasks that may start."""
        self.later(self._chance.between("schedule", 0.01, 1.0), self.schedule)

    def schedule(self) -> None:
        """Start what may start now."""
        for array in self._arrays.values():
            running = sum(task.state.runs for task in array.tasks.values())
            for task in array.tasks.values():
                if running >= array.limit or len(self._running) >= self._nodes:
                    break
                if task.state is TaskState.PENDING and task.begins <= self.clock():
                    running += self._start(task)

    def _start(self, task: Task) -> bool:
        if self._mishaps.keep_from_starting(task):
            return False
        task.state = TaskState.RUNNING
        self.restarts[task.jid] = task.restart
        task.node = f"n{len(self._running) + 1}"
        self._running[task.jid] = task
        wrapper = Wrapper(
            Start(task.script, task.attempt, task.jid, task.restart),
            NodeFiles(self._disk, self._chance),
            self._chance,
            self.clock,
            self._behaviour,
            self._started,
        )
        process = Process(wrapper, self.clock, self.later, lambda rc: self._exited(task, rc))
        task.process = process
        process.begin()
        self._mishaps.doom(task, process)
        return True

    def _started(self, execution: Execution) -> None:
        self.tell(
            f"job {execution.index} begins: attempt {execution.attempt}, task {execution.jid}, "
            f"restart {execution.restart}"
        )
        self.executions.append(execution)
        self.on_start(execution)

    # --- ending ----------------------------------------------------------------------------------

    def _exited(self, task: Task, rc: int) -> None:
        process = task.process
        assert process is not None
        if self._chance.strikes(Fault.REQUEUED_LATE):
            self._mishaps.lose(task, TaskState.NODE_FAIL, requeue=True)
            return
        task.rc = rc
        state = TaskState.FAILED if rc else TaskState.COMPLETED
        self.end(task, TaskState.CANCELLED if process.told else state)
        self._mishaps.repeat_event(process.wrapper.events)

    def end(self, task: Task, state: TaskState) -> None:
        """Have a task be over."""
        self.vacate(task)
        task.state = state
        self.tell(f"task {task.jid} is {state.name}, rc {task.rc}")
        if self._chance.strikes(Fault.ACCOUNTING_LAGS):
            task.lags_until = self.clock() + self._chance.between("accounting", 1.0, 90.0)
        purged = self._chance.strikes(Fault.PURGED)
        self.later(0.0 if purged else self._retention, lambda: self._purge(task))
        self.schedule_soon()

    def vacate(self, task: Task) -> None:
        """Take a task's node away; what still runs there dies."""
        self._running.pop(task.jid, None)
        if task.process is not None:
            task.process.kill()
            task.process = None

    def has(self, task: Task) -> bool:
        """Tell whether the task is still listed."""
        return task.array.tasks.get(task.number) is task

    def _purge(self, task: Task) -> None:
        task.array.tasks.pop(task.number, None)
        if not task.array.tasks:
            self._arrays.pop(task.array.id, None)

    def _cancel(self, task: Task) -> None:
        if task.state.runs and task.process is not None:
            self.end_gently(task, task.process, TaskState.CANCELLED, _KILLED_AFTER)
            task.process.told = True
        elif not task.state.ended or task.begins > self.clock():
            task.begins = 0.0
            self.end(task, TaskState.CANCELLED)

    def end_gently(self, task: Task, process: Process, state: TaskState, seconds: float) -> None:
        """Send TERM to a task, and KILL if it is still there after so long."""

        def finish_off() -> None:
            if task.process is process:
                self.end(task, state)

        if not self._chance.strikes(Fault.KILL_IGNORED):
            process.signal("TERM")
        self.later(seconds, finish_off)


def _nothing(execution: Execution) -> None:
    """Nobody wants to know."""


def _silent(what: str) -> None:
    """Nobody listens."""
