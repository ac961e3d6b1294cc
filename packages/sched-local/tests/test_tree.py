"""Trees of real processes: all of one is found and ended, and nothing else."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest

from sched_core.ports import system_ports
from sched_core.processes import tree
from sched_core.processes.claims import leader_of
from sched_core.processes.ending import end_trees
from sched_core.processes.tree import (
    ProcessId,
    Tree,
    find_all_members,
    find_by_token,
    is_alive,
    read_process_id,
    signal_process,
    signal_trees,
    wait_gone,
)
from sched_core.text.script import TOKEN_VARIABLE

from .slot_driver import Folder, Slot, state_of, until

# Starts a grandchild in a session of its own, orphaned by a double fork, that ignores TERM. It tells
# of itself when the process between them is gone.
STRAY = """
import os, signal, time
if os.fork() == 0:
    os.setsid()
    between = os.getpid()
    if os.fork() == 0:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        while os.getppid() == between:
            time.sleep(0.001)
        os.write(1, f"{os.getpid()}\\n".encode())
        signal.pause()
    os._exit(0)
os.wait()
signal.pause()
"""


def end(ended: Tree, grace: float, patience: float = 5.0) -> list[ProcessId]:
    """End a tree as the scheduler does; return what is left of it."""

    async def main() -> None:
        await end_trees(system_ports("."), [ended], grace, patience=patience)

    anyio.run(main)
    return find_all_members([ended])


class Started:
    """A process of one's own that leads a group; what it prints are the ids of more."""

    def __init__(self, *cmd: str, token: str = "") -> None:
        self.process = subprocess.Popen(
            cmd,
            env=os.environ | ({TOKEN_VARIABLE: token} if token else {}),
            stdout=subprocess.PIPE,
            process_group=0,
        )
        found = read_process_id(self.process.pid)
        assert found is not None
        self.id = found

    def said(self) -> ProcessId:
        assert self.process.stdout is not None
        found = read_process_id(int(self.process.stdout.readline()))
        assert found is not None
        return found

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


@pytest.fixture
def start() -> Iterator[type[Started]]:
    made: list[Started] = []

    class Kept(Started):
        def __init__(self, *cmd: str, token: str = "") -> None:
            super().__init__(*cmd, token=token)
            made.append(self)

    yield Kept
    for process in made:
        process.close()


@pytest.fixture
def token(tmp_path: Path) -> str:
    return os.fspath(tmp_path)


def test_this_process_is_known() -> None:
    own = read_process_id(os.getpid())
    assert own is not None
    assert is_alive(own)


def test_who_is_gone_is_not_alive(start: type[Started]) -> None:
    one = start("sleep", "1000")
    assert is_alive(one.id)
    one.process.kill()
    until(lambda: state_of(one.id.pid) == "Z")
    assert not is_alive(one.id)
    one.process.wait()
    assert not is_alive(one.id)
    assert not signal_process(one.id, signal.SIGKILL)
    assert wait_gone([one.id], 1000) == []


def test_a_name_with_blanks_and_brackets_is_read(tmp_path: Path, start: type[Started]) -> None:
    path = tmp_path / "a) Z 1 (b"
    path.symlink_to("/bin/sleep")
    one = start(os.fspath(path), "1000")
    until(lambda: Path(f"/proc/{one.id.pid}/comm").read_text() != "python\n")
    assert read_process_id(one.id.pid) == one.id


def test_another_process_of_the_same_number_is_left_alone(start: type[Started], token: str) -> None:
    one = start("sleep", "1000")
    earlier = ProcessId(one.id.pid, one.id.starttime - 1)
    assert not is_alive(earlier)
    assert not signal_process(earlier, signal.SIGKILL)
    assert signal_trees([Tree(earlier, token)], signal.SIGKILL) == 0
    assert end(Tree(earlier), 0) == []
    assert one.process.poll() is None
    assert is_alive(one.id)


def test_a_group_dies_at_once(start: type[Started]) -> None:
    one = start("sh", "-c", "sleep 1000 & echo $!; wait")
    child = one.said()
    bystander = start("sleep", "1000")
    assert set(find_all_members([Tree(one.id)])) == {one.id, child}
    assert end(Tree(one.id), 1000) == []
    assert one.process.wait() == -signal.SIGTERM
    assert not is_alive(child)
    assert is_alive(bystander.id)


def test_what_ignores_term_is_killed_after_the_grace(start: type[Started]) -> None:
    one = start("sh", "-c", "trap '' TERM; echo $$; sleep 1000; sleep 1000")
    one.said()
    assert end(Tree(one.id), 0.05) == []
    assert one.process.wait() == -signal.SIGKILL


