"""An attempt's whole tree of processes on this machine, found and signalled, and nobody else's.

All of it is synchronous and quick but for `wait_gone`: call that from a thread.
"""

from __future__ import annotations

import contextlib
import errno
import os
import select
import signal
import time
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache

from ..text.script import TOKEN_VARIABLE

__all__ = [
    "ProcessId",
    "Tree",
    "boot_id",
    "find_all_members",
    "find_by_token",
    "is_alive",
    "read_process_id",
    "read_variable",
    "signal_process",
    "signal_trees",
    "wait_gone",
]

# pidfd_send_signal(2), since Linux 6.9: the group that the process leads, whoever has its number now
_PIDFD_SIGNAL_PROCESS_GROUP = 1 << 2
_INIT = 1
_LOOKS = 50
"""How often the list of processes is read at most, where new ones come all the time."""


@dataclass(frozen=True, slots=True)
class ProcessId:
    """A process of this boot: its start time, in ticks since boot, tells it from later ones."""

    pid: int
    starttime: int


@dataclass(frozen=True, slots=True)
class Tree:
    """An attempt's processes: a group with its leader, and all who carry the token.

    `leader` is None where it is not known (the job has not said it, or an earlier boot's did);
    `token` is the value of SCHED_JOB_TOKEN, empty where there is none.
    """

    leader: ProcessId | None
    token: str = ""


@dataclass(frozen=True, slots=True)
class _Process:
    id: ProcessId
    parent: int
    group: int
    token: str | None = None


@cache
def boot_id() -> str:
    """Return what tells this boot of this machine from every other."""
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
        return file.read().strip()


def read_process_id(pid: int) -> ProcessId | None:
    """Identify a living process; None when there is none of that number, or but a zombie."""
    found = _read_process(pid)
    return None if found is None else found.id


def read_variable(process: ProcessId, name: str) -> str | None:
    """Return a variable of the environment that the process was started with, if it can be read."""
    found = _read_variable(process.pid, name)
    return found if is_alive(process) else None


def is_alive(process: ProcessId) -> bool:
    """Whether this very process runs: not a zombie, nor a later one with its number."""
    return read_process_id(process.pid) == process


def find_by_token(token: str) -> list[ProcessId]:
    """Find all processes of this user that were started with the token, wherever they went."""
    return [process.id for process in _snapshot() if process.token == token]


def find_all_members(trees: Iterable[Tree]) -> list[ProcessId]:
    """Find all processes of several trees, with one look at the machine."""
    processes = _snapshot()
    found = {process: None for tree in trees for process in _members(tree, processes)}
    return list(found)


def signal_process(process: ProcessId, number: int) -> bool:
    """Send a signal to this very process; False when it is gone."""
    with _pidfd(process) as descriptor:
        return descriptor is not None and _send(descriptor, number)


def signal_trees(trees: Iterable[Tree], number: int) -> int:
    """Send a signal to all processes of several trees, with one look at the machine."""
    processes = _snapshot()
    return sum(_signal_tree(tree, processes, number) for tree in trees)


def wait_gone(processes: Collection[ProcessId], timeout: float) -> list[ProcessId]:
    """Wait until the processes have ended, at most `timeout` seconds; return those that have not."""
    deadline = time.monotonic() + timeout
    with contextlib.ExitStack() as stack:
        poll = select.poll()
        left: dict[int, ProcessId] = {}
        for process in processes:
            descriptor = stack.enter_context(_pidfd(process))
            if descriptor is not None:
                left[descriptor] = process
                poll.register(descriptor, select.POLLIN)
        while left and (remaining := deadline - time.monotonic()) > 0:
            for descriptor, _ in poll.poll(remaining * 1000):
                poll.unregister(descriptor)
                del left[descriptor]
        return list(left.values())


