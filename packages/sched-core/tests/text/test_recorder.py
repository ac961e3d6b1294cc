"""What the recorder holds, whatever happens to the job: each case through a real bash, by hand."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sched_core.model.status import JobStatus
from sched_core.text.claim import claim_name, render_fence
from sched_core.text.script import TOKEN_VARIABLE

from .helpers import Folder, Job, state_of, until

pytestmark = pytest.mark.once

AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="needs to mount")


def outcome(job: Job) -> tuple[int | None, str | None, str | None, str | None]:
    claim = job.claim()
    return claim.rc, claim.failure, job.text("rc"), job.text("status")


@contextlib.contextmanager
def fifo(path: Path) -> Iterator[Path]:
    os.mkfifo(path)
    yield path


def wait_for_word(path: Path) -> str:
    """Block until the job has opened the pipe, said a word and closed it."""
    return path.read_text().strip()


# --- ends


@pytest.mark.parametrize("rc", [0, 1, 3, 121, 122, 126, 127, 128, 255])
def test_the_exit_code_is_recorded(folder: Folder, rc: int) -> None:
    job = folder.job("sh", "-c", f"echo out; echo err >&2; exit {rc}")
    assert job.run() == rc
    failure, state = (None, "6") if rc == 0 else ("EXIT", "7")
    assert outcome(job) == (rc, failure, f"{rc}\n", state)
    assert (job.stdout, job.text("stderr")) == (b"out\n", "err\n")
    ended, started = job.events()
    assert (started.status, started.rc) == (JobStatus.RUNNING, None)
    assert (ended.status, ended.rc) == (JobStatus.FAILED if rc else JobStatus.FINISHED, rc)


OF_THE_C_LIBRARY = 0b11 << 31
"""Signals 32 and 33, which no program can set: what a caller ignores of them stays ignored."""


def test_the_claim_says_who_ran_what_and_when(folder: Folder) -> None:
    job = folder.job("sh", "-c", "echo $$")
    with job.start() as process:
        process.wait()
    claim = job.claim()
    assert claim.leader == int(job.stdout)
    assert job.text("jid") == f"{claim.leader}\n"
    assert claim.boot_id == Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    assert claim.host == Path("/proc/sys/kernel/hostname").read_text().strip()
    assert claim.pid is not None
    assert claim.jid == str(claim.pid)
    assert claim.start is not None
    assert claim.leader_start is not None
    assert claim.start <= claim.leader_start
    assert claim.claimed is not None
    assert claim.ended is not None
    assert claim.claimed <= claim.ended
    assert claim.user_cpu is not None
    assert claim.user_cpu < 1


@pytest.mark.parametrize("name", ["KILL", "SEGV", "TERM", "INT", "PIPE", "HUP", "QUIT", "USR1"])
def test_a_signal_that_ends_the_command_is_its_status(folder: Folder, name: str) -> None:
    job = folder.job("sh", "-c", f"ulimit -c 0; kill -{name} $$; sleep 100")
    rc = 128 + signal.Signals[f"SIG{name}"]
    assert job.run() == rc
    assert outcome(job) == (rc, "EXIT", f"{rc}\n", "7")
    assert job.text("stderr") == ""


@pytest.mark.parametrize(
    "cmd, rc",
    [
        (["/no-such-folder/x"], 127),
        (["nonexistent-command"], 127),
        ([""], 127),
        (["-x"], 127),
        (["/etc/passwd"], 126),
        (["/tmp"], 126),
        (["wait"], 127),
        (["_sched_record"], 127),
    ],
)
def test_what_cannot_be_run_is_said_on_stderr(folder: Folder, cmd: list[str], rc: int) -> None:
    for fields in ({}, {"before": ":", "after": ":"}):
        job = folder.job(*cmd, **fields)
        assert job.run() == rc
        assert outcome(job) == (rc, "EXIT", f"{rc}\n", "7")
        stderr = job.text("stderr")
        assert stderr is not None
        assert f"exec: {cmd[0]}" in stderr or cmd[0] in stderr


def test_a_command_is_a_program_never_the_shells_own(folder: Folder) -> None:
    job = folder.job("echo", "-e", r"a\tb", after="printf 'rc %s' $rc")
    assert job.run() == 0
    assert job.stdout == b"a\tb\nrc 0"


def test_a_stopped_command_has_not_ended(folder: Folder) -> None:
    job = folder.job("sh", "-c", "kill -STOP $$; exit 4")
    with job.start() as process:
        leader = job.leader()
        until(lambda: state_of(leader) == "T")
        assert process.poll() is None
        assert job.text("rc") is None
        os.kill(leader, signal.SIGCONT)
        assert process.wait() == 4
    assert outcome(job) == (4, "EXIT", "4\n", "7")


# --- what the command finds


def test_the_command_starts_clean(folder: Folder) -> None:
    source = """
