"""`--cat`: what the jobs printed, in the order of the jobs."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from .stdout import Stdout

__all__ = ["OrderedOutput"]


class OrderedOutput:
    """Has each job's output written as soon as all jobs before it have ended."""

    def __init__(self, stdout: Stdout, indexes: Iterable[int]) -> None:
        """Write the output of the jobs of these indexes, in this order."""
        self._stdout = stdout
        self._waiting = deque(indexes)
        self._ended: dict[int, str] = {}

    def expect(self, index: int) -> None:
        """Write the output of one more job, behind all others."""
        self._waiting.append(index)

    def ended(self, index: int, path: str) -> None:
        """Take a job that has ended, and have written what may be written now."""
        self._ended[index] = path
        while self._waiting and (due := self._ended.pop(self._waiting[0], "")):
            self._waiting.popleft()
            self._stdout.put_file(due)
