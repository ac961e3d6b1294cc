"""Daemons of a test cluster: each started by hand, told by its pid, ended by it."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

__all__ = [
    "Daemon",
    "EngineMissing",
    "end_at_once",
    "free_ports",
    "need_installed",
    "need_programs",
    "processes_named",
    "processes_with",
    "until",
]


_PORTS = range(20_000, 32_000)
"""Below those that the kernel gives to whoever asks for any."""
_LOCKS: list[socket.socket] = []
"""A name of each port that was taken, which goes with this process."""


class EngineMissing(RuntimeError):
    """The engine cannot be started here; the message says what it takes."""


class Daemon:
    """A process in the foreground of its own session, which also ends with the thread that starts it:
    start it from the main one.
    """

    def __init__(
        self, name: str, argv: Sequence[str], log: Path, env: dict[str, str], user: str = ""
    ) -> None:
        self.name = name
        # One that gives up root by itself would also give up its end with this process.
        who = [f"--reuid={user}", f"--regid={user}", "--clear-groups"] if user else []
        self._argv = ["setpriv", *who, "--pdeathsig", "KILL", "--", *argv]
        self._log = log
        self._env = env
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None, f"{self.name} was not started"
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        if self.alive:
            return
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._argv,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._env,
                start_new_session=True,
            )

    def signal(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def kill(self) -> None:
        """End it at once, as a crash would."""
        if self.alive:
            self.signal(signal.SIGKILL)
            assert self._process is not None
            self._process.wait()

    def stop(self, patience: float = 10.0) -> None:
        if not self.alive:
            return
        assert self._process is not None
        self.signal(signal.SIGCONT)
        self.signal(signal.SIGTERM)
        try:
            self._process.wait(patience)
        except subprocess.TimeoutExpired:
            self.kill()

    def last_words(self) -> str:
        with contextlib.suppress(OSError):
            return "\n".join(self._log.read_text(errors="replace").splitlines()[-8:])
        return ""


def free_ports(count: int) -> list[int]:
    """Take ports of this machine that nobody uses: no other process of tests gets them before this one
    has ended, and no program that leaves the choice to the kernel.
    """
    found: list[int] = []
    for port in random.sample(_PORTS, len(_PORTS)):
        if len(found) < count and (lock := _lock(port)) is not None:
            _LOCKS.append(lock)
            found.append(port)
    return found


def _lock(port: int) -> socket.socket | None:
    """Return what keeps others from taking that port, None where it is taken."""
    lock = socket.socket(socket.AF_UNIX)
    try:
        lock.bind(f"\0sched-tests-port-{port}")
        with socket.socket() as probe:
            probe.bind(("", port))
    except OSError:
        lock.close()
        return None
    return lock


def until(condition: Callable[[], object], what: str, patience: float = 90.0) -> None:
    """Wait until it is so."""
    end = time.monotonic() + patience
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"{what}: not within {patience:.0f} s")
        time.sleep(0.05)


def need_installed(**programs: str) -> None:
    """Raise EngineMissing for a program that is missing, with the Debian packages that bring it."""
    if "/usr/sbin" not in os.environ["PATH"].split(":"):
        os.environ["PATH"] += ":/usr/sbin:/sbin"
    missing = [package for program, package in programs.items() if not shutil.which(program)]
    if missing:
        raise EngineMissing(f"the engine is not installed: apt-get install {' '.join(missing)}")


def need_programs(**programs: str) -> None:
    """Do so, and where this is not root, who alone can start an engine of these programs."""
    need_installed(**programs)
    if os.geteuid() != 0:
        raise EngineMissing("to start the engine takes root")


def processes_named(start: str) -> list[int]:
    """Return the processes of this machine whose command line begins so."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            if Path(f"/proc/{pid}/cmdline").read_bytes().startswith(start.encode()):
                found.append(int(pid))
    return found


def processes_with(variable: str) -> list[int]:
    """Return the processes of this machine that have this NAME=value in their environment."""
    wanted = b"\0" + variable.encode() + b"\0"
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            environment = b"\0" + Path(f"/proc/{pid}/environ").read_bytes()
            if wanted in environment and int(pid) != os.getpid():
                found.append(int(pid))
    return found


def end_at_once(pids: Sequence[int]) -> None:
    """End processes as a power cut does: none sees the end of another one."""
    for number in (signal.SIGSTOP, signal.SIGKILL):
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
