"""Counting what is asked of an engine: programs of the tools' names, which note that they were called."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from pathlib import Path

__all__ = ["Counted"]


class Counted:
    """A folder for the front of PATH; each call of a tool adds a byte to a file of its name."""

    def __init__(self, folder: Path, tools: Mapping[str, str]) -> None:
        """Make the programs, in a new folder: each becomes the tool, that is named by its path."""
        self._calls = folder / "calls"
        self.programs = folder / "bin"
        for made in (self._calls, self.programs):
            made.mkdir(parents=True)
        for name, path in tools.items():
            self._make(name, path)

    def _make(self, name: str, path: str) -> None:
        program = self.programs / name
        noted = shlex.quote(os.fspath(self._calls / name))
        program.write_text(f'#!/bin/sh\nprintf . >>{noted}\nexec {shlex.quote(path)} "$@"\n')
        program.chmod(0o755)

    def environment(self, env: Mapping[str, str]) -> dict[str, str]:
        """Return an environment in which the programs are found before the tools."""
        return {**env, "PATH": f"{self.programs}{os.pathsep}{env['PATH']}"}

    def calls(self) -> dict[str, int]:
        """Return how often each tool was called, without those that were not."""
        return {file.name: file.stat().st_size for file in sorted(self._calls.iterdir())}
