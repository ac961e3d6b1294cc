"""The real `sched` in a process of its own."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

PROGRAM = str(Path(sys.executable).with_name("sched"))
PATIENCE = 100.0

WAIT_FOR_GO = "echo $0 >>started; until test -e go; do sleep 0.02; done; echo $0 >>ended"
"""A job that says that it has started, and ends when the file `go` is there."""


def needs(program: str) -> None:
    """Skip the test where a program is missing; in CI that is a failure."""
    if not shutil.which(program):
        explain = pytest.fail if os.environ.get("CI") else pytest.skip
        explain(f"there is no {program}; .ci/install installs it")


def wait_until(what: Callable[[], object]) -> None:
    """Wait for something to become true; it is an error that it never does."""
    until = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < until, "this never came true"
        time.sleep(0.01)


class Driver:
    """A `sched` that goes on beside the test."""

    def __init__(self, process: subprocess.Popen[str], folder: Path) -> None:
        self.process = process
        self._folder = folder

    def send(self, signum: signal.Signals) -> None:
        self.process.send_signal(signum)

    def finish(self) -> tuple[int, str]:
        """Wait for its end; return exit code and stderr."""
        _, err = self.process.communicate(timeout=PATIENCE)
        assert "Traceback" not in err
        return self.process.returncode, err


class Sched:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._drivers: list[Driver] = []

    def __call__(
        self, *args: str, code: int = 0, stdin: str | None = None, cwd: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run it and check its exit code; stdout keeps bytes that are no text."""
        done = subprocess.run(
            [PROGRAM, *args],
            cwd=cwd or self.folder,
            input=stdin,
            capture_output=True,
            encoding="utf-8",
            errors="surrogateescape",
            timeout=PATIENCE,
            check=False,
        )
        assert "Traceback" not in done.stderr
        assert code == done.returncode, done.stderr
        return done

    def start(self, *args: str, **options: Any) -> Driver:
        """Start it, and do not wait."""
        process = subprocess.Popen(
            [PROGRAM, *args],
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **options,
        )
        driver = Driver(process, self.folder)
        self._drivers.append(driver)
        return driver

    def start_waiting_jobs(self, *args: str, jobs: int = 3, forks: int = 2) -> Driver:
        """Start the run `r` of jobs that wait for `go`; return once the first ones have started."""
        values = map(str, range(jobs))
        options = ("-w", "r", "-j", str(forks), *args)
        driver = self.start("run", *options, "--", "sh", "-c", WAIT_FOR_GO, ":::", *values)
        wait_until(lambda: len(self.lines("started")) == min(jobs, forks))
        return driver

    def go(self) -> None:
        (self.folder / "go").touch()

    def lines(self, name: str) -> list[str]:
        path = self.folder / name
        return sorted(path.read_text().split()) if path.exists() else []

    def status(self, run: str = "r") -> dict[str, Any]:
        status: dict[str, Any] = json.loads(self("status", run, "--json").stdout)
        return status

    def counts(self, run: str = "r") -> dict[str, int]:
        """What there is of each state."""
        counts: dict[str, int] = self.status(run)["counts"]
        return {word: number for word, number in counts.items() if number}

    def living_jobs(self) -> list[int]:
        """The processes whose environment names this folder as their run's."""
        mark = b"SCHED_WORKDIR=" + os.fsencode(self.folder)
        return [
            int(p.name) for p in Path("/proc").iterdir() if p.name.isdecimal() and _has(p, mark)
        ]

    def close(self) -> None:
        self.go()
        for driver in self._drivers:
            if driver.process.poll() is None:
                driver.process.kill()
            driver.process.communicate()
        for pid in self.living_jobs():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def _has(process: Path, mark: bytes) -> bool:
    try:
        return mark in (process / "environ").read_bytes()
    except OSError:
        return False


def read_until(terminal: int, text: str) -> str:
    """Read what a terminal shows until that text is there; for the `keys` of `in_terminal`."""
    shown = bytearray()
    while text.encode() not in shown:
        shown += os.read(terminal, 4096)
    return shown.decode(errors="replace")


def in_terminal(
    folder: Path, *args: str, keys: Callable[[int], None] | None = None
) -> tuple[int, str]:
    """Run `sched` on a terminal; `keys` may type into it. Returns exit code and what was shown."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(folder)
        os.execv(PROGRAM, [PROGRAM, *args])
    shown = bytearray()
    if keys:
        keys(terminal)
    while True:
        try:
            chunk = os.read(terminal, 4096)
        except OSError:
            break  # EIO: nobody has the other end any more
        if not chunk:
            break
        shown += chunk
    with contextlib.suppress(OSError):
        os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), shown.decode(errors="replace")
