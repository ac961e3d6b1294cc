"""What the engine's tool is told: command lines, made of values alone. Nothing is run here."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

__all__ = ["cancel_command", "list_command", "submit_command"]

_TOOL = ("bash", str(Path(__file__).with_name("toyqueue.bash")))
"""Your engine's program, found in PATH: there is no need to ship it."""


def submit_command(queue: str, name: str, cpus: int, script: str) -> list[str]:
    """Return what has the engine run a script, which needs so many cores, under a name."""
    return [*_TOOL, queue, "submit", name, str(cpus), script]


def list_command(queue: str, ids: Collection[str]) -> list[str]:
    """Return what asks about these jobs: one question for all."""
    return [*_TOOL, queue, "list", *ids]


def cancel_command(queue: str, grace: float, ids: Collection[str]) -> list[str]:
    """Return what ends these jobs: by TERM, and `grace` seconds later by KILL."""
    return [*_TOOL, queue, "cancel", f"{grace:g}", *ids]
