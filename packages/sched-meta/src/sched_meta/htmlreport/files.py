"""Where a report is written to: a file of this machine, or an object in a bucket."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sched_core.errors import OptionError
from sched_core.ports.place import check_place

from ..reading.runfolder import RunFolder

__all__ = ["NAME", "Target"]

NAME = "report.html"


@dataclass(frozen=True, slots=True)
class Target:
    """A file that is to be written."""

    folder: RunFolder
    """What it lies in, be it a run's or not."""
    name: str

    @classmethod
    def of(cls, run: RunFolder, typed: str | None) -> Target:
        """Return the file that was typed, by default report.html in the run's folder.

        Raises OptionError where no file can be written.
        """
        if typed is None:
            return cls(run, NAME)
        if not typed:
            raise OptionError("-o '': name a file, or - for standard output")
        where, _, name = typed.rpartition("/")
        target = cls(RunFolder(where or ("/" if typed.startswith("/") else ".")), name)
        if not target.folder.in_bucket:
            _check(typed, Path(target.folder.path), Path(typed))
        elif not name:
            raise OptionError(f"-o {typed}: that is a folder; add the name of a file")
        return target

    def __str__(self) -> str:
        return str(RunFolder(self.path))

    @property
    def path(self) -> str:
        """The whole path."""
        if self.folder.path in (".", "/"):
            return self.name if self.folder.path == "." else f"/{self.name}"
        return f"{self.folder.path}/{self.name}"

    def write(self, text: str) -> None:
        """Write the file, over what is there. Blocks. Raises OSError."""
        if self.folder.in_bucket:
            self.folder.files.write(self.path, text.encode())
        else:
            check_place(self.path)
            Path(self.path).write_bytes(text.encode())


def _check(typed: str, folder: Path, file: Path) -> None:
    if not folder.is_dir():
        raise OptionError(f"-o {typed}: there is no folder {folder}; make it, or name another file")
    if typed.endswith("/") or file.is_dir():
        raise OptionError(f"-o {typed}: that is a folder; add the name of a file")