def test_a_stopped_process_hears_term(start: type[Started]) -> None:
    one = start("sleep", "1000")
    one.process.send_signal(signal.SIGSTOP)
    until(lambda: state_of(one.id.pid) == "T")
    assert end(Tree(one.id), 1000) == []
    assert one.process.wait() == -signal.SIGTERM


def test_a_grandchild_in_a_session_of_its_own_is_found_by_the_token(
    start: type[Started], token: str
) -> None:
    one = start(sys.executable, "-ISc", STRAY, token=token)
    other = start(sys.executable, "-ISc", STRAY, token=token + "0")
    stray, others = one.said(), other.said()
    assert set(find_by_token(token)) == {one.id, stray}
    assert stray not in find_all_members([Tree(one.id)])
    assert end(Tree(one.id, token), 0.05) == []
    assert not is_alive(stray)
    assert is_alive(others)
    assert end(Tree(None, token + "0"), 0.05) == []
    assert not is_alive(others)


def test_strays_are_found_when_the_leader_is_gone(start: type[Started], token: str) -> None:
    one = start(sys.executable, "-ISc", STRAY, token=token)
    stray = one.said()
    one.process.kill()
    one.process.wait()
    assert find_all_members([Tree(one.id, token)]) == [stray]
    assert end(Tree(one.id, token), 0) == []
    assert not is_alive(stray)


def test_a_child_without_the_token_is_found_by_its_parent(start: type[Started], token: str) -> None:
    text = "import os; os.fork() or (os.setsid(), os.execve('/bin/sh', ['sh', '-c', 'echo $$; "
    text += "exec sleep 1000'], {})); os.wait()"
    one = start(sys.executable, "-ISc", text, token=token)
    child = one.said()
    assert child in find_all_members([Tree(one.id, token)])
    assert end(Tree(one.id, token), 1000) == []
    assert not is_alive(child)


def test_who_forks_all_the_time_is_ended(start: type[Started], token: str, tmp_path: Path) -> None:
    # each process starts the next in a session of its own, and ends
    again = tmp_path / "again.sh"
    again.write_text(f"trap '' TERM; echo >>{tmp_path}/count; sleep 0.002; setsid sh $0 & exit")
    one = start("sh", "-c", f"trap '' TERM; setsid sh {again} & sleep 1000", token=token)
    count = tmp_path / "count"
    until(lambda: count.exists() and count.stat().st_size > 5)
    assert end(Tree(one.id, token), 0.05, patience=60) == []
    assert one.process.wait() == -signal.SIGKILL
    assert find_by_token(token) == []


def test_several_trees_at_one_look(start: type[Started], token: str) -> None:
    some = [start("sleep", "1000", token=f"{token}-{n}") for n in range(4)]
    trees = [Tree(one.id, f"{token}-{n}") for n, one in enumerate(some)]
    assert signal_trees(trees[:3], signal.SIGKILL) == 3
    assert wait_gone([one.id for one in some[:3]], 1000) == []
    assert wait_gone([one.id for one in some], 0.2) == [some[3].id]
    assert [one.process.wait() for one in some[:3]] == [-signal.SIGKILL] * 3


def test_older_kernels_signal_groups_too(
    start: type[Started], monkeypatch: pytest.MonkeyPatch
) -> None:
    # a flag that no kernel knows stands for one that this kernel does not know
    monkeypatch.setattr(tree, "_PIDFD_SIGNAL_PROCESS_GROUP", 1 << 30)
    one = start("sh", "-c", "sleep 1000 & echo $!; wait")
    child = one.said()
    assert end(Tree(one.id), 1000) == []
    assert not is_alive(child)


def test_a_job_of_a_slot_is_killed_and_the_slot_is_not(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    slot = Slot(folder)
    text = "trap '' TERM; setsid sh -c 'trap \"\" TERM; echo up; sleep 1000' & wait; sleep 1000"
    job = folder.job("sh", "-c", text, before=":")
    leader = slot.start(job)
    until(lambda: job.text("stdout") == "up\n")
    claim = job.claim()
    assert claim.leader == leader
    assert end(Tree(leader_of(claim), job.script.token), 0.05) == []
    assert slot.line()[3:] == ["137", "EXIT"]
    assert find_by_token(job.script.token) == []
    again = folder.job("true")
    assert slot.run(again)[-1][3:] == ["0"]
    assert slot.close() == 0