import json, os
status = dict(line.split(':', 1) for line in open('/proc/self/status'))
print(json.dumps({
    'fds': sorted(fd for fd in os.listdir('/proc/self/fd') if os.path.exists(f'/proc/self/fd/{fd}')),
    'signals': sorted({status[name].strip() for name in ('SigIgn', 'SigBlk')}),
    'umask': status['Umask'].strip(),
    'stdin': os.readlink('/proc/self/fd/0'),
    'leads': os.getpgrp() == os.getpid(),
    'ours': [name for name in os.environ if name.startswith('_sched_')],
    'parent': os.path.basename(os.readlink(f'/proc/{os.getppid()}/exe')),
}))
"""
    # sys.executable in isolation would still ignore SIGPIPE: that is Python's own doing
    path = folder.root / "look.py"
    path.write_text(source)
    shell = "exec 2>&1; grep -E '^Sig(Ign|Blk)' /proc/self/status"
    for fields in ({}, {"cwd": "/"}, {"before": ":"}, {"before": ":", "after": ":"}):
        look = folder.job(sys.executable, "-ISc", f"exec(open({str(path)!r}).read())", **fields)
        assert look.run(umask=0o027, stderr=None) == 0
        found = json.loads(look.stdout)
        assert found["fds"] == ["0", "1", "2"]
        assert (found["umask"], found["stdin"], found["ours"]) == ("0027", "/dev/null", [])
        assert found["leads"] == ("after" not in fields)
        masks = folder.job("sh", "-c", shell, **fields)
        assert masks.run() == 0
        found_masks = [int(mask, 16) & ~OF_THE_C_LIBRARY for mask in masks.stdout.split()[1::2]]
        assert found_masks == [0, 0]


def test_the_umask_may_be_another_than_that_of_the_records(folder: Folder) -> None:
    job = folder.job("sh", "-c", "umask; : >made", cwd=str(folder.root), umask="0002")
    assert job.run() == 0
    assert job.stdout == b"0002\n"
    assert (folder.root / "made").stat().st_mode & 0o777 == 0o664
    for name in ("stdout", "stderr", "rc", "status", "jid", "claim.1"):
        assert (job.metadir / f"job.{name}").stat().st_mode & 0o777 == 0o600
    wide = folder.job("true", record_umask="027")
    assert wide.run() == 0
    assert (wide.metadir / "job.stdout").stat().st_mode & 0o777 == 0o640


HOSTILE = {
    "BASH_FUNC_wait%%": "() { echo hijacked; }",
    "BASH_FUNC_printf%%": "() { echo hijacked; }",
    "BASH_FUNC_read%%": "() { echo hijacked; }",
    "BASH_ENV": "/nonexistent/x",
    "POSIXLY_CORRECT": "1",
    "FUNCNEST": "1",
    "TMOUT": "1",
    "BASH_COMPAT": "4.2",
    "EXECIGNORE": "*",
    "CDPATH": "/usr",
    "GLOBIGNORE": "x",
    "IFS": "3",
    "SHLVL": "5",
    "cmd": "mine",
    "rc": "mine",
    "d": "mine",
    "n": "mine",
    "HOSTNAME": "mine",
    "LC_NUMERIC": "de_DE.UTF-8",
    "PS4": "$(touch /tmp/never)",
    "a.b": "no name of bash's",
}


@pytest.mark.parametrize("fields", [{}, {"before": ":"}, {"after": ":"}, {"timeout": 100}])
def test_the_callers_variables_change_nothing_and_arrive(
    folder: Folder, fields: dict[str, object]
) -> None:
    job = folder.job("/bin/cat", "/proc/self/environ", **fields)
    environment = os.environ | HOSTILE | {"SHELLOPTS": "errexit:xtrace", "BASHOPTS": "failglob"}
    # -p from the start: what a bash without it takes up has its wording changed, functions say
    assert job.run(env=environment, shell=["bash", "-p"]) == 0
    assert job.text("stderr") == ""
    found = dict(entry.split("=", 1) for entry in job.stdout.decode().split("\0")[:-1])
    # bash itself has no PS4 from outside when it runs as root
    assert {name: found.get(name) for name in HOSTILE if name != "PS4"} == {
        name: value for name, value in HOSTILE.items() if name != "PS4"
    }
    assert not {"SHELLOPTS", "BASHOPTS"} & found.keys()
    assert found[TOKEN_VARIABLE] == job.script.token


def test_the_jobs_own_variables_win(folder: Folder) -> None:
    envs = {"TMOUT": "7", "cmd": "job's", "IFS": "x", "PATH": os.environ["PATH"], "LC_ALL": "xx_XX"}
    job = folder.job("/bin/cat", "/proc/self/environ", envs=envs, before=":")
    assert job.run(env=os.environ | HOSTILE) == 0
    found = dict(entry.split("=", 1) for entry in job.stdout.decode().split("\0")[:-1])
    assert {name: found[name] for name in envs} == envs
    assert job.text("stderr") == ""


@pytest.mark.parametrize("closed", [(0,), (1,), (2,), (0, 1, 2)])
def test_closed_standard_streams(folder: Folder, closed: tuple[int, ...]) -> None:
    job = folder.job("sh", "-c", "echo out; echo err >&2; exit 3", before=":", timeout=100)

    def close() -> None:
        for descriptor in closed:
            os.close(descriptor)

    assert job.run(preexec_fn=close, stderr=None) == 3
    assert (job.stdout, job.text("stderr")) == (b"out\n", "err\n")


# --- the user's own text


@pytest.mark.parametrize(
    "before, rc",
    [
        ("exit 0", 122),
        ("exit 9", 9),
        ("return 0", 122),
        ("set -e; false", 1),
        ("set -n", 122),
        ("if", 122),
        ("cat <<X", 122),
        ("exec true", 122),
        ("kill -KILL $BASHPID", 137),
        ("cmd=()", 122),
        ("unset cmd", 122),
        ("trap - EXIT; exit 5", 5),
        ("set -u; echo $nosuchthing", 1),
    ],
)
def test_setup_that_does_not_reach_the_command(folder: Folder, before: str, rc: int) -> None:
    for after in ("", "echo after"):
        job = folder.job("echo", "never", before=before, after=after)
        assert job.run() == rc
        assert outcome(job) == (rc, "SETUP", f"{rc}\n", "7")
        assert not job.claim().set_up
        assert b"never" not in job.stdout


@pytest.mark.parametrize(
    "before",
    [
        "set -e",
        "set -euo pipefail",
        "set -C",
        "set -f",
        "set -m",
        "set -o posix",
        "shopt -s failglob nullglob execfail extglob",
        "trap - EXIT TERM INT",
        "trap '' TERM",
        "trap 'true' EXIT",
        "trap 'true' DEBUG ERR RETURN",
        "IFS=x",
        "unset IFS PATH HOME",
        "umask 0",
        "exec 3>&1 5>/dev/null 6>/dev/null 9>/dev/null 10>/dev/null",
        "printf() { exit 9; }; read() { exit 9; }; eval() { exit 9; }; exit() { builtin exit 9; }",
        "cmd() { :; }; rc=7; n=8; readonly rc",
        "false",
        "# a comment",
        "cd /",
        "sleep 0 &",
        "LC_ALL=C; FUNCNEST=0",
        "unalias -a; alias exec=false",
    ],
)
@pytest.mark.parametrize("rc", [0, 6])
def test_setup_that_plays_with_the_shell_loses_nothing(
    folder: Folder, before: str, rc: int
) -> None:
    for after in ("", "exec 2>/dev/null"):
        if after and "readonly" in before:
            continue
        job = folder.job("/bin/sh", "-c", f"echo ran; exit {rc}", before=before, after=after)
        assert job.run() == rc
        assert job.claim().set_up
        assert outcome(job) == (rc, "EXIT" if rc else None, f"{rc}\n", "7" if rc else "6")
        assert job.stdout == b"ran\n"


def test_setup_may_change_the_command(folder: Folder) -> None:
    before = 'cmd=(env "X=a b" "${cmd[@]}" \'$HOME\')'
    job = folder.job("sh", "-c", 'echo "$X" "$1"', "sh", before=before)
    assert job.run() == 0
    assert job.stdout == b"a b $HOME\n"


def test_what_setup_declares_is_there_afterwards(folder: Folder) -> None:
    before = "declare -x A=1; declare -A map=([k]=v); f() { echo f; }"
    job = folder.job("sh", "-c", "echo $A", before=before, after='echo "${map[k]}"; f')
    assert job.run() == 0
    assert job.stdout == b"1\nv\nf\n"


def test_the_closing_text_sees_rc_and_may_change_it(folder: Folder) -> None:
    job = folder.job("sh", "-c", "exit 3", after='echo "rc is $rc"')
    assert (job.run(), job.stdout) == (3, b"rc is 3\n")
    assert folder.job("sh", "-c", "exit 3", after="rc=0").run() == 0
    assert folder.job("sh", "-c", "exit 3", before="set -e", after="false").run() == 3
    assert folder.job("sh", "-c", "exit 3", after="if").run() == 3
    killed = folder.job("sh", "-c", "kill -KILL $$", before="set -e", after='echo "rc is $rc"')
    assert (killed.run(), killed.stdout, killed.text("stderr")) == (137, b"rc is 137\n", "")


def test_a_trap_of_the_user_runs_at_the_end(folder: Folder) -> None:
    job = folder.job("echo", "ran", before="trap 'echo cleaned' EXIT")
    assert job.run() == 0
    assert job.stdout == b"ran\ncleaned\n"


@pytest.mark.parametrize("cwd", ["/no-such-folder/x", "/etc/passwd"])
def test_a_folder_that_cannot_be_entered(folder: Folder, cwd: str) -> None:
    job = folder.job("echo", "never", cwd=cwd)
    assert job.run() == 122
    assert outcome(job) == (122, "SETUP", "122\n", "7")
    assert cwd in (job.text("stderr") or "")
    assert job.stdout == b""


def test_a_folder_that_can_be_entered(folder: Folder) -> None:
    job = folder.job("pwd", cwd="/usr")
    assert job.run() == 0
    assert job.stdout == b"/usr\n"
    assert job.claim().set_up


# --- the claim


def test_an_attempt_starts_once(folder: Folder) -> None:
    job = folder.job("sh", "-c", "echo ran")
    assert job.run() == 0
    before = {path.name: path.read_bytes() for path in job.metadir.iterdir()}
    events = sorted(os.listdir(folder.spool))
    assert job.run() == 121
    assert {path.name: path.read_bytes() for path in job.metadir.iterdir()} == before
    assert sorted(os.listdir(folder.spool)) == events


def test_of_many_at_once_one_starts(folder: Folder) -> None:
    job = folder.job("sh", "-c", "echo ran")
    processes = [job.start() for _ in range(12)]
    assert sorted(process.wait() for process in processes) == [0] + [121] * 11
    assert job.stdout == b"ran\n"
    assert len(job.events()) == 2


def test_a_fenced_attempt_never_starts(folder: Folder) -> None:
    job = folder.job("echo", "never", restart="1", jid="fence")
    fence = render_fence("here", "boot", 1, 2, 3.0)
    (job.metadir / claim_name(1)).write_bytes(fence)
    (job.metadir / claim_name(1, 1)).write_bytes(fence)
    job = folder.write(replace(job.script, jid="7"))
    assert job.run() == 121
    assert job.text("stdout") is None


def test_an_attempt_with_a_later_one_never_starts(folder: Folder) -> None:
    job = folder.job("echo", "never")
    (job.metadir / claim_name(2)).touch()
    assert job.run() == 121
    assert not (job.metadir / claim_name(1)).exists()


def test_another_attempt_than_expected_leaves_all_as_it_is(folder: Folder) -> None:
    job = folder.job("echo", "never")
    assert job.run("2") == 121
    assert sorted(os.listdir(job.metadir)) == ["job.wrapped.local"]
    assert job.run("1") == 0


def test_a_job_that_the_engine_starts_again_is_the_next_incarnation(folder: Folder) -> None:
    script = folder.job(
        "sh", "-c", "echo $N; exit 1", jid="${ID}_3", restart="${RESTARTS:-0}"
    ).script

    def run(n: str, **envs: str) -> int:
        return folder.write(script).run(env=os.environ | {"N": n, "ID": "77"} | envs)

    job = folder.write(script)
    assert run("first") == 1
    assert run("again") == 121
    assert run("second", RESTARTS="1") == 1
    assert run("third", RESTARTS="2") == 1
    assert run("another", RESTARTS="1", ID="78") == 121
    assert run("odd", RESTARTS="x") == 121
    assert [job.claim(n).restart for n in range(3)] == [0, 1, 2]
    assert [job.claim(n).jid for n in range(3)] == ["77_3"] * 3
    assert job.stdout == b"third\n"
    kept = job.metadir / "job.retry"
    assert [(kept / f"1.r{n}/job.stdout").read_bytes() for n in (0, 1)] == [b"first\n", b"second\n"]
    assert job.text("jid") == "77_3\n"
    assert {(event.restart, event.rc) for event in job.events()} == {
        (n, rc) for n in range(3) for rc in (None, 1)
    }


def test_what_has_finished_is_not_started_again_by_the_engine(folder: Folder) -> None:
    job = folder.job("sh", "-c", "echo ran", jid="77", restart="${RESTARTS:-0}")
    assert job.run() == 0
    assert job.run(env=os.environ | {"RESTARTS": "1"}) == 121
    assert not (job.metadir / claim_name(1, 1)).exists()
    assert job.claim().rc == 0


def test_what_a_driver_has_given_up_is_not_started_again_by_the_engine(folder: Folder) -> None:
    job = folder.job("sh", "-c", "echo ran; exit 1", jid="77", restart="${RESTARTS:-0}")
    assert job.run() == 1
    (job.metadir / claim_name(1, 1)).write_bytes(render_fence("here", "boot", 1, 2, 3.0))
    assert job.run(env=os.environ | {"RESTARTS": "1"}) == 121
    assert not (job.metadir / claim_name(1, 2)).exists()
    assert job.claim().rc == 1


@pytest.mark.parametrize("later", [claim_name(2), claim_name(1, 1)])
def test_what_was_given_up_while_it_ran_records_nothing(folder: Folder, later: str) -> None:
    with fifo(folder.root / "go") as go:
        job = folder.job("sh", "-c", f"read x <{go}; exit 3")
        with job.start() as process:
            job.leader()
            (job.metadir / later).touch()
            go.write_text("go\n")
            assert process.wait() == 121
    assert job.claim().rc is None
    assert job.text("rc") is None
    assert job.text("status") == "4"
    assert [event.status for event in job.events()] == [JobStatus.RUNNING]


# --- time limits


def test_a_time_limit_ends_the_command(folder: Folder) -> None:
    job = folder.job("sleep", "1000", timeout=0.2)
    assert job.run() == 143
    assert outcome(job) == (143, "TIMEOUT", "143\n", "7")
    claim = job.claim()
    assert claim.timed_out
    assert claim.claimed is not None
    assert claim.ended is not None
    assert claim.ended - claim.claimed >= 0.2


def test_after_the_grace_period_nothing_of_the_group_is_left(folder: Folder) -> None:
    text = "trap '' TERM; sleep 1000 & echo $!; sleep 1001; sleep 1002"
    job, rc = folder.run_past_limit("sh", "-c", text, grace=0.1)
    assert rc == 137
    assert outcome(job) == (137, "TIMEOUT", "137\n", "7")
    assert job.text("stderr") == ""
    until(lambda: state_of(int(job.stdout)) in "ZX")


def test_a_group_that_outlives_its_leader_is_killed_too(folder: Folder) -> None:
    text = "(trap '' TERM; exec sh -c 'echo $$; exec sleep 1000') & wait"
    job, rc = folder.run_past_limit("sh", "-c", text)
    assert rc == 143
    until(lambda: state_of(int(job.stdout)) in "ZX")


def test_who_ends_well_at_the_limit_has_still_not_finished(folder: Folder) -> None:
    text = "trap 'echo saved; exit 0' TERM; echo begun; sleep 1000 & wait"
    job, rc = folder.run_past_limit("sh", "-c", text)
    assert rc == 124
    assert outcome(job) == (124, "TIMEOUT", "124\n", "7")
    assert job.stdout == b"begun\nsaved\n"


def test_the_limit_holds_for_the_users_text_as_well(folder: Folder) -> None:
    for fields in ({"before": "sleep 1000"}, {"after": "sleep 1000"}):
        job = folder.job("true", timeout=0.1, grace=0.1, **fields)
        assert job.run() in (124, 137, 143)
        assert job.claim().failure == "TIMEOUT"


@pytest.mark.parametrize("cmd", ["true", "kill -KILL $$"])
def test_a_limit_that_was_not_reached_leaves_no_process(folder: Folder, cmd: str) -> None:
    with fifo(folder.root / "pipe") as pipe:
        # a pipe that all of the job's processes inherit: its end of file says that all are gone
        reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
        writer = os.open(pipe, os.O_WRONLY)
        job = folder.job("sh", "-c", cmd, timeout=1000)
        process = job.start(pass_fds=[writer])
        os.close(writer)
        process.wait()
        assert os.read(reader, 1) == b""
        os.close(reader)
    assert not job.claim().timed_out


# --- signals


def test_what_the_recorder_was_told_is_noted_and_the_status_kept(folder: Folder) -> None:
    for name in ("TERM", "INT", "HUP", "USR1", "USR2", "XCPU"):
        with fifo(folder.root / f"go{name}") as go:
            job = folder.job("sh", "-c", f"read x <{go}; exit 3")
            with job.start() as process:
                job.leader()
                claim = job.claim()
                assert claim.pid is not None
                number = signal.Signals[f"SIG{name}"]
                os.kill(claim.pid, number)
                if name != "XCPU":
                    process.send_signal(number)
                go.write_text("go\n")
                assert process.wait() == 3
        assert job.claim().signal == name
        assert outcome(job) == (3, "EXIT", "3\n", "7")


def test_setup_is_ended_by_a_signal(folder: Folder) -> None:
    with fifo(folder.root / "ready") as ready:
        job = folder.job(
            "true", before=f"trap 'echo bye' EXIT; echo x >{ready}; sleep 1000; sleep 1"
        )
        with job.start() as process:
            wait_for_word(ready)
            os.killpg(job.leader(), signal.SIGTERM)
            assert process.wait() == 143
    assert outcome(job) == (143, "SETUP", "143\n", "7")
    assert job.stdout == b"bye\n"


def test_the_closing_text_waits_for_a_command_that_takes_its_time(folder: Folder) -> None:
    with fifo(folder.root / "ready") as ready, fifo(folder.root / "go") as go:
        text = f"trap 'read x <{go}; exit 5' TERM; echo x >{ready}; while :; do sleep 0.01; done"
        job = folder.job("sh", "-c", text, after='echo "rc is $rc"')
        with job.start() as process:
            wait_for_word(ready)
            os.killpg(job.leader(), signal.SIGTERM)
            go.write_text("go\n")
            assert process.wait() == 5
    assert job.stdout == b"rc is 5\n"


def test_no_status_is_lost_when_all_are_signalled_at_random(folder: Folder, full: bool) -> None:
    """Under load, the recorder and its first process get signals at any moment of a job's life."""
    chance = random.Random(20)
    load = [subprocess.Popen(["sh", "-c", "while :; do :; done"]) for _ in range(3)]
    try:
        for n in range(600 if full else 60):
            _bombard(folder, chance, n)
    finally:
        for process in load:
            process.kill()
            process.wait()


