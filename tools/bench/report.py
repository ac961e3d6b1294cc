"""The JSON file: the figures, and all that tells whether two files may be compared."""

from __future__ import annotations

import os
import platform
import subprocess
import time
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from .figures import Figure

__all__ = ["SCHEMA", "report", "surroundings"]

SCHEMA = 1

_PACKAGES = ("sched-core", "sched-local", "sched-meta", "anyio", "pluggy", "click")


def report(
    figures: Sequence[Figure], mode: str, around: dict[str, Any], seconds: float
) -> dict[str, Any]:
    """Return all that the benchmark has to say, fit for JSON."""
    return {
        "schema": SCHEMA,
        "mode": mode,
        "seconds": round(seconds, 1),
        **around,
        "figures": [figure.to_json() for figure in figures],
    }


def surroundings() -> dict[str, Any]:
    """Return what was measured, with what, and how busy the machine was before."""
    return {
        "at": round(time.time()),
        "versions": {name: _version(name) for name in _PACKAGES},
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "bash": _bash(),
        "kernel": platform.release().partition("-")[0],
        "cpus": len(os.sched_getaffinity(0)),
        "load": [round(load, 2) for load in os.getloadavg()],
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _bash() -> str | None:
    command = ["bash", "-c", 'printf %s "$BASH_VERSION"']
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return None
