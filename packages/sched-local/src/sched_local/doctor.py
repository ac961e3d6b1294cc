"""What `sched doctor local` looks at."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from sched_core.model.units import format_size
from sched_core.scheduler.admission import Machine

__all__ = ["check_machine"]

_OLDEST_BASH = (4, 2)
Finding = tuple[str, bool | None, str]


def check_machine(workdir: str, machine: Machine) -> Sequence[Finding]:
    """Return name, verdict (None: a warning) and detail of each check. Blocks.

    `machine` is what jobs may ask for.
    """
    return [_bash(), _proc(), *_resources(machine), _folder(workdir)]


def _bash() -> Finding:
    path = shutil.which("bash")
    if path is None:
        return "bash", False, "not in PATH: install it, jobs are run by it"
    script = 'echo "${BASH_VERSINFO[0]} ${BASH_VERSINFO[1]}"'
    found = subprocess.run(
        [path, "-c", script], capture_output=True, text=True, timeout=10, check=False
    )
    try:
        major, minor = map(int, found.stdout.split())
    except ValueError:
        return "bash", False, f"{path} does not tell its version: {found.stderr.strip()}"
    if (major, minor) >= _OLDEST_BASH:
        return "bash", True, f"{path} {major}.{minor}"
    return "bash", False, f"{path} {major}.{minor}: jobs need 4.2 or newer"


def _proc() -> Finding:
    there = Path("/proc/self/stat").exists() and hasattr(os, "pidfd_open")
    if there:
        return "processes", True, "processes can be told apart"
    return "processes", False, "no /proc or no pidfd: Linux is needed"


def _resources(machine: Machine) -> Sequence[Finding]:
    cards = ", ".join(machine.gpus) or f"none are seen; {machine.no_cards}"
    return [
        ("cores", True, f"{machine.cpus:g} usable"),
        (
            "memory",
            True,
            f"{format_size(machine.memory)} to be shared out among jobs that ask for it",
        ),
        ("graphics cards", True, cards),
    ]


def _folder(workdir: str) -> Finding:
    folder = Path(workdir)
    while not folder.exists():
        folder = folder.parent
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        return "work directory", False, f"{folder} cannot be written: {error.strerror}"
    free = shutil.disk_usage(folder).free
    return "work directory", None if free < 1 << 28 else True, f"{folder}, {format_size(free)} free"
