"""The driver's side of a slot, as small as can be."""

from __future__ import annotations

import os
import select
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

from sched_core.text.claim import Claim, claim_name, parse_claim
from sched_core.text.event import Event, parse_event_name
from sched_core.text.script import JobScript, recorder_text, render
from sched_core.text.usage import UNKNOWN, parse_usage


def until(condition: Callable[[], bool]) -> None:
    """Wait for what the kernel tells nobody; pytest's own timeout ends it."""
    while not condition():
        time.sleep(0.001)


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

    def claim(self) -> Claim:
        path = self.metadir / claim_name(self.script.attempt)
        return parse_claim(path.read_bytes() if path.exists() else b"")

    def text(self, name: str) -> str | None:
        path = self.metadir / f"job.{name}"
        return path.read_text() if path.exists() else None

    def outcome(self) -> tuple[int | None, str | None, str | None, str | None]:
        claim = self.claim()
        return claim.rc, claim.failure, self.text("rc"), self.text("status")

    def events(self) -> list[Event]:
        assert self.script.spool is not None
        found = map(parse_event_name, sorted(os.listdir(self.script.spool)))
        return [e for e in found if e is not None and e.index == self.script.index]


@dataclass
class Folder:
    root: Path
    count: int = field(default=0)

    def __post_init__(self) -> None:
        (self.root / "events").mkdir()
        (self.root / "recorder.bash").write_bytes(recorder_text())

    def job(self, *cmd: str, **fields: Any) -> Job:
        self.count += 1
        metadir = f"{self.root}/{self.count}"
        os.mkdir(metadir)
        known: dict[str, Any] = {
            "index": self.count,
            "attempt": 1,
            "run": "run-1",
            "metadir": metadir,
            "recorder": f"{self.root}/recorder.bash",
            "envs": {},
            "token": f"{self.root}-{self.count}-1",
            "spool": f"{self.root}/events",
        }
        script = JobScript(cmd=cmd, **known | fields)
        path = f"{metadir}/job.wrapped.local"
        Path(path).write_bytes(os.fsencode(render(script)))
        return Job(script, path)


class Slot:
    """One slot; what it says is read line by line."""

    def __init__(
        self,
        folder: Folder,
        env: Mapping[str, str] | None = None,
        user: int | None = None,
        prefix: Sequence[str] = (),
    ) -> None:
        given, self.writer = os.pipe2(os.O_CLOEXEC)
        self.reader, said = os.pipe2(os.O_CLOEXEC)
        with as_file(files("sched_core.processes") / "slot.bash") as path:
            self.process = subprocess.Popen(
                [*prefix, "bash", "-p", path, folder.root / "recorder.bash", "3"],
                stdin=given,
                stdout=said,
                stderr=subprocess.DEVNULL,
                env=env,
                user=user,
                start_new_session=True,
            )
            os.close(given)
            os.close(said)
        self.rest = b""
        self.used = UNKNOWN
        """What the job that ended last has used."""

    def give(self, job: Job, exports: str = "", attempt: int | None = None) -> None:
        number = job.script.attempt if attempt is None else attempt
        fields = (job.path, exports, str(job.script.index), str(number))
        os.write(self.writer, b"".join(os.fsencode(part) + b"\0" for part in fields))

    def line(self) -> list[str]:
        """Return the next line's words; none at the end of file."""
        while b"\n" not in self.rest:
            data = os.read(self.reader, 4096)
            if not data:
                return []
            self.rest += data
        line, _, self.rest = self.rest.partition(b"\n")
        words = line.decode().split()
        return self._without_usage(words) if words[0] == "E" else words

    def _without_usage(self, words: list[str]) -> list[str]:
        """Keep what the job has used; leave that out, and a class that there is not."""
        self.used = parse_usage(words[5] if len(words) > 5 else "")
        return [word for word in words[:5] if word != "-"]

    def run(self, job: Job, exports: str = "", attempt: int | None = None) -> list[list[str]]:
        """Have the slot run a job; return what it says about it."""
        self.give(job, exports, attempt)
        lines = [self.line()]
        while lines[-1] and lines[-1][0] != "E":
            lines.append(self.line())
        return lines

    def start(self, job: Job, exports: str = "") -> int:
        """Have the slot start a job; return its process group."""
        self.give(job, exports)
        word, index, attempt, leader, _ = self.line()
        assert (word, int(index), int(attempt)) == ("S", job.script.index, job.script.attempt)
        return int(leader)

    def silent(self) -> bool:
        return not self.rest and not select.select([self.reader], [], [], 0)[0]

    def hang_up(self) -> None:
        """What a driver's death closes."""
        for descriptor in {self.writer, self.reader} - {-1}:
            os.close(descriptor)
        self.writer = self.reader = -1

    def close(self) -> int:
        if self.writer >= 0:
            os.close(self.writer)
            self.writer = -1
        code = self.process.wait()
        self.hang_up()
        return code
