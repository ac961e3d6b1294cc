"""`run.json`: what run a folder holds."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

from ..errors import RunCorrupt, RunNotFound
from ..ports.files import Files
from .layout import SCHEMA_VERSION, Layout
from .records import MALFORMED, dump, load

__all__ = ["RunFile", "find_run", "require_run", "write_run"]

_WORD = re.compile(r"[\w-][\w.-]*")


@dataclass(frozen=True, slots=True)
class RunFile:
    """The identity of a run."""

    run: str
    """The run's id: short, random, fit for the names of any engine."""
    generation: int
    """How often the folder was taken for a new list of jobs."""
    created: float
    scheduler: str
    """The scheduler's name."""
    scheduler_class: str
    """`module:name` of its class."""
    options: dict[str, Any]
    """Its options; never a secret."""
    directory: str
    """Where the driver was: commands without a `cwd` start there, whoever goes on with the run."""

    def next_generation(self) -> RunFile:
        """Return the same run, taken for a new list of jobs."""
        return replace(self, generation=self.generation + 1)

    def to_json(self) -> dict[str, Any]:
        """Return what `from_json` takes."""
        return {
            "schema_version": SCHEMA_VERSION,
            "run": self.run,
            "generation": self.generation,
            "created": self.created,
            "scheduler": self.scheduler,
            "scheduler_class": self.scheduler_class,
            "options": self.options,
            "directory": self.directory,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any], source: str) -> RunFile:
        """Read what `to_json` wrote. Raises RunCorrupt for what it did not."""
        version = data.get("schema_version")
        if version != SCHEMA_VERSION:
            raise RunCorrupt(
                f"{source} has schema version {version!r}; this sched reads {SCHEMA_VERSION}. "
                "Use the version of sched that made the run, or another work directory"
            )
        try:
            return cls(
                _word(data["run"]),
                int(data["generation"]),
                float(data["created"]),
                _word(data["scheduler"]),
                str(data["scheduler_class"]),
                dict(data["options"]),
                str(data["directory"]),
            )
        except MALFORMED as error:
            raise RunCorrupt(f"{source} cannot be read: {error!r} is missing or wrong") from None


def _word(text: str) -> str:
    """Return what is to be part of names of files, jobs and containers."""
    if not _WORD.fullmatch(text):
        raise ValueError(text)
    return text


def find_run(files: Files, layout: Layout) -> RunFile | None:
    """Return the run that the folder holds, None where it holds none. Raises RunCorrupt."""
    try:
        data = files.read(layout.run_file)
    except (FileNotFoundError, NotADirectoryError):
        return None
    return RunFile.from_json(load(data, layout.run_file), layout.run_file)


def require_run(files: Files, layout: Layout) -> RunFile:
    """Return the run that the folder holds. Raises RunNotFound, RunCorrupt."""
    found = find_run(files, layout)
    if found is None:
        raise RunNotFound(f"{layout.workdir} holds no run: there is no {layout.run_file}")
    return found


def write_run(files: Files, layout: Layout, run: RunFile) -> None:
    """Record what run the folder holds."""
    files.write(layout.run_file, dump(run.to_json()))
