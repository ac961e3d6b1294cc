"""A real terminal that a test types into and looks at: tmux, on a socket of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .program import PATIENCE, PROGRAM, needs, wait_until


class Terminal:
    """One window with a shell in it."""

    def __init__(self, folder: Path, home: str, **environment: str) -> None:
        self._tmux = ["tmux", "-u", "-f", "/dev/null", "-S", f"{home}/s"]
        path = f"{Path(PROGRAM).parent}:{os.environ['PATH']}"
        self._environment = {**os.environ, "PATH": path, "LC_ALL": "C.UTF-8", "PS1": "$ "}
        for name in ("NO_COLOR", "TMUX", "COLORTERM"):
            self._environment.pop(name, None)
        self._environment |= environment
        shell = ["bash", "--norc", "--noprofile"]
        size = ["-x", "80", "-y", "24"]
        self.tmux("new-session", "-d", *size, "-s", "t", "-c", str(folder), *shell)

    def tmux(self, *args: str) -> str:
        done = subprocess.run(
            [*self._tmux, *args],
            env=self._environment,
            stdout=subprocess.PIPE,
            text=True,
            timeout=PATIENCE,
            check=True,
        )
        return done.stdout

    @property
    def text(self) -> str:
        return self.tmux("capture-pane", "-p", "-t", "t")

    @property
    def colored(self) -> str:
        """What is seen, with what makes it coloured."""
        return self.tmux("capture-pane", "-p", "-e", "-t", "t")

    def state(self, name: str) -> str:
        """What tmux tells of the terminal, such as `alternate_on`."""
        return self.tmux("display-message", "-p", "-t", "t", f"#{{{name}}}").strip()

    def press(self, *keys: str) -> None:
        self.tmux("send-keys", "-t", "t", *keys)

    def type(self, line: str) -> None:
        self.tmux("send-keys", "-t", "t", "-l", line)
        self.press("Enter")

    def shows(self, *parts: str) -> None:
        """Wait until all of that is seen; it is an error that it never is."""
        try:
            wait_until(lambda: all(part in self.text for part in parts))
        except AssertionError:
            raise AssertionError(f"{parts} never came:\n{self.text}") from None


@contextmanager
def terminal(folder: Path, **environment: str) -> Iterator[Terminal]:
    """Open a terminal of 80 columns and 24 lines."""
    needs("tmux")
    home = tempfile.mkdtemp(prefix="tmux")  # the path of a socket has to be short
    opened = Terminal(folder, home, **environment)
    try:
        yield opened
    finally:
        opened.tmux("kill-server")
        shutil.rmtree(home)
