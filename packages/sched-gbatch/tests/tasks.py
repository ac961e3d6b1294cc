"""The script of a task, run by bash on this machine with a folder in the place of the mounted bucket."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sched_core import AttemptId, SpecPath
from sched_core.runfolder.records import dump
from sched_core.text.event import event_name, parse_event_name
from sched_core.text.recorder import recorder_name
from sched_core.text.script import recorder_text
from sched_gbatch.bundles import bundle_paths, bundles
from sched_gbatch.taskscript import TaskScript, render_task_script

from .helpers import made

SID = "0001"
EVENT = re.compile(
    r"(?P<index>\d+)\.(?P<attempt>\d+)\.(?P<restart>\d+)\.(?P<status>[A-Z]+)(?:\.(?P<rc>\d+))?"
    r",(?P<class>[A-Z_]+|-),(?P<host>[A-Za-z0-9._-]+),(?P<started>[\d.]+|-),(?P<ended>[\d.]+|-)"
    r",(?P<user>[\d.]+|-),(?P<system>[\d.]+|-),(?P<stdout>[0-9a-f]{32}|-),(?P<stderr>[0-9a-f]{32}|-)"
)


PATIENCE = 90.0
"""Seconds: what hangs is told of before the limit of a test."""


def until(condition: Callable[[], Any], what: str = "") -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, what or condition
        time.sleep(0.02)


@dataclass
class Task:
    """One start of a task."""

    bucket: Bucket
    process: subprocess.Popen[bytes]

    def wait(self) -> int:
        """Return the exit code; nothing of the task may be left on the machine."""
        try:
            code = self.process.wait(PATIENCE)
        finally:
            self.process.kill()
            self.process.wait()
        self.bucket.check_tidy()
        return code

    def until_it_waits(self) -> None:
        """Wait until the script has found something missing and tries again in a while."""
        until(lambda: "sleep" in self._children(), "the task tries again")

    def _children(self) -> list[str]:
        found = []
        for path in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                name, _, rest = path.read_text().partition("(")[2].rpartition(")")
                if int(rest.split()[1]) == self.process.pid:
                    found.append(name)
        return found

    @property
    def scratch(self) -> Path:
        """Where it runs its job."""
        (found,) = self.bucket.temporary.glob("sched.*")
        return found


class Bucket:
    """A run's folder, and what a driver puts there for a submission of some commands."""

    def __init__(
        self, root: Path, commands: Sequence[Sequence[str] | None], attempt: int = 1, **options: Any
    ) -> None:
        self.mounted = root / "mounted folder"
        self.temporary = root / "tmp"
        self.printed = root / "printed"
        self.scheduler = made(SpecPath("gs://bucket/run1", str(self.mounted)), **options)
        self.scheduler.mount_volumes()
        self.run = self.scheduler.session.run
        self.tasks = [AttemptId(index, attempt) for index in range(len(commands))]
        self.scripts = [self._script(n, cmd, attempt) for n, cmd in enumerate(commands)]
        for folder in (
            self.mounted / ".sched/kills",
            self.mounted / ".sched/bundles",
            self.temporary,
        ):
            folder.mkdir(parents=True)
        self.begin_run(self.run)
        self.recorder = self.mounted / ".sched" / recorder_name()
        self.recorder.write_bytes(recorder_text())
        self.write_bundles()

    def begin_run(self, run: str) -> None:
        """Have the folder be that of a run."""
        data = {"schema_version": 1, "run": run, "generation": 1}
        (self.mounted / ".sched/run.json").write_bytes(dump(data))

    def _script(self, index: int, cmd: Sequence[str] | None, attempt: int) -> bytes | None:
        if cmd is None:
            return None
        job = self.scheduler.new_job(index, cmd)
        job.attempt = attempt
        return os.fsencode(self.scheduler.wrap_job_script(job))

    @property
    def bundle(self) -> Path:
        """The first bundle."""
        return self.mounted / f".sched/bundles/{SID}.0"

    def write_bundles(self) -> None:
        paths = bundle_paths(str(self.bundle.parent), SID, len(self.tasks))
        for path, data in zip(paths, bundles(SID, self.tasks, self.scripts), strict=True):
            Path(path).write_bytes(data)

    def script(self, *, patience: int) -> bytes:
        scheduler = self.scheduler
        text = render_task_script(
            TaskScript("a run", str(self.mounted), SID, self.run, "gbatch", scheduler.grace)
        )
        assert b" _sched_patience=120\n" in text
        return text.replace(b" _sched_patience=120\n", b" _sched_patience=%d\n" % patience)

    def start(self, number: int = 0, *, again: int = 0, patience: int = 60, **more: str) -> Task:
        """Start the task of that number, as Batch does."""
        path = self.mounted / ".sched/tasks.bash"
        path.write_bytes(self.script(patience=patience))
        environment = os.environ | {
            "BATCH_JOB_ID": "b",
            "BATCH_TASK_INDEX": str(number),
            "BATCH_TASK_RETRY_ATTEMPT": str(again),
            "TMPDIR": str(self.temporary),
        }
        with self.printed.open("ab") as printed:
            process = subprocess.Popen(
                ["/bin/bash", path],
                env=environment | more,
                stdin=subprocess.DEVNULL,
                stdout=printed,
                stderr=printed,
                start_new_session=True,
            )
        return Task(self, process)

    def ran(self, number: int = 0, **options: Any) -> int:
        """Return the exit code of a task, once it has ended."""
        return self.start(number, **options).wait()

    def kill(self, *lines: str, sid: str = SID) -> None:
        """Have jobs ended, as the driver tells it."""
        draft = self.mounted / "draft"
        draft.write_text("".join(f"{line}\n" for line in lines))
        draft.rename(self.mounted / f".sched/kills/{sid}.{len(self.killed()):04}")

    def killed(self) -> list[Path]:
        return [*(self.mounted / ".sched/kills").iterdir()]

    # --- what is found there -------------------------------------------------------------------------

    def events(self) -> list[dict[str, Any]]:
        """Return the events, each by the names of its fields."""
        folder = self.mounted / ".sched/events"
        names = sorted(path.name for path in folder.iterdir()) if folder.exists() else []
        matches = [EVENT.fullmatch(name) for name in names]
        assert all(matches), names
        assert [event_name(event) for event in map(parse_event_name, names) if event] == names
        return [found.groupdict() for found in matches if found]

    def event(self) -> dict[str, Any]:
        (only,) = self.events()
        return only

    def runs(self) -> bool:
        """Whether it was told that a job runs."""
        return any(event["status"] == "RUNNING" for event in self.events())

    def read(self, name: str) -> bytes:
        return (self.mounted / name).read_bytes()

    def check_tidy(self) -> None:
        assert [*self.temporary.iterdir()] == []
        until(lambda: not [*self.processes()], "processes of the job have ended")

    def processes(self) -> Iterator[int]:
        """Return what carries the token of one of the run's jobs."""
        for path in Path("/proc").glob("[0-9]*/environ"):
            with contextlib.suppress(OSError):
                if f"SCHED_JOB_TOKEN={self.run}-".encode() in path.read_bytes():
                    yield int(path.parent.name)


def end(task: Task, number: int = signal.SIGTERM) -> None:
    """Have a task ended as an agent does: it signals what it has started, not what that has started."""
    task.process.send_signal(number)
