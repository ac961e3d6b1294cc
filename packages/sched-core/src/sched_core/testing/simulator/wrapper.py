"""What a job's script and recorder.bash do, step by step, on a simulated disk."""

from __future__ import annotations

import math
import re
import shlex
from collections.abc import Callable, Generator
from dataclasses import dataclass

from ...text.claim import claim_name
from ...text.recorder import NOT_OURS, NOT_SET_UP
from .chance import Chance
from .faults import Fault
from .nodefiles import NodeFiles, Trouble
from .wallclock import WallClock
from .work import Behaviour, Work

__all__ = ["Execution", "Payload", "Start", "Steps", "Wrapper"]

_SCRIPT = re.compile(
    r"^_sched_index=(\d+) _sched_attempt=(\d+)\n_sched_dir=(\S+)\n"
    r"_sched_cmd=\((.*?)\)\n_sched_env\(\) {\n",
    re.MULTILINE | re.DOTALL,
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
    command: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Start:
    """What an engine starts: a job's script for one attempt, as its job `jid`, which it has started
    `restart` times before.
    """

    script: str
    attempt: int
    jid: str
    restart: int


class Wrapper:
    """One start of a job's script by an engine."""

    def __init__(
        self,
        start: Start,
        files: NodeFiles,
        chance: Chance,
        clock: Callable[[], float],
        behaviour: Behaviour,
        on_start: Callable[[Execution], None],
    ) -> None:
        """Run what is started; `behaviour` tells what its command does."""
        self._start = start
        self._attempt = start.attempt
        self._files = files
        self._chance = chance
        self._clock = clock
        self._wall_clock = WallClock(clock, chance, Fault.NODE_CLOCK_JUMPS)
        self._behaviour = behaviour
        self._on_start = on_start
        self._position = 0
        self._slow = chance.strikes(Fault.NODE_SLOW)
        self._troubled = chance.dice("full").choice(("claim", "record"))
        self._trouble = self._draw_trouble()
        self.execution: Execution | None = None
        self.events: list[str] = []
        """The events that it has created."""

    def _draw_trouble(self) -> Trouble | None:
        if self._chance.strikes(Fault.FULL_DISK):
            return "full"
        return "read-only" if self._chance.strikes(Fault.READ_ONLY_DISK) else None

    def steps(self) -> Steps:
        """Do what the script and the recorder do."""
        text = self._files.read(self._start.script)
        if text is None:
            return 127
        script = text.decode()
        found, spool = _SCRIPT.search(script), _SPOOL.search(script)
        if found is None or spool is None:
            return 2  # what bash says of a script that is cut short
        index, attempt, self._dir = int(found[1]), int(found[2]), found[3]
        self._event_base = f"{spool[1]}/{index}.{attempt}"
        if attempt != self._attempt:
            return NOT_OURS
        if self._troubled == "claim":
            self._files.trouble = self._trouble
        rc = yield from self._take()
        if rc == NOT_SET_UP:
            self._event(f"FAILED.{rc}", "SETUP")
        if rc:
            return rc
        limit = _LIMIT.search(script)
        command = tuple(shlex.split(found[4]))
        return (yield from self._attend(index, command, float(limit[1]) if limit else math.inf))

    def _take(self) -> Generator[float | Payload, str | None, int]:
        files, base = self._files, f"{self._dir}/{claim_name(self._attempt)}"
        if files.exists(f"{self._dir}/{claim_name(self._attempt + 1)}"):
            return NOT_OURS
        yield self._pause()
        claim = base
        start = self._start
        while True:
            self._claim = claim
            line = f"{start.jid} {start.restart} node boot 1 1 {self._wall_clock():.6f}\n"
            try:
                if files.create(claim, line.encode() + _times(0.0)):
                    return 0
            except OSError:
                return NOT_SET_UP
            yield self._pause()
            if not start.restart or not self._may_follow(files.read(claim) or b""):
                return NOT_OURS
            self._position += 1
            claim = f"{self._dir}/{claim_name(self._attempt, self._position)}"

    def _may_follow(self, claim: bytes) -> bool:
        """Tell whether that claim is of an earlier start of the same job that did not finish."""
        return claim.split(b" ", 1)[0] == self._start.jid.encode() and b"\nE 0 " not in claim

    def _attend(self, index: int, command: tuple[str, ...], limit: float) -> Steps:
        start = self._start
        work = self._behaviour(command, self._attempt)
        self.execution = execution = Execution(
            index,
            self._attempt,
            self._position,
            start.jid,
            start.restart,
            self._clock(),
            limit=limit,
            command=command,
        )
        self._on_start(execution)
        yield self._pause()
        self._event("RUNNING")
        signal = yield Payload(min(work.seconds, limit))
        execution.ended = self._clock()
        execution.timed_out = not signal and work.seconds > limit
        execution.rc = self._status(work, signal)
        if self._troubled == "record":
            self._files.trouble = self._trouble
        yield self._pause()
        if work.stdout:
            self._try(self._files.write, f"{self._dir}/job.stdout", work.stdout)
        return (yield from self._record(execution, signal))

    def _status(self, work: Work, signal: str | None) -> int:
        assert self.execution is not None
        if signal == "KILL":
            return 137
        return 143 if signal or self.execution.timed_out else work.rc

    def _record(self, execution: Execution, signal: str | None) -> Steps:
        files = self._files
        if files.exists(f"{self._dir}/{claim_name(self._attempt + 1)}") or files.exists(
            f"{self._dir}/{claim_name(self._attempt, self._position + 1)}"
        ):
            return NOT_OURS
        rc = execution.rc
        assert rc is not None
        failure = "TIMEOUT" if execution.timed_out else "EXIT" if rc else "-"
        # A KILL is for the command alone: whoever records has not heard of it.
        mark = f"G {signal}\n" if signal == "TERM" else ""
        end = f"{mark}E {rc} {failure} {self._wall_clock():.6f}\n"
        times = _times((execution.ended or execution.started) - execution.started)
        yield self._pause()
        execution.recorded = self._try(files.append, self._claim, times + end.encode())
        kept = self._try(files.write, f"{self._dir}/job.rc", f"{rc}\n".encode())
        yield self._pause()
        kept |= self._event(f"FAILED.{rc}" if rc else f"FINISHED.{rc}", failure)
        return rc if kept or execution.recorded else NOT_SET_UP

    def _event(self, what: str, failure: str = "-") -> bool:
        path = f"{self._event_base}.{self._position}.{what}"
        words = f"{failure} {self._wall_clock():.6f} node {self._start.jid}\n"
        if told := self._try(self._files.tell, path, words.encode()):
            self.events.append(path)
        return told

    def _try(self, write: Callable[[str, bytes], None], path: str, data: bytes) -> bool:
        try:
            write(path, data)
        except OSError:
            return False
        return True

    def _pause(self) -> float:
        return self._chance.between("wrapper", 0.0, 4.0 if self._slow else 0.05)


def _times(seconds: float) -> bytes:
    """Return what bash's `times` writes: of the shell, and of what it has started."""
    minutes, rest = divmod(seconds, 60.0)
    return f"0m0.000s 0m0.000s\n{int(minutes)}m{rest:.3f}s 0m0.000s\n".encode()
