from __future__ import annotations

import signal
from pathlib import Path

import pytest

from sched_core.model.failure import Failure
from sched_core.model.status import JobStatus
from sched_core.runfolder import JobRecord

from .program import Driver, Sched, in_terminal, wait_until
from .recorded import record_run

SPEAKS = """echo "$0 one"; printf half; touch "began$0"
until test -e "go$0"; do sleep 0.02; done; echo; echo "$0 two"; exit "${1-0}\""""


def start(sched: Sched, *values: str, forks: int = 2) -> Driver:
    options = ("-w", "r", "-j", str(forks), "--name", "n{}")
    return sched.start("run", *options, "--", "sh", "-c", SPEAKS, ":::", *values)


def begun(sched: Sched, *values: str) -> None:
    wait_until(lambda: all((sched.folder / f"began{value}").exists() for value in values))


def lines(follower: Driver, number: int) -> list[str]:
    assert follower.process.stdout
    return sorted(follower.process.stdout.readline() for _ in range(number))


def test_lines_of_several_jobs_as_they_come(sched: Sched) -> None:
    driver = start(sched, "a", "b", "c")
    begun(sched, "a", "b")
    follower = sched.start("logs", "r", "-f")
    assert lines(follower, 2) == ["na\ta one\n", "nb\tb one\n"]
    # the place of the one is taken by a job that waited
    (sched.folder / "goa").touch()
    assert lines(follower, 3) == ["na\ta two\n", "na\thalf\n", "nc\tc one\n"]
    for value in "bc":
        (sched.folder / f"go{value}").touch()
    assert lines(follower, 4) == ["nb\tb two\n", "nb\thalf\n", "nc\tc two\n", "nc\thalf\n"]
    assert follower.finish() == (0, "")
    assert driver.finish()[0] == 0


def test_following_all_jobs_of_a_run_that_has_ended(sched: Sched) -> None:
    jobs = [JobRecord(index, ["x"], status=JobStatus.FINISHED) for index in range(70)]
    record_run(sched.folder / "r", jobs, {3: (b"a\nb", b""), 69: (b"c\r1\r2\n", b"")})
    done = sched("logs", "r", "all", "-f")
    assert (done.stdout.split("\n"), done.stderr) == (["3\ta", "3\tb", "69\tc", "1", "2", ""], "")


def test_following_ends_where_nobody_drives_the_run(sched: Sched) -> None:
    jobs = [JobRecord(0, ["x"], status=JobStatus.RUNNING), JobRecord(1, ["x"])]
    record_run(sched.folder / "r", jobs, {0: (b"begun", b"")})
    assert sched("logs", "r", "-f").stdout == "0\tbegun\n"


def test_following_several_ends_by_a_signal(sched: Sched) -> None:
    start(sched, "a", "b")
    begun(sched, "a", "b")
    follower = sched.start("logs", "r", "-f")
    lines(follower, 2)
    follower.send(signal.SIGINT)
    code, said = follower.finish()
    assert (code, said.strip()) == (130, "")
    for value in "ab":
        (sched.folder / f"go{value}").touch()


def test_an_attempt_after_the_other_is_followed(sched: Sched) -> None:
    waits = 'until test -e "go$SCHED_ATTEMPT"; do sleep 0.02; done'
    fails = f'echo "try $SCHED_ATTEMPT"; {waits}; test $SCHED_ATTEMPT = 2'
    options = ("-w", "r", "-j", "2", "--retries", "1")
    driver = sched.start("run", *options, "--", "sh", "-c", fails, ":::", "0", "1")
    wait_until(lambda: (sched.folder / "r/.sched/run.json").exists() and sched.counts())
    follower = sched.start("logs", "r", "all", "-f")
    assert lines(follower, 2) == ["0\ttry 1\n", "1\ttry 1\n"]
    (sched.folder / "go1").touch()
    assert lines(follower, 2) == ["0\ttry 2\n", "1\ttry 2\n"]
    (sched.folder / "go2").touch()
    assert follower.finish() == (0, "")
    assert driver.finish()[0] == 0


@pytest.fixture
def recorded(sched: Sched) -> Path:
    failed = JobRecord(1, ["x"], status=JobStatus.FAILED, failure=Failure.EXIT, rc=1)
    jobs = [JobRecord(0, ["x"], status=JobStatus.FINISHED), failed, JobRecord(2, ["x"])]
    outputs = {0: (b"zero\n", b""), 1: (b"one\x1b[2J\x1b[1m\n", b"oops\n")}
    record_run(sched.folder / "sched-runs" / "r-1", jobs, outputs)
    return sched.folder


def test_without_jobs_what_failed_is_shown(sched: Sched, recorded: Path) -> None:
    assert sched("logs", "--stderr").stdout == "oops\n"
    assert sched("logs", "r-1").stdout == "one\x1b[2J\x1b[1m\n"


def test_without_jobs_nor_failures_all_is_shown(sched: Sched) -> None:
    jobs = [JobRecord(index, ["x"], status=JobStatus.FINISHED) for index in range(2)]
    record_run(sched.folder / "r", jobs, {0: (b"0\n", b""), 1: (b"1\n", b"")})
    done = sched("logs", "r")
    assert done.stdout == "0\n1\n"
    assert done.stderr == "==> job 0 wrote:\n==> job 1 wrote:\n"
    assert "none of the jobs is waiting or running" in sched("logs", "r", "-f").stderr


@pytest.mark.parametrize("follow", [(), ("-f",)])
def test_a_terminal_is_not_cleared(recorded: Path, follow: tuple[str, ...]) -> None:
    for jobs in ("1", "0-1"):
        _, shown = in_terminal(recorded, "logs", "r-1", jobs, *follow)
        assert "one?[2J\x1b[1m" in shown
        assert "\x1b[2J" not in shown