def _bombard(folder: Folder, chance: random.Random, n: int) -> None:
    killed = chance.random() < 0.5
    delay = f"{chance.random() * 0.02:.4f}"
    fields: dict[str, Any] = {"timeout": 1000} if chance.random() < 0.3 else {}
    if chance.random() < 0.3:
        fields |= {"after": ":"}
    cmd = ["sleep", "1000"] if killed else ["sh", "-c", f"sleep {delay}; exit 7"]
    job = folder.job(*cmd, **fields)
    with job.start() as process:
        leader = job.leader()
        recorder = job.claim().pid
        assert recorder is not None
        sent = chance.choices([signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1], k=6)
        for k, number in enumerate(sent):
            with contextlib.suppress(ProcessLookupError):
                os.kill(recorder, number)
            if k == 3 and killed:
                os.killpg(leader, signal.SIGKILL)
        rc = process.wait()
    want = 137 if killed else 7
    # before the payload is there, a signal keeps it from starting
    assert (rc, outcome(job)) == (want, (want, "EXIT", f"{want}\n", "7")), n


# --- disks that do not take records


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    root = tmp_path / "small"
    root.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", root], check=True)
    yield root
    subprocess.run(["umount", "-l", root], check=True)


FILL = "cat /dev/zero >{0}/fill 2>/dev/null; "


