"""The examples of the packages' READMEs and of docs/, to be run as a reader would."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tools.docs.executing import steps_of
from tools.docs.pages import ROOT, Block, read_page
from tools.docs.pages import example as example_of

__all__ = ["Command", "commands", "example", "examples", "programs", "run_script"]


def _page(name: str) -> str:
    """Return the page of that name; a package's own is its README."""
    return name if name.endswith(".md") else f"packages/{name}/README.md"


def examples(page: str) -> list[str]:
    """Return the examples in Python that have no name."""
    blocks = read_page(_page(page))
    return [block.text for block in blocks if block.kind == "python" and not block.name]


def programs(pages: str) -> list[str]:
    """Return all examples in Python of the pages of this pattern, with and without a name."""
    names = [path.relative_to(ROOT).as_posix() for path in ROOT.glob(pages)]
    return [block.text for name in names for block in read_page(name) if block.kind == "python"]


def example(page: str, name: str) -> str:
    """Return the example of that name."""
    return example_of(_page(page), name)


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
    """A line behind a prompt, and what the page shows of its output."""

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
    steps = steps_of([Block("", 0, "console", text)])
    return [Command(step.typed, step.shown or "") for step in steps]
