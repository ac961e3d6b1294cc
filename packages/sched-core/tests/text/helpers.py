"""Scripts of real jobs, run by hand through a real bash."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from sched_core.text.claim import Claim, claim_name, parse_claim
from sched_core.text.event import Event, parse_event_name
from sched_core.text.script import JobScript, recorder_text, render


def until(condition: Callable[[], bool]) -> None:
    """Wait for what the kernel tells nobody; pytest's own timeout ends it."""
    while not condition():
        time.sleep(0.001)


LIMITS = (0.1, 0.5, 2.5, 12.5)
"""Seconds that a command has to begin in: the first ones may be too short for a busy machine."""


def state_of(pid: int) -> str:
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return ""
    return stat[stat.rindex(b")") + 2 :][:1].decode()


@dataclass
class Job:
    script: JobScript
    path: str

    @property
    def metadir(self) -> Path:
        return Path(self.script.metadir)

    def start(
        self, *args: str, shell: Sequence[str] = ("bash",), **options: Any
    ) -> subprocess.Popen[bytes]:
        # Popen gives back the signals that Python ignores: bash could not undo that.
        defaults: dict[str, Any] = {"start_new_session": True, "stderr": subprocess.DEVNULL}
        command = [*shell, self.path, *args]
        process: subprocess.Popen[bytes] = subprocess.Popen(command, **defaults | options)
        return process

    def run(self, *args: str, **options: Any) -> int:
        with self.start(*args, **options) as process:
            return process.wait()

    def claim(self, restart: int = 0) -> Claim:
        path = self.metadir / claim_name(self.script.attempt, restart)
        return parse_claim(path.read_bytes() if path.exists() else b"")

    def leader(self) -> int:
        until(lambda: self.claim().leader is not None)
        leader = self.claim().leader
        assert leader is not None
        return leader

    def text(self, name: str) -> str | None:
        path = self.metadir / f"job.{name}"
        return path.read_bytes().decode("utf-8", "replace") if path.exists() else None

    @property
    def stdout(self) -> bytes:
        return (self.metadir / "job.stdout").read_bytes()

    def events(self) -> list[Event]:
        assert self.script.spool is not None
        found = [parse_event_name(name) for name in sorted(os.listdir(self.script.spool))]
        return [e for e in found if e is not None and e.index == self.script.index]


@dataclass
class Folder:
    """A run's folder, as far as scripts need it."""

    root: Path
    count: int = field(default=0)

    def __post_init__(self) -> None:
        self.spool.mkdir(parents=True)
        self.recorder.write_bytes(recorder_text())

    @property
    def spool(self) -> Path:
        return self.root / "events"

    @property
    def recorder(self) -> Path:
        return self.root / "recorder.bash"

    def job(self, *cmd: str, **fields: Any) -> Job:
        self.count += 1
        metadir = fields.setdefault("metadir", f"{self.root}/{self.count}")
        os.makedirs(metadir, exist_ok=True)
        script = JobScript(
            index=self.count,
            attempt=1,
            run="run-1",
            metadir=metadir,
            recorder=os.fspath(self.recorder),
            cmd=cmd,
            envs={},
            token=f"{self.root}-{self.count}-1",
            spool=os.fspath(self.spool),
        )
        return self.write(replace(script, **fields))

    def run_past_limit(self, *cmd: str, **fields: Any) -> tuple[Job, int]:
        """Run a job that its time limit finds at work, which it tells by printing something."""
        for limit in LIMITS:
            job = self.job(*cmd, timeout=limit, **fields)
            rc = job.run()
            if job.stdout:
                return job, rc
        raise AssertionError("the command has never begun within its limit")

    def write(self, script: JobScript) -> Job:
        path = f"{script.metadir}/job.wrapped.local"
        with open(path, "wb") as file:
            file.write(os.fsencode(render(script)))
        return Job(script, path)
