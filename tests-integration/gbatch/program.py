"""The installed `sched`, and a run of it in the bucket."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from .conftest import BUCKET

__all__ = ["RUN", "WAIT_FOR_GO", "Sched", "await_event", "finish"]

SCHED = Path(sys.executable).with_name("sched")
RUN = f"gs://{BUCKET}/runs/one"
PATIENCE = 90.0
WAIT_FOR_GO = "echo $0; until test -e go; do sleep 0.05; done; echo $0 went"


class Sched:
    """Runs commands in a folder of their own; new runs have these options."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.folder = folder
        self._options = options
        self._going: list[subprocess.Popen[str]] = []

    def __call__(
        self, *args: str, code: int = 0, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [SCHED, *args],
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
            env=os.environ | variables,
        )
        assert "Traceback" not in done.stderr
        assert done.returncode == code, done.stderr
        return done

    def run(self, *args: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        return self("run", "-w", RUN, *self._options, *args, code=code)

    def start(self, *args: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [SCHED, *args],
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._going.append(process)
        return process

    def start_run(self, *args: str) -> subprocess.Popen[str]:
        """Start a run; return once its first job has started."""
        process = self.start("run", "-w", RUN, "--json", *self._options, *args)
        await_event(process, "started")
        return process

    def go(self) -> None:
        (self.folder / "go").touch()

    def status(self) -> dict[str, Any]:
        status: dict[str, Any] = json.loads(self("status", RUN, "--json").stdout)
        return status

    def counts(self) -> dict[str, int]:
        return {word: number for word, number in self.status()["counts"].items() if number}

    def close(self) -> None:
        self.go()
        for process in self._going:
            if process.poll() is None:
                process.terminate()
            process.communicate(timeout=PATIENCE)


def await_event(driver: subprocess.Popen[str], until: str) -> None:
    """Read what a driver tells until such an event comes."""
    assert driver.stdout is not None
    for line in driver.stdout:
        if json.loads(line)["event"] == until:
            return
    raise AssertionError(driver.stderr.read() if driver.stderr else "")


def finish(process: subprocess.Popen[str]) -> tuple[int, str]:
    _, err = process.communicate(timeout=PATIENCE)
    return process.returncode, err