@AS_ROOT
@pytest.mark.parametrize("rc, before", [(0, ""), (5, ""), (0, "fill"), (5, "fill")])
@pytest.mark.parametrize("events", ["always", "fallback"])
def test_t39_a_disk_that_fills_up_loses_nothing(
    folder: Folder, small_disk: Path, rc: int, before: str, events: str
) -> None:
    # the spool is on the full disk, too
    inner = Folder(small_disk / "run")
    fill = FILL.format(small_disk)
    text = f"{'' if before else fill}exit {rc}"
    job = inner.job("sh", "-c", text, before=fill if before else "", events=events)
    assert job.run() == rc
    ended = job.events()[0]
    assert (ended.status, ended.rc) == (JobStatus.FAILED if rc else JobStatus.FINISHED, rc)


@AS_ROOT
def test_t39_a_full_disk_starts_nothing(folder: Folder, small_disk: Path) -> None:
    inner = Folder(small_disk / "run")
    job = inner.job("sh", "-c", f"echo ran >{folder.root}/ran")
    subprocess.run(["sh", "-c", FILL.format(small_disk)], check=False)
    assert job.run() == 122
    assert [(event.status, event.rc) for event in job.events()] == [(JobStatus.FAILED, 122)]
    assert not (folder.root / "ran").exists()
    assert not job.claim().complete


