"""What a job's script and recorder.bash do, step by step, on a simulated disk."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Generator
from dataclasses import dataclass

from ...text.claim import claim_name
from .disk import NodeFiles
from .driver import EPOCH
from .faults import Chance, Fault

__all__ = ["Execution", "Payload", "Steps", "Wrapper"]

NOT_OURS = 121
NOT_SET_UP = 122

_SCRIPT = re.compile(
    r"^_sched_index=(\d+) _sched_attempt=(\d+)\n_sched_dir=(\S+)\n_sched_cmd=\((.*)\)$",
    re.MULTILINE,
)
_LIMIT = re.compile(r"\b_sched_timeout=([0-9.]+)")
_SPOOL = re.compile(r"^_sched_spool=(\S+) ", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Payload:
    """The command runs for so many seconds, unless a signal ends it: that is sent back."""

    seconds: float


Steps = Generator[float | Payload, str | None, int]
"""The steps of a process: pauses, and at last its exit status."""


@dataclass(slots=True)
class Execution:
    """One time that a command really ran."""

    index: int
    attempt: int
    position: int
    """Which claim it holds: 0, or n of `.r<n>`."""
    jid: str
    restart: int
    started: float
    ended: float | None = None
    rc: int | None = None
    """None while it runs, or where it was killed before it ended by itself."""
    recorded: bool = False
    """Whether its claim tells of its end."""
    limit: float = math.inf
    """The seconds that it had."""
    timed_out: bool = False
    """Whether it was ended because it took longer than it had."""


class Wrapper:
    """One start of a job's script by an engine."""

    def __init__(
        self,
        script: str,
        attempt: int,
        jid: str,
        restart: int,
        files: NodeFiles,
        chance: Chance,
        clock: Callable[[], float],
        on_start: Callable[[Execution], None],
    ) -> None:
        """Run the script for that attempt, as the engine's job `jid`, started `restart` times before."""
        self._script = script
        self._attempt = attempt
        self._jid = jid
        self._restart = restart
        self._files = files
        self._chance = chance
        self._clock = clock
        self._on_start = on_start
        self._position = 0
        self._slow = chance.strikes(Fault.NODE_SLOW)
        self._full = chance.dice("full").choice(("claim", "record"))
        if not chance.strikes(Fault.FULL_DISK):
            self._full = ""
        self.execution: Execution | None = None
        self.events: list[str] = []
        """The events that it has created."""

    def steps(self) -> Steps:
        """Do what the script and the recorder do."""
        text = self._files.read(self._script)
        if text is None:
            return 127
        script = text.decode()
        found, spool = _SCRIPT.search(script), _SPOOL.search(script)
        if found is None or spool is None:
            return 2  # what bash says of a script that is cut short
        index, attempt, self._dir, command = int(found[1]), int(found[2]), found[3], found[4]
        self._event_base = f"{spool[1]}/{index}.{attempt}"
        if attempt != self._attempt:
            return NOT_OURS
        self._files.full = self._full == "claim"
        rc = yield from self._take()
        if rc == NOT_SET_UP:
            self._event(f"FAILED.{rc}", "SETUP")
        if rc:
            return rc
        limit = _LIMIT.search(script)
        return (yield from self._attend(index, command, float(limit[1]) if limit else math.inf))

    def _take(self) -> Generator[float | Payload, str | None, int]:
        files, base = self._files, f"{self._dir}/{claim_name(self._attempt)}"
        if files.exists(f"{self._dir}/{claim_name(self._attempt + 1)}"):
            return NOT_OURS
        yield self._pause()
        claim = base
        while True:
            self._claim = claim
            now = EPOCH + self._clock()
            line = f"{self._jid} {self._restart} node boot 1 1 {now:.6f}\n"
            try:
                if files.create(claim, line.encode()):
                    return 0
            except OSError:
                return NOT_SET_UP
            yield self._pause()
            if not self._restart or not self._may_follow(files.read(claim) or b""):
                return NOT_OURS
            self._position += 1
            claim = f"{self._dir}/{claim_name(self._attempt, self._position)}"

    def _may_follow(self, claim: bytes) -> bool:
        """Tell whether that claim is of an earlier start of the same job that did not finish."""
        return claim.split(b" ", 1)[0] == self._jid.encode() and b"\nE 0 " not in claim

    def _attend(self, index: int, command: str, limit: float) -> Steps:
        _, seconds, codes = command.split()
        rcs = codes.split(",")
        rc = int(rcs[min(self._attempt, len(rcs)) - 1])
        self.execution = Execution(
            index, self._attempt, self._position, self._jid, self._restart, self._clock()
        )
        self.execution.limit = limit
        self._on_start(self.execution)
        yield self._pause()
        self._event("RUNNING")
        signal = yield Payload(min(float(seconds), limit))
        self.execution.ended = self._clock()
        self.execution.timed_out = not signal and float(seconds) > limit
        self.execution.rc = rc = 143 if signal or self.execution.timed_out else rc
        self._files.full = self._files.full or self._full == "record"
        yield self._pause()
        return (yield from self._record(rc, signal))

    def _record(self, rc: int, signal: str | None) -> Steps:
        files = self._files
        if files.exists(f"{self._dir}/{claim_name(self._attempt + 1)}") or files.exists(
            f"{self._dir}/{claim_name(self._attempt, self._position + 1)}"
        ):
            return NOT_OURS
        assert self.execution is not None
        failure = "TIMEOUT" if self.execution.timed_out else "EXIT" if rc else "-"
        mark = f"G {signal}\n" if signal else ""
        end = f"{mark}E {rc} {failure} {EPOCH + self._clock():.6f}\n"
        yield self._pause()
        self.execution.recorded = self._try(files.append, self._claim, end.encode())
        self._try(files.write, f"{self._dir}/job.rc", f"{rc}\n".encode())
        yield self._pause()
        self._event(f"FAILED.{rc}" if rc else f"FINISHED.{rc}", failure)
        return rc

    def _event(self, what: str, failure: str = "-") -> None:
        path = f"{self._event_base}.{self._position}.{what}"
        self.events.append(path)
        words = f"{failure} {EPOCH + self._clock():.6f} node {self._jid}\n"
        self._files.tell(path, words.encode())

    def _try(self, write: Callable[[str, bytes], None], path: str, data: bytes) -> bool:
        try:
            write(path, data)
        except OSError:
            return False
        return True

    def _pause(self) -> float:
        return self._chance.between("wrapper", 0.0, 4.0 if self._slow else 0.05)
