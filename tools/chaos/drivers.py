"""The drivers of a round: `sched run --resume`, each a process of its own, to be hurt and followed."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from random import Random

__all__ = ["MARK", "SCHED", "Driver", "Drivers", "faults_told"]

SCHED = str(Path(sys.executable).with_name("sched"))
MARK = "SCHED_CHAOS_ROUND"
"""The variable that tells processes of a round from all others."""

_ENDED = (0, 1)
"""Exit codes of a driver that came to an end: of all jobs, or of what it could do."""
_ELSEWHERE = "unshare --pid --fork --kill-child --mount-proc --".split()
"""A namespace in which pids mean nothing to others: what another host is to a driver."""


def faults_told(said: str) -> list[str]:
    """Return what a command has said of faults of its own."""
    signs = ("Traceback (most recent call last)", "a fault of sched's own")
    return [line.strip() for line in said.splitlines() if any(sign in line for sign in signs)]


class Driver:
    """One process."""

    def __init__(
        self,
        argv: Sequence[str],
        folder: Path,
        env: Mapping[str, str],
        log: Path,
        *,
        elsewhere: bool = False,
    ) -> None:
        self.log = log
        self.elsewhere = elsewhere
        self.struck = False
        """Whether its end is not its own doing."""
        with log.open("wb") as out:
            self.process = subprocess.Popen(
                [*(_ELSEWHERE if elsewhere else ()), *argv],
                cwd=folder,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )

    @property
    def lives(self) -> bool:
        """Whether it has not ended."""
        return self.process.poll() is None

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the driver itself."""
        pid = self.process.pid
        if self.elsewhere and number != signal.SIGKILL:
            with contextlib.suppress(OSError, IndexError):
                pid = int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])
        if self.lives:
            os.kill(pid, number)

    def kill(self) -> None:
        """End it at once, as a crash would."""
        self.struck = True
        self.signal(signal.SIGKILL)
        self.process.wait()

    def said(self) -> str:
        """Return what it has printed."""
        return self.log.read_text(errors="replace")


class Drivers:
    """Keeps a driver at work until one comes to the end."""

    def __init__(
        self,
        argv: Sequence[str],
        folder: Path,
        env: Mapping[str, str],
        chance: Random,
        has_ended: Callable[[], bool],
    ) -> None:
        """Start drivers so; `has_ended` tells whether all jobs of the run have."""
        self._argv, self._folder, self._env, self._chance = argv, folder, env, chance
        self._has_ended = has_ended
        self._number = 0
        self._next = 0.0
        self.alive: list[Driver] = []
        self.held: list[Driver] = []
        """Those that stand still."""
        self.over = False
        """Whether one has come to the end of the run."""
        self.killed = 0
        self.wrong: list[str] = []
        self.ends: list[str] = []
        """The last words of drivers that ended before the run's end, by themselves."""

    def start(self, *, elsewhere: bool = False) -> Driver:
        """Start a driver beside those that there are."""
        self._number += 1
        log = self._folder / f"driver-{self._number}.log"
        driver = Driver(self._argv, self._folder, self._env, log, elsewhere=elsewhere)
        self.alive.append(driver)
        return driver

    @property
    def working(self) -> list[Driver]:
        """Those that live and do not stand still."""
        return [driver for driver in self.alive if driver.lives and driver not in self.held]

    def kill(self) -> bool:
        """Kill one; tell whether there was one."""
        if working := self.working:
            working[0].kill()
            self.killed += 1
        return bool(working)

    def tend(self) -> None:
        """Take note of those that have ended, and start another one where none is left."""
        for driver in [driver for driver in self.alive if not driver.lives]:
            self.alive.remove(driver)
            self._take(driver)
        if self.over or self.alive:
            self._next = 0.0
        elif not self._next:
            self._next = time.monotonic() + self._chance.choice([0.0, 0.3, 1.5])
        elif time.monotonic() >= self._next:
            self.start()

    def _take(self, driver: Driver) -> None:
        code, said = driver.process.returncode, driver.said()
        self.wrong += [f"{driver.log.name}: {line}" for line in faults_told(said)]
        if code in _ENDED and not driver.struck and self._has_ended():
            self.over = True
        elif not driver.struck:
            last = said.strip().splitlines()[-1:]
            self.ends.append(f"{driver.log.name} ended with {code}: {' '.join(last)}")

    def end(self, patience: float = 30.0) -> None:
        """Have all of them end; those that do not in time are killed."""
        for driver in self.held:
            driver.signal(signal.SIGCONT)
        self.held.clear()
        for driver in self.alive:
            try:
                driver.process.wait(patience if self.over else 0)
            except subprocess.TimeoutExpired:
                if self.over:
                    self.wrong.append(f"a driver of a run that was over: {driver.log.name}")
                driver.kill()
            self._take(driver)
        self.alive.clear()
