"""Processes of this machine, by what is in their environment."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Process", "end_all", "name_of", "with_variable", "with_words"]


@dataclass(frozen=True, slots=True)
class Process:
    """One that was found."""

    pid: int
    command: str

    def parent(self) -> int | None:
        """Return the process that has started it, None where one of both is gone."""
        with contextlib.suppress(OSError):
            return int(Path(f"/proc/{self.pid}/stat").read_text().rpartition(") ")[2].split()[1])
        return None

    def __str__(self) -> str:
        return f"{self.pid}: {self.command}"


def with_variable(*starts: str) -> list[Process]:
    """Return all but this one that have a variable of which NAME=value begins so."""
    return _with("environ", [f"\0{start}" for start in starts])


def with_words(text: str) -> list[Process]:
    """Return all but this one whose command line has the text in it."""
    return _with("cmdline", [text])


def _with(file: str, wanted: Sequence[str]) -> list[Process]:
    texts = [os.fsencode(text) for text in wanted]
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):  # it has just ended, or is somebody else's
            content = b"\0" + Path(f"/proc/{pid}/{file}").read_bytes()
            if int(pid) != os.getpid() and any(text in content for text in texts):
                words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
                found.append(Process(int(pid), os.fsdecode(b" ".join(words))[:200]))
    return found


def name_of(pid: int) -> str:
    """Return the name of a process's program, empty where it is gone."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/comm").read_text().strip()
    return ""


def end_all(processes: Iterable[Process]) -> None:
    """Kill them."""
    for process in processes:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)
