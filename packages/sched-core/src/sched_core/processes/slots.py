"""Slots: shells that live through many jobs, each running one at a time.

A slot reads what to run from a pipe of its own and says on a pipe that all share what starts and
ends; it leads a session of its own, so that nothing which befalls the driver reaches it.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import select
import shutil
import signal
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import NamedTuple

from ..errors import EngineUnavailable
from ..model.failure import Failure
from ..runfolder.submissions import AttemptId
from ..text.usage import UNKNOWN, Usage, parse_usage
from .tree import ProcessId, is_alive

__all__ = ["Ended", "SlotDied", "SlotPool", "Started", "bash_path"]

_SLOT_SCRIPT = str(Path(__file__).with_name("slot.bash"))
_READ_SIZE = 1 << 16
# What the host ignores or blocks would stay so in every job: Python itself ignores PIPE and XFSZ.
_ALL_SIGNALS = signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}
_QUIT = b"\0\0\0\0"
"""No job but the end: a process that the host has forked may hold the pipe open for long."""


class Started(NamedTuple):
    """The command's process group is there."""

    attempt: AttemptId
    leader: int
    start_time: int


class Ended(NamedTuple):
    """The attempt's record is written."""

    attempt: AttemptId
    rc: int
    failure: Failure | None
    used: Usage = UNKNOWN


class SlotDied(NamedTuple):
    """A slot is gone with what it had."""

    attempts: tuple[AttemptId, ...]


Message = Started | Ended | SlotDied


@dataclass(slots=True)
class _Slot:
    number: int
    pid: int
    pidfd: int
    pipe: int | None
    attempts: list[AttemptId] = field(default_factory=list)


def bash_path() -> str:
    """Return where bash is. Raises EngineUnavailable with what to do."""
    found = shutil.which("bash")
    if found is None:
        raise EngineUnavailable("bash is not in PATH: install it, jobs are run by it")
    return found


_left_behind: set[int] = set()
"""Slots that ran a job when their run was closed: children of this process, until they are reaped."""


def _reap() -> None:
    for pid in list(_left_behind):
        try:
            ended = os.waitpid(pid, os.WNOHANG) != (0, 0)
        except ChildProcessError:
            ended = True
        if ended:
            _left_behind.discard(pid)


def _pipe() -> tuple[int, int]:
    """Return a pipe off the standard streams: a host may have closed those, and write to them."""
    ends = os.pipe2(os.O_CLOEXEC)
    moved = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 3) if end < 3 else end for end in ends]
    for end in {*ends} - {*moved}:
        os.close(end)
    return moved[0], moved[1]