@AS_ROOT
def test_t39_a_read_only_disk_starts_nothing(folder: Folder, small_disk: Path) -> None:
    job = folder.job("sh", "-c", f"echo ran >{folder.root}/ran", metadir=f"{small_disk}/1")
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    assert job.run() == 122
    assert [(event.status, event.rc) for event in job.events()] == [(JobStatus.FAILED, 122)]
    assert not (folder.root / "ran").exists()


@pytest.mark.parametrize("rc", [0, 6])
def test_t39_a_folder_that_vanishes_leaves_the_event(folder: Folder, rc: int) -> None:
    with fifo(folder.root / "go") as go:
        job = folder.job("sh", "-c", f"read x <{go}; exit {rc}", events="fallback")
        with job.start() as process:
            job.leader()
            shutil.rmtree(job.metadir)
            go.write_text("go\n")
            assert process.wait() == rc
    assert [event.rc for event in job.events()] == [rc]


def test_what_nothing_could_record_has_not_happened(folder: Folder) -> None:
    with fifo(folder.root / "go") as go:
        job = folder.job("sh", "-c", f"read x <{go}", spool=None)
        with job.start() as process:
            job.leader()
            shutil.rmtree(job.metadir)
            go.write_text("go\n")
            assert process.wait() == 122


def test_records_that_were_kept_need_no_event(folder: Folder) -> None:
    job = folder.job("true", events="fallback")
    assert job.run() == 0
    assert job.events() == []


