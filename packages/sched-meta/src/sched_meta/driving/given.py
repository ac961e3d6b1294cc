"""What was typed: the options that a scheduler is made of, and what is to be written where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from sched_core.errors import OptionError
from sched_core.model.resources import Resources

from .options import parse_options
from .wishes import parse_wishes

if TYPE_CHECKING:
    from sched_core import Scheduler

__all__ = ["Given", "Output"]

_STRATEGIES = {"continue": "ignore", "retry": "retry", "halt": "halt", None: None}
_FLAGS = {
    "forks": "-j",
    "num_retries": "--retries",
    "error_strategy": "--on-error",
    "halt": "--halt",
    "timeout": "--time",
    "resources": "--cpus, --memory, --time and --gpus",
    "workdir": "-w",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """What goes where."""

    cat: bool = False
    as_json: bool = False
    no_progress: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """The options of a scheduler as they were typed; None for what was not."""

    forks: int | None = None
    retries: int | None = None
    on_error: str | None = None
    halt: str | None = None
    cpus: float | str | None = None
    memory: str | None = None
    time: str | None = None
    gpus: int | str | None = None
    options: Sequence[str] = field(default=())

    def wishes(self) -> Resources:
        """Return what was asked for each job. Raises OptionError."""
        return parse_wishes(self.cpus, self.memory, self.time, self.gpus)

    def without_wishes(self) -> Given:
        """Return the rest."""
        return replace(self, cpus=None, memory=None, time=None, gpus=None)

    def keywords(
        self, scheduler: type[Scheduler], recorded: Resources | None = None
    ) -> dict[str, Any]:
        """Return them as keyword arguments, beside what a run has `recorded`. Raises OptionError."""
        wanted = self.wishes()
        own = {
            "forks": self.forks,
            "num_retries": self.retries,
            "error_strategy": self._strategy(),
            "halt": self.halt,
            "resources": (recorded or Resources()).merge(wanted) if wanted.to_json() else None,
        }
        flagged: dict[str, Any] = {name: value for name, value in own.items() if value is not None}
        if wanted.time is not None:
            flagged["timeout"] = None  # one that is recorded would come before it
        options = parse_options(self.options, scheduler)
        for name in options:
            if name in flagged or name == "workdir":
                raise OptionError(f"-o {name}: use {_FLAGS[name]}, and only that")
        return flagged | options

    def _strategy(self) -> str | None:
        if self.retries is None or self.on_error == "retry":
            return _STRATEGIES[self.on_error]
        if self.on_error is not None:
            raise OptionError(f"--retries goes with --on-error retry, not {self.on_error}")
        return "retry" if self.retries else None