class SlotPool:
    """All slots of a run, and one epoll that tells when any of them has something to say."""

    def __init__(self, recorder: str, directory: str = "") -> None:
        """Open the pipe that the slots share; none is started yet. They are in `directory`."""
        _reap()
        self._recorder = recorder
        self._directory = directory
        self._bash = bash_path()
        self._epoll = select.epoll()
        self._output, self._input = _pipe()
        os.set_blocking(self._output, False)
        self._epoll.register(self._output, select.EPOLLIN)
        self._slots: dict[int, _Slot] = {}
        self._idle: list[_Slot] = []
        self._busy: dict[AttemptId, _Slot] = {}
        self._watched: dict[int, tuple[AttemptId, int]] = {}
        self._rest = b""

    def fileno(self) -> int:
        """Return the descriptor that is readable when `messages` has something."""
        return self._epoll.fileno()

    def run(self, attempt: AttemptId, script: str, exports: str) -> int:
        """Have an idle slot, or a new one, run a job; return the slot's pid."""
        slot = self._idle.pop() if self._idle else self._start()
        self._give(slot, attempt, script, exports)
        return slot.pid

    def run_alone(self, attempt: AttemptId, script: str, exports: str) -> int:
        """Run one job in a slot of its own, which ends with it; return the slot's pid."""
        slot = self._start()
        self._give(slot, attempt, script, exports)
        self._hang_up(slot)
        return slot.pid

    def watch(self, attempt: AttemptId, process: ProcessId, number: int = -1) -> bool:
        """Have `messages` tell when that process, no child of this one, has ended; False if it has.

        It is told as SlotDied. Until then no other slot gets its number.
        """
        try:
            pidfd = os.pidfd_open(process.pid)
        except ProcessLookupError:
            return False
        if not is_alive(process):
            os.close(pidfd)
            return False
        self._watched[pidfd] = (attempt, number)
        self._epoll.register(pidfd, select.EPOLLIN)
        return True

    def messages(self) -> Iterator[Message]:
        """Return what the slots have said since the last call."""
        dead = []
        for descriptor, _ in self._epoll.poll(0):
            if descriptor == self._output:
                continue
            if descriptor in self._slots or descriptor in self._watched:
                dead.append(descriptor)
        # What a slot said before it died comes first.
        yield from self._read()
        for descriptor in dead:
            if (message := self._bury(descriptor)) is not None:
                yield message

    def close(self) -> None:
        """Let all slots go: an idle one ends at once, a busy one when its job has."""
        for slot in list(self._slots.values()):
            self._hang_up(slot)

    def idle(self) -> bool:
        """Tell whether no slot has anything to run."""
        return not any(slot.attempts for slot in self._slots.values())

    @property
    def living(self) -> int:
        """How many slots have not ended."""
        return len(self._slots)

    def dispose(self) -> None:
        """Close all descriptors. Slots that still run a job finish and record it."""
        for slot in self._slots.values():
            self._hang_up(slot)
            os.close(slot.pidfd)
            _left_behind.add(slot.pid)
        for pidfd in self._watched:
            os.close(pidfd)
        self._slots.clear()
        self._watched.clear()
        self._epoll.close()
        os.close(self._output)
        os.close(self._input)

    # --- one slot --------------------------------------------------------------------------------

    def _start(self) -> _Slot:
        number = self._free_number()
        reader, writer = _pipe()
        try:
            pid = os.posix_spawn(
                self._bash,
                ["bash", "-p", _SLOT_SCRIPT, self._recorder, str(number), self._directory],
                os.environ,
                file_actions=[
                    (os.POSIX_SPAWN_DUP2, reader, 0),
                    (os.POSIX_SPAWN_DUP2, self._input, 1),
                    (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
                ],
                setsid=True,
                setsigmask=(),
                setsigdef=_ALL_SIGNALS,
            )
        except OSError:
            os.close(writer)
            raise
        finally:
            os.close(reader)
        slot = _Slot(number, pid, os.pidfd_open(pid), writer)
        self._slots[slot.pidfd] = slot
        self._epoll.register(slot.pidfd, select.EPOLLIN)
        return slot

    def _free_number(self) -> int:
        taken = {slot.number for slot in self._slots.values()}
        taken.update(number for _, number in self._watched.values())
        return next(number for number in count() if number not in taken)

    def _give(self, slot: _Slot, attempt: AttemptId, script: str, exports: str) -> None:
        assert slot.pipe is not None
        slot.attempts.append(attempt)
        self._busy[attempt] = slot
        fields = (script, exports, str(attempt.job_index), str(attempt.attempt))
        message = b"".join(os.fsencode(field) + b"\0" for field in fields)
        try:
            # Far below what a pipe holds, so that this never blocks.
            os.write(slot.pipe, message)
        except OSError as error:
            if error.errno != errno.EPIPE:
                raise
            # The slot has just died: its pidfd tells, and then what it had is dealt with.

    def _hang_up(self, slot: _Slot) -> None:
        if slot.pipe is not None:
            with contextlib.suppress(BrokenPipeError):
                os.write(slot.pipe, _QUIT)
            os.close(slot.pipe)
            slot.pipe = None

    def _bury(self, descriptor: int) -> SlotDied | None:
        self._epoll.unregister(descriptor)
        os.close(descriptor)
        watched = self._watched.pop(descriptor, None)
        if watched is not None:
            return SlotDied((watched[0],))
        slot = self._slots.pop(descriptor)
        with contextlib.suppress(ChildProcessError):  # where the host ignores SIGCHLD
            os.waitpid(slot.pid, 0)
        self._hang_up(slot)
        if slot in self._idle:
            self._idle.remove(slot)
        for lost in slot.attempts:
            self._busy.pop(lost, None)
        return SlotDied(tuple(slot.attempts)) if slot.attempts else None

    # --- what they say ---------------------------------------------------------------------------

    def _read(self) -> Iterator[Message]:
        while True:
            try:
                data = os.read(self._output, _READ_SIZE)
            except BlockingIOError:
                return
            *lines, self._rest = (self._rest + data).split(b"\n")
            for line in lines:
                yield self._parse(line.split())
            if len(data) < _READ_SIZE:
                return

    def _parse(self, words: list[bytes]) -> Message:
        attempt = AttemptId(int(words[1]), int(words[2]))
        if words[0] == b"S":
            return Started(attempt, int(words[3]), int(words[4]))
        slot = self._busy.pop(attempt, None)
        if slot is not None:
            slot.attempts.remove(attempt)
            if slot.pipe is not None and not slot.attempts:
                self._idle.append(slot)
        failure = Failure(words[4].decode()) if words[4] != b"-" else None
        used = parse_usage(words[5].decode()) if len(words) > 5 else UNKNOWN
        return Ended(attempt, int(words[3]), failure, used)