def test_t39_a_vanished_folder_starts_nothing(folder: Folder) -> None:
    job = folder.job("true")
    process = subprocess.Popen(["bash", "-p", "/dev/stdin"], stdin=subprocess.PIPE)
    text = Path(job.path).read_bytes()
    shutil.rmtree(job.metadir)
    process.communicate(text)
    assert process.returncode == 122
    assert [(event.status, event.rc) for event in job.events()] == [(JobStatus.FAILED, 122)]


def test_output_that_cannot_be_opened_is_setup(folder: Folder) -> None:
    job = folder.job("echo", "never")
    (job.metadir / "job.stdout").mkdir()
    assert job.run() == 122
    assert outcome(job) == (122, "SETUP", "122\n", "7")


# --- a terminal


def test_ctrl_c_by_hand_reaches_the_command(folder: Folder) -> None:
    with fifo(folder.root / "ready") as ready:
        job = folder.job("sh", "-c", f"echo x >{ready}; exec sleep 1000")
        child, terminal = pty.fork()
        if child == 0:  # pragma: no cover
            signal.signal(signal.SIGPIPE, signal.SIG_DFL)
            os.execvp("bash", ["bash", job.path])
        wait_for_word(ready)
        os.write(terminal, b"\x03")
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 130
        os.close(terminal)
    assert outcome(job) == (130, "EXIT", "130\n", "7")
