"""Executes a page's blocks as a newcomer would: in an empty folder, with an empty home, in one shell."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .pages import Block
from .shown import differences

__all__ = ["Step", "complaints", "execute", "steps_of"]

_END = "--- end of a step ---"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that is typed, and what is shown of its output; None where nothing is promised.

    `may_fail` where a status other than 0 is no complaint, since what is shown tells of it.
    """

    where: str
    typed: str
    shown: str | None
    may_fail: bool = False


def steps_of(blocks: Sequence[Block]) -> list[Step]:
    """Return what is to be typed for these blocks, in their order."""
    steps: list[Step] = []
    for block in blocks:
        if block.kind == "output":
            steps[-1] = Step(steps[-1].where, steps[-1].typed, block.text)
        else:
            steps += _MAKERS.get(block.kind, lambda _: [])(block)
    return steps


def _typed(block: Block) -> list[Step]:
    return [Step(str(block), block.text, None)]


def _session(block: Block) -> list[Step]:
    # A line that ends in a backslash goes on in the next one, as in a shell.
    parts = re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]
    pairs = [re.match(r"((?:.*\\\n)*.*)\n?([\s\S]*)", part) for part in parts]
    return [Step(f"{block}: {p[1]}", p[1], p[2], may_fail=True) for p in pairs if p]


def _program(block: Block) -> list[Step]:
    run = "python3 -W error example.py && rm example.py"
    return [Step(str(block), f"{_written('example.py', block.text)} && {run}", None)]


def _file(block: Block) -> list[Step]:
    return [Step(str(block), _written(block.name, block.text), None)]


def _written(name: str, text: str) -> str:
    return f"printf %s {shlex.quote(text)} >{shlex.quote(name)}"


_MAKERS = {"sh": _typed, "setup": _typed, "console": _session, "python": _program, "file": _file}


def execute(steps: Sequence[Step], folder: Path, *, timeout: float = 100) -> list[tuple[int, str]]:
    """Type them in a new folder `here` below `folder`; return each one's status and all that is seen.

    The list is shorter where a step ended the shell, or the time (in seconds) was over.
    """
    for name in ("here", "home", "steps"):
        (folder / name).mkdir()
    for number, step in enumerate(steps):
        (folder / "steps" / str(number)).write_text(step.typed)
    script = "\n".join(_lines(folder / "steps", len(steps)))
    seen = _run(script, folder, timeout)
    parts = re.findall(rf"(.*?)\n{_END} (\d+)\n", seen, re.DOTALL)
    return [(int(status), text) for text, status in parts]


def _lines(folder: Path, count: int) -> list[str]:
    steps = [
        f"failed=0; . {shlex.quote(str(folder / str(n)))}; printf '\\n{_END} %d\\n' $failed"
        for n in range(count)
    ]
    return ["trap 'failed=$?' ERR", *steps]


def _run(script: str, folder: Path, timeout: float) -> str:
    with subprocess.Popen(
        ["bash", "-c", script],
        cwd=folder / "here",
        env=_environment(folder / "home"),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        text=True,
    ) as shell:
        try:
            return shell.communicate(timeout=timeout)[0]
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(shell.pid, signal.SIGKILL)
            return shell.communicate()[0]


def _environment(home: Path) -> dict[str, str]:
    own = ("SCHED_", "XDG_", "PYTEST_", "COV_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(own)}
    path = f"{Path(sys.executable).parent}{os.pathsep}{kept.get('PATH', os.defpath)}"
    return {**kept, "HOME": str(home), "PATH": path, "LC_ALL": "C.UTF-8", "COLUMNS": "120"}


def complaints(steps: Sequence[Step], results: Sequence[tuple[int, str]]) -> list[str]:
    """Return what does not go as the page says, a text for each step of which that is true."""
    found = [
        text for step, ran in zip(steps, results, strict=False) if (text := _complaint(step, *ran))
    ]
    return found + [f"{step.where}\nwas not reached" for step in steps[len(results) :]]


def _complaint(step: Step, status: int, printed: str) -> str:
    if status and not step.may_fail:
        return f"{step.where}\nended with {status}:\n{printed}"
    if step.shown is not None and (lines := differences(step.shown, printed)):
        return "\n".join([step.where, *lines, "of:", printed])
    return ""
