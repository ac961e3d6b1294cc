"""A server of the tests as a process of its own, which ends with the one that started it."""

from __future__ import annotations

import subprocess
import sys
from abc import ABC, abstractmethod
from pathlib import Path
from typing import IO, Self

__all__ = ["Served", "ServerProcess"]

_FOLDER = Path(__file__).resolve().parent


class Served(ABC):
    """What serves until it is stopped, at the latest at the end of a block."""

    @abstractmethod
    def stop(self) -> None:
        """End it; a second time does nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


class ServerProcess:
    """Starts a module of this folder, which says a line once it serves, and ends with its input."""

    def __init__(self, module: str, *arguments: str) -> None:
        # With -m a module that names its neighbours relatively is a program, too.
        command = [sys.executable, "-m", f"{_FOLDER.name}.{module}", *arguments]
        self._process = subprocess.Popen(
            command, cwd=_FOLDER.parent, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self.said = self._stream.readline().decode().strip()
        """The line."""
        if not self.said:
            self.stop()
            raise RuntimeError(f"{module} has not started: exit code {self._process.returncode}")

    @property
    def _stream(self) -> IO[bytes]:
        assert self._process.stdout is not None
        return self._process.stdout

    @property
    def pid(self) -> int:
        return self._process.pid

    def ask(self, line: str) -> str:
        """Send a line, and return the one that answers it."""
        assert self._process.stdin is not None
        self._process.stdin.write(line.encode() + b"\n")
        self._process.stdin.flush()
        return self._stream.readline().decode().strip()

    def stop(self, patience: float = 10.0) -> None:
        """End it; a second time does nothing."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(patience)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._stream.close()
