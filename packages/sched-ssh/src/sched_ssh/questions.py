"""What an agent is asked, and its answers."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import count

import anyio

from sched_core import AttemptId

from .link import Link
from .troubles import HostUnavailable
from .wire import Done, Told

__all__ = ["Questions"]


@dataclass(slots=True)
class _Question:
    number: int
    looks: bool
    told: dict[AttemptId, Told] = field(default_factory=dict)
    done: anyio.Event = field(default_factory=anyio.Event)
    lost: bool = False


class Questions:
    """What the agent of a host was asked and has not answered."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._numbers = count(1)
        self._open: deque[_Question] = deque()

    async def ask(
        self, link: Link, asked: Callable[[int], bytes], seconds: float, *, looks: bool = False
    ) -> Mapping[AttemptId, Told]:
        """Ask what belongs to a question of that number; return what the answer tells of attempts.

        `looks`: attempts are looked at. Raises HostUnavailable where no answer comes in time.
        """
        question = _Question(next(self._numbers), looks)
        self._open.append(question)
        link.send(asked(question.number))
        with anyio.move_on_after(seconds):
            await question.done.wait()
        if question in self._open:
            self._open.remove(question)
        if question.lost or not question.done.is_set():
            raise HostUnavailable(f"{self._name} does not answer")
        return question.told

    def answered(self, message: Told | Done) -> None:
        """Take in an answer, or a part of one."""
        if isinstance(message, Told):
            # Looks are answered one after the other.
            if (first := next((q for q in self._open if q.looks), None)) is not None:
                first.told[message.attempt] = message
            return
        for question in self._open:
            if question.number == message.number:
                self._open.remove(question)
                question.done.set()
                return

    def lose(self) -> None:
        """Have nobody wait for an answer any more: the connection was lost."""
        for question in self._open:
            question.lost = True
            question.done.set()
        self._open.clear()