def _signal_tree(tree: Tree, processes: list[_Process], number: int) -> int:
    members = _members(tree, processes)
    grouped: set[ProcessId] = set()
    # The group at one blow, so that no fork escapes; the others one by one.
    if tree.leader is not None and tree.leader in members and _signal_group(tree.leader, number):
        grouped = {p.id for p in processes if p.group == tree.leader.pid}
    for member in members:
        if member not in grouped:
            signal_process(member, number)
    return len(members)


def _members(tree: Tree, processes: list[_Process]) -> list[ProcessId]:
    found = {p.id.pid: p for p in processes if tree.token and p.token == tree.token}
    leader = tree.leader
    # A record that names the first process as a job's would have all that there are ended.
    if leader is not None and leader.pid != _INIT and any(p.id == leader for p in processes):
        # Only while the leader lives is its number surely the group's.
        found |= {p.id.pid: p for p in processes if p.group == leader.pid or p.id == leader}
    _add_descendants(found, processes)
    found.pop(os.getpid(), None)
    return [process.id for process in found.values()]


def _add_descendants(found: dict[int, _Process], processes: list[_Process]) -> None:
    children: dict[int, list[_Process]] = {}
    for process in processes:
        children.setdefault(process.parent, []).append(process)
    ahead = list(found)
    while ahead:
        for child in children.get(ahead.pop(), ()):
            if child.id.pid not in found:
                found[child.id.pid] = child
                ahead.append(child.id.pid)


def _snapshot() -> list[_Process]:
    """List the living processes of this user.

    The list is asked for until it shows nobody new: while one look is under way, a process may
    start another and end, and neither would be seen.
    """
    user = os.geteuid()
    seen: set[str] = set()
    found = []
    for _ in range(_LOOKS):
        new = [name for name in os.listdir("/proc") if name.isdecimal() and name not in seen]
        found += [process for name in new if (process := _look_at(int(name), user))]
        seen.update(new)
        if not new:
            break
    return found


def _look_at(pid: int, user: int) -> _Process | None:
    try:
        if os.stat(f"/proc/{pid}").st_uid != user:
            return None
    except OSError:
        return None
    found = _read_process(pid)
    return found and replace(found, token=_read_variable(pid, TOKEN_VARIABLE))


def _read_process(pid: int) -> _Process | None:
    try:
        with open(f"/proc/{pid}/stat", "rb", buffering=0) as file:
            data = file.read(4096)
    except OSError:
        return None
    # After the name, which may hold anything: state, parent, group, ... (proc_pid_stat(5))
    fields = data[data.rfind(b")") + 2 :].split()
    if len(fields) < 20 or fields[0] in b"ZX":
        return None
    return _Process(ProcessId(pid, int(fields[19])), int(fields[1]), int(fields[2]))


def _read_variable(pid: int, name: str) -> str | None:
    mark = os.fsencode(f"{name}=")
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            entries = file.read().split(b"\0")
    except OSError:
        return None
    found = [entry for entry in entries if entry.startswith(mark)]
    return os.fsdecode(found[0][len(mark) :]) if found else None


@contextlib.contextmanager
def _pidfd(process: ProcessId) -> Iterator[int | None]:
    """Hold the process, so that its number cannot mean another one meanwhile."""
    try:
        descriptor = os.pidfd_open(process.pid)
    except OSError:
        yield None
        return
    try:
        # It was alive before this was opened, so what is found afterwards is what was opened.
        yield descriptor if is_alive(process) else None
    finally:
        os.close(descriptor)


def _send(descriptor: int, number: int, flags: int = 0) -> bool:
    try:
        signal.pidfd_send_signal(descriptor, number, None, flags)
    except (ProcessLookupError, PermissionError):
        return False  # gone, or another user's by now: not ours to end
    return True


def _signal_group(leader: ProcessId, number: int) -> bool:
    with _pidfd(leader) as descriptor:
        if descriptor is None:
            return False
        try:
            return _send(descriptor, number, _PIDFD_SIGNAL_PROCESS_GROUP)
        except OSError as error:
            if error.errno != errno.EINVAL:
                raise
        try:
            os.killpg(leader.pid, number)
        except (ProcessLookupError, PermissionError):
            return False
        return True
