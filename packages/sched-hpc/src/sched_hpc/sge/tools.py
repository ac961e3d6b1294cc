"""Where Grid Engine's programs really are: Debian puts a slow shell script in front of each."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from ..cluster.tool import Answer

__all__ = ["Tools", "find_tools"]

_EXEC = re.compile(rb"^exec (/[^\s\"'$`]+)/\$\{?PROG\}? \"\$@\"\s*$", re.MULTILINE)
_PRINT = b'printf \'%s\\n\' "$SGE_ROOT" "$SGE_CELL" "$SGE_ARCH"'
_SET_BY_WRAPPER = ("SGE_ROOT", "SGE_CELL", "SGE_ARCH")
_LONGEST_WRAPPER = 20_000

Run = Callable[[Sequence[str]], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Tools:
    """Programs by name, and the variables that they need besides the driver's own."""

    programs: Mapping[str, str]
    environment: Mapping[str, str] = field(default_factory=dict)


async def find_tools(named: Mapping[str, str], run: Run) -> Tools:
    """Return what to run for each tool: behind a wrapper, the program that it would start.

    The wrapper itself is asked once what it would set: a start of it costs ten times the program's.
    """
    found: dict[str, str] = {}
    environment: dict[str, str] = {}
    for name, program in named.items():
        text = _wrapper(program)
        match = _EXEC.search(text) if text else None
        real = os.path.join(os.fsdecode(match[1]), os.path.basename(program)) if match else None
        if text is None or real is None or not os.access(real, os.X_OK):
            found[name] = program
            continue
        found[name] = real
        if not environment:
            environment = await _asked(text, program, run)
    return Tools(found, environment)


def _wrapper(program: str) -> bytes | None:
    """Return the text of a shell script of that name, None for anything else."""
    path = shutil.which(program)
    if path is None:
        return None
    try:
        with open(path, "rb") as file:
            text = file.read(_LONGEST_WRAPPER)
    except OSError:
        return None
    return text if text.startswith(b"#!/bin/sh") else None


async def _asked(text: bytes, program: str, run: Run) -> dict[str, str]:
    """Return the variables that the wrapper sets, by having it print them at its end."""
    script = os.fsdecode(_EXEC.sub(lambda _: _PRINT, text))
    answer = await run(["/bin/sh", "-c", script, program])
    values = answer.stdout.split("\n")[: len(_SET_BY_WRAPPER)]
    pairs = zip(_SET_BY_WRAPPER, values, strict=False)
    return {name: value for name, value in pairs if value} if answer.returncode == 0 else {}
