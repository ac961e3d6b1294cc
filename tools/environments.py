"""Environments that uv makes apart from this one, and what is run in them."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Self

__all__ = ["Environment", "uv"]


def uv(*words: str | Path) -> None:
    """Have uv do something. Raises CalledProcessError; uv itself has said why."""
    subprocess.run(["uv", "--quiet", *words], check=True)


@dataclass(frozen=True, slots=True)
class Environment:
    """A folder with a Python of its own, which sees no packages but those installed there."""

    folder: Path
    options: tuple[str, ...] = ()
    """What uv is told each time, such as `--offline`."""

    @classmethod
    def made(cls, folder: Path, python: str, *options: str) -> Self:
        """Make an empty one. `python` is a version or a program."""
        uv(*options, "venv", "--python", python, folder)
        return cls(folder, options)

    @property
    def python(self) -> Path:
        return self.programs / "python"

    @property
    def programs(self) -> Path:
        return self.folder / "bin"

    @property
    def site(self) -> Path:
        [site] = self.folder.glob("lib/python*/site-packages")
        return site

    def install(self, *wanted: str | Path) -> None:
        """Install packages, as `uv pip install` takes them, where they fit each other."""
        uv(*self.options, "pip", "install", "--python", self.python, *wanted)
        uv(*self.options, "pip", "check", "--python", self.python)

    def run(
        self,
        program: str,
        *arguments: str,
        home: Path,
        cwd: Path | None = None,
        stdout: int | None = subprocess.PIPE,
        **variables: str,
    ) -> str:
        """Run one of its programs as somebody with that home and nothing else in the environment.

        Returns what it prints, which without `stdout` is seen instead. Raises CalledProcessError.
        """
        path = os.pathsep.join([str(self.programs), os.environ.get("PATH", os.defpath)])
        env = {"HOME": str(home), "LC_ALL": "C.UTF-8", "PATH": path, **variables}
        argv = [str(self.programs / program), *arguments]
        done = subprocess.run(argv, check=True, cwd=cwd or home, env=env, stdout=stdout, text=True)
        return done.stdout or ""
