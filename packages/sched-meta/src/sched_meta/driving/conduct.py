"""What a driver of a run does besides driving it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ..console import words_go_to
from .background import Background
from .limits import FailureLimit

__all__ = ["NOTHING_ELSE", "Conduct"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Conduct:
    """What was asked of one session: a driver that goes on after its death is to do it, too."""

    max_failures: FailureLimit | None = None
    """When the run is to be stopped."""
    on_finish: str | None = None
    """A line for bash, which is run when the driver ends."""
    background: Background | None = None
    """Leaves the terminal once the run has begun."""

    @contextmanager
    def words(self) -> Iterator[None]:
        """Have what is said go where somebody finds it."""
        if self.background is None:
            yield
            return
        with words_go_to(self.background.say):
            yield


NOTHING_ELSE = Conduct()
"""It drives, and that is all."""
