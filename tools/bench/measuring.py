"""Running a workload in a process of its own, and taking its time."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

__all__ = ["Environment", "Failed", "interleave", "timed", "workload"]

_WORKLOAD = Path(__file__).with_name("workload.py")
_LIMIT = 1800.0


class Failed(Exception):
    """A workload could not be run to its end; the message says why, in a line."""


Environment = Mapping[str, str]


def timed(
    command: Sequence[str], folder: Path, limit: float = _LIMIT, env: Environment | None = None
) -> float:
    """Return the wall time of a command in seconds. Raises Failed."""
    began = time.perf_counter()
    _run(command, folder, limit, env)
    return time.perf_counter() - began


def workload(
    name: str,
    folder: Path,
    limit: float = _LIMIT,
    env: Environment | None = None,
    **options: int,
) -> Mapping[str, Any]:
    """Run a workload of workload.py in a fresh Python; return what it has measured."""
    words = [f"--{key}={value}" for key, value in options.items()]
    output = _run([sys.executable, str(_WORKLOAD), name, *words], folder, limit, env)
    measured: Mapping[str, Any] = json.loads(output.splitlines()[-1])
    return measured


def interleave(
    rounds: int, measures: Mapping[str, Callable[[Path], float]], scratch: Path
) -> dict[str, list[float]]:
    """Take all measures in turn, so that what else the machine does befalls all of them.

    Each time in a fresh folder. One that fails is left out of the result, and of later rounds.
    """
    found: dict[str, list[float]] = {name: [] for name in measures}
    for number in range(rounds):
        for name, measure in measures.items():
            if name not in found:
                continue
            folder = scratch / f"{name}-{number}"
            folder.mkdir(parents=True)
            try:
                found[name].append(measure(folder))
            except Failed as error:
                print(f"  {name} failed: {error}", file=sys.stderr)
                del found[name]
            finally:
                shutil.rmtree(folder, ignore_errors=True)
    return found


def _run(command: Sequence[str], folder: Path, limit: float, env: Environment | None) -> str:
    try:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,
        )
    except OSError as error:
        raise Failed(str(error)) from None
    with process:
        try:
            output, errors = process.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            raise Failed(f"not done after {limit:.0f} s") from None
        finally:
            _end(process)
    if process.returncode:
        last = errors.strip().splitlines()[-1:] or ["no message"]
        raise Failed(f"exit code {process.returncode}: {last[0][:200]}")
    return output


def _end(process: subprocess.Popen[str]) -> None:
    """Leave nothing behind, also after Ctrl-C, which only this process gets."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(timeout=15)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
