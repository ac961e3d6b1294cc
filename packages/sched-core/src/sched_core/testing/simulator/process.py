"""A wrapper that runs on a simulated node."""

from __future__ import annotations

from collections.abc import Callable

from .wrapper import Payload, Steps, Wrapper

__all__ = ["Later", "Process"]

Later = Callable[[float, Callable[[], None]], None]
"""Does something in so many seconds."""


class Process:
    """Goes through the steps of a wrapper, one after the other, until these end or it is killed."""

    def __init__(
        self,
        wrapper: Wrapper,
        clock: Callable[[], float],
        later: Later,
        on_exit: Callable[[int], None],
    ) -> None:
        """Run that wrapper; `on_exit` gets its exit status."""
        self.wrapper = wrapper
        self.told = False
        """Whether its engine has told it to end."""
        self.on_exit = on_exit
        self._clock = clock
        self._later = later
        self._steps: Steps = wrapper.steps()
        self._in_payload = False
        self._signal: str | None = None
        self._turn = 0
        self._due = 0.0
        self._alive = True

    def begin(self) -> None:
        """Start."""
        self._go_on_in(0.0)

    def signal(self, name: str) -> None:
        """Send a signal: it ends the command, or keeps it from starting."""
        self._signal = self._signal or name
        if self._in_payload:
            self._go_on_in(0.0)

    def suspend(self, seconds: float) -> None:
        """Stand still for so long: what was next comes later."""
        self._go_on_in(max(0.0, self._due - self._clock()) + seconds)

    def kill(self) -> None:
        """End at once, without a record."""
        self._alive = False
        execution = self.wrapper.execution
        if execution is not None and execution.ended is None:
            execution.ended = self._clock()

    @property
    def runs_command(self) -> bool:
        """Whether the command runs now."""
        return self._alive and self._in_payload

    def _go_on_in(self, seconds: float) -> None:
        self._turn += 1
        self._due = self._clock() + seconds
        turn = self._turn
        self._later(seconds, lambda: self._go_on(turn))

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
        self._go_on_in(0.0 if self._in_payload and self._signal else seconds)
