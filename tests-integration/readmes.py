"""The examples of the packages' READMEs, to be run as a reader would."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Command", "commands", "example", "examples", "run_script"]

_PACKAGES = Path(__file__).parent.parent / "packages"

# An example with a name is run by a test of its own.
_FENCE = re.compile(r"(?:<!-- example: (\w+) -->\n)?```(python|console)\n(.*?)```\n", re.DOTALL)


def _fences(package: str) -> Iterator[tuple[str, str, str]]:
    readme = (_PACKAGES / package / "README.md").read_text()
    for match in _FENCE.finditer(readme):
        yield match[1] or "", match[2], match[3]


def examples(package: str) -> list[str]:
    """Return the examples in Python that have no name."""
    return [text for name, kind, text in _fences(package) if kind == "python" and not name]


def example(package: str, name: str) -> str:
    """Return the example of that name."""
    (found,) = [text for its, _, text in _fences(package) if its == name]
    return found


def run_script(code: str, folder: Path) -> str:
    """Run an example in Python and return what it prints."""
    path = folder / "example.py"
    path.write_text(code)
    command = [sys.executable, "-W", "error", os.fspath(path)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@dataclass(frozen=True, slots=True)
class Command:
    """A line behind a prompt, and what the README shows of its output."""

    line: str
    shown: str

    def run(self, folder: Path) -> str:
        """Return what it prints, on stdout and stderr."""
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        done = subprocess.run(
            ["bash", "-c", self.line],
            cwd=folder,
            env={**os.environ, "PATH": path},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return done.stdout


def commands(text: str) -> list[Command]:
    """Return the commands of an example for the terminal."""
    parts = re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]
    return [Command(*part.split("\n", 1)) for part in parts]
