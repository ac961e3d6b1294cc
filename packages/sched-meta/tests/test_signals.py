"""Ctrl-C and other ends of a driver, with the real local scheduler."""

from __future__ import annotations

import os
import signal

import pytest

from sched_core import JobStatus, read_run

from .program import Sched, in_terminal, wait_until

STUBBORN = 'trap "" TERM INT; echo $0 >>started; until test -e go; do sleep 0.02; done'


def states(sched: Sched) -> list[JobStatus]:
    return [JobStatus(job.status) for job in read_run(sched.folder / "r").jobs.values()]


@pytest.mark.parametrize(
    "signum, name, code",
    [
        (signal.SIGINT, "Ctrl-C", 130),
        (signal.SIGTERM, "SIGTERM", 143),
        (signal.SIGHUP, "SIGHUP", 129),
    ],
)
def test_signal_kills_what_runs_and_says_how_to_resume(
    sched: Sched, signum: signal.Signals, name: str, code: int
) -> None:
    driver = sched.start_waiting_jobs()
    driver.send(signum)
    returned, err = driver.finish()
    assert returned == code
    assert f"sched: {name}: nothing more is started, what runs is killed" in err
    assert f"sched: {name}: the run was stopped, nothing of it runs any more" in err
    assert "sched: next:    sched resume r\n" in err
    assert sched.living_jobs() == []
    assert sched.counts() == {"interrupted": 2, "waiting": 1}


def test_interrupted_run_is_gone_on_with(sched: Sched) -> None:
    driver = sched.start_waiting_jobs()
    driver.send(signal.SIGINT)
    driver.finish()
    sched.go()
    sched("resume", "r")
    assert sched.lines("ended") == ["0", "1", "2"]
    assert sched.counts() == {"finished": 3}


def test_jobs_that_ignore_it_are_killed_after_the_grace_period(sched: Sched) -> None:
    driver = sched.start(
        "run", "-w", "r", "-j", "2", "-o", "grace=0.5", "--", "sh", "-c", STUBBORN, ":::", "0", "1"
    )
    wait_until(lambda: len(sched.lines("started")) == 2)
    driver.send(signal.SIGINT)
    code, err = driver.finish()
    assert code == 130
    assert "nothing of it runs any more" in err
    assert sched.living_jobs() == []


def test_twice_leaves_at_once_and_says_what_still_runs(sched: Sched) -> None:
    driver = sched.start(
        "run", "-w", "r", "-j", "2", "-o", "grace=600", "--", "sh", "-c", STUBBORN, ":::", "0", "1"
    )
    wait_until(lambda: len(sched.lines("started")) == 2)
    driver.send(signal.SIGINT)
    assert driver.process.stderr
    for line in driver.process.stderr:
        if "once more leaves at once" in line:
            break
    wait_until(lambda: states(sched) == [JobStatus.KILLING] * 2)
    driver.send(signal.SIGINT)
    code, err = driver.finish()
    assert code == 130
    assert "sched: Ctrl-C: left at once, 2 jobs may still run: 0-1 (ids " in err
    assert "sched: next:    sched resume r\n" in err
    assert len(sched.living_jobs()) >= 2
    sched.go()
    wait_until(lambda: not sched.living_jobs())
    sched("resume", "r")
    assert sched.counts() == {"finished": 2}


def test_ctrl_c_on_a_terminal(sched: Sched) -> None:
    """The jobs are not in the terminal's foreground group: the driver ends them."""

    def type_ctrl_c(terminal: int) -> None:
        wait_until(lambda: len(sched.lines("started")) == 1)
        os.write(terminal, b"\x03")

    line = "echo $0 >>started; until test -e go; do sleep 0.02; done"
    code, shown = in_terminal(
        sched.folder, "run", "-w", "r", "--", "sh", "-c", line, ":::", "0", keys=type_ctrl_c
    )
    assert code == 130
    assert "next:    sched resume r" in shown
    assert sched.living_jobs() == []


def test_a_hang_up_that_is_ignored_stays_ignored(sched: Sched) -> None:
    """Under nohup."""
    old = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        driver = sched.start_waiting_jobs()
    finally:
        signal.signal(signal.SIGHUP, old)
    driver.send(signal.SIGHUP)
    sched.go()
    assert driver.finish()[0] == 0


def test_terminal_that_goes_away(sched: Sched) -> None:
    def close_window(terminal: int) -> None:
        wait_until(lambda: len(sched.lines("started")) == 1)
        os.close(terminal)

    line = "echo $0 >>started; until test -e go; do sleep 0.02; done"
    code, _ = in_terminal(
        sched.folder, "run", "-w", "r", "--", "sh", "-c", line, ":::", "0", keys=close_window
    )
    assert code == 129
    assert sched.living_jobs() == []
    assert sched.counts() == {"interrupted": 1}


def test_commands_that_only_look_end_quietly(sched: Sched) -> None:
    driver = sched.start_waiting_jobs(jobs=1)
    follower = sched.start("logs", "r", "0", "-f")
    wait_until(lambda: follower.process.poll() is not None or _sleeps(follower.process.pid))
    follower.send(signal.SIGINT)
    code, err = follower.finish()
    assert (code, err.strip()) == (130, "")
    sched.go()
    driver.finish()


def test_a_reader_that_does_not_read_holds_nothing_up(sched: Sched) -> None:
    line = ["head", "-c", "1000000", "/dev/zero"]
    driver = sched.start("run", "-w", "r", "--cat", "--", *line, ":::", "/dev/zero", "/dev/zero")
    wait_until((sched.folder / "r/.sched/run.json").exists)
    wait_until(lambda: sched.counts() == {"finished": 2})
    driver.send(signal.SIGINT)
    assert driver.process.wait(60) == 130


def _sleeps(pid: int) -> bool:
    """Whether it waits for time to pass: it follows."""
    with open(f"/proc/{pid}/syscall") as file:
        return file.read().split()[0] in ("230", "35", "115", "101")
