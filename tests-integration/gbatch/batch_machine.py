"""Machines that run tasks: each task in namespaces of its own, which end with all that is in them."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from .batch_jobs import Job
from .batch_plan import SCRATCH, Places, render, task_variables
from .batch_words import OVERRUN

__all__ = ["Machines", "Process"]

_ALONE = (
    # If this process is killed, nothing of a task is left either.
    "setpriv --pdeathsig KILL -- "
    "unshare --mount --propagation private --pid --fork --kill-child --mount-proc /bin/sh"
).split()
_BARE = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "HOME": SCRATCH, "TMPDIR": SCRATCH}


class Process:
    """What runs of one start of a task. It may be killed by another thread at any time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._killed = False

    def run(
        self, argv: list[str], env: Mapping[str, str], log: IO[bytes], limit: float | None
    ) -> int | None:
        """Run it to its end and return its code; None if it was killed."""
        with self._lock:
            if self._killed:
                return None
            self._process = subprocess.Popen(
                argv, env=env, stdin=subprocess.DEVNULL, stderr=log, start_new_session=True
            )
        try:
            code = self._process.wait(limit)
        except subprocess.TimeoutExpired:
            _kill(self._process)
            self._process.wait()
            code = OVERRUN
        # What `unshare` makes of a KILL inside differs between its versions.
        return None if self._killed or code < 0 else code

    def kill(self) -> None:
        """End all that the task has started, at once."""
        with self._lock:
            self._killed = True
            if self._process is not None:
                _kill(self._process)


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Kill the first process in the namespace: with it end all others, and then `unshare`."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    while process.poll() is None:
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            if pids := children.read_text().split():
                os.kill(int(pids[0]), signal.SIGKILL)
                return
        # Killed before it has made one, it might still leave one.
        time.sleep(0.001)


class Machines:
    """What is the same for all tasks: the store, the mounts and a folder for what tasks print."""

    def __init__(self, work: Path, places: Places) -> None:
        self._work, self.places = work, places

    def prepare(self, job: Job) -> None:
        """Write what all tasks of a job run."""
        folder = self._work / job.uid
        folder.mkdir(parents=True)
        spec = job.group.task_spec
        texts = {
            number: _write_script(folder / f"runnable{number}", runnable.script.text)
            for number, runnable in enumerate(spec.runnables)
            if runnable.script.text
        }
        names = task_variables(job.spec, 0, 0)
        (folder / "task").write_text(render(spec, names, self.places, texts))

    def logs(self, job: Job, index: int, attempt: int) -> Path:
        """Where the runnables of a start print: N.out and N.err."""
        return self._work / job.uid / f"{index}.{attempt}"

    def run(self, job: Job, index: int, attempt: int, process: Process) -> int | None:
        """Run a task to its end. Blocks; returns its code, None if it was killed."""
        logs = self.logs(job, index, attempt)
        logs.mkdir()
        env = _BARE | task_variables(job.spec, index, attempt)
        argv = [*_ALONE, str(logs.parent / "task"), str(logs)]
        with (logs / "machine.err").open("wb") as log:
            code = process.run(argv, env, log, _limit(job.group.task_spec))
        return OVERRUN if code and (logs / "overrun").exists() else code


def _limit(spec: Any) -> float | None:
    if not spec.HasField("max_run_duration"):
        return None
    return float(spec.max_run_duration.ToTimedelta().total_seconds())


def _write_script(path: Path, text: str) -> Path:
    path.write_text(text if text.startswith("#!") else f"#!/bin/sh\n{text}")
    path.chmod(0o755)
    return path
