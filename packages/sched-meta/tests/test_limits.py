"""`--max-failures`."""

from __future__ import annotations

import signal

import pytest

from sched_core.errors import OptionError
from sched_meta.driving.limits import parse_failure_limit

from .program import Sched, wait_until


@pytest.mark.parametrize(
    "text, jobs, most",
    [
        ("1", 100, 0),
        ("3", 100, 2),
        ("200", 100, 199),
        ("5%", 100, 5),
        ("5%", 10, 0),
        ("0.5%", 1000, 5),
        ("100%", 7, 7),
        ("50%", 3, 1),
    ],
)
def test_most_failures_that_are_borne(text: str, jobs: int, most: int) -> None:
    limit = parse_failure_limit(text)
    assert limit
    assert not limit.is_reached(most, jobs)
    assert limit.is_reached(most + 1, jobs)


@pytest.mark.parametrize("text", ["", "0", "-1", "0%", "101%", "x", "1.5", "%", "٣", "1 0"])
def test_what_is_no_limit(text: str) -> None:
    with pytest.raises(OptionError, match=r"^--max-failures "):
        parse_failure_limit(text)


def test_no_limit_is_none() -> None:
    assert parse_failure_limit(None) is None


FAILS = ("--", "sh", "-c", "echo $0 >>started; test $0 -lt 2", ":::", *map(str, range(8)))
HELD = "echo $0 >>started; test $0 -lt 4 || until test -e go; do sleep 0.05; done; test $0 -lt 2"


def test_run_stops_says_why_and_can_be_gone_on_with(sched: Sched) -> None:
    numbers = map(str, range(8))
    stops = ("-j", "1", "--max-failures", "2")
    done = sched("run", "-w", "r", *stops, "--", "sh", "-c", HELD, ":::", *numbers, code=1)
    stopped = "sched: stopped: 2 jobs failed (--max-failures 2); sched resume r goes on\n"
    assert stopped in done.stderr
    assert "sched resume r\n" in done.stderr.partition(stopped)[2]
    assert len(sched.lines("started")) < 8
    counts = sched.counts()
    assert counts["finished"] == 2
    assert counts["failed"] >= 2
    # What has failed before is not counted again.
    (sched.folder / "go").touch()
    done = sched("resume", "r", "--max-failures", "5", code=1)
    assert "stopped" not in done.stderr
    assert sched.counts() == {"finished": 2, "failed": 6}
    assert set(sched.lines("started")) == {str(number) for number in range(8)}


def test_nothing_is_left_to_go_on_with(sched: Sched) -> None:
    done = sched("run", "-w", "r", "--max-failures", "1", "--", "false", code=1)
    assert "sched: stopped: 1 job failed (--max-failures 1)\n" in done.stderr
    assert "sched resume" not in done.stderr


def test_what_runs_is_killed(sched: Sched) -> None:
    line = "test $0 = 0 || { echo $0 >>started; sleep 600; }; until test -e started; do :; done; exit 1"
    done = sched(
        "run",
        "-w",
        "r",
        "-j",
        "2",
        "--max-failures",
        "1",
        "--",
        "sh",
        "-c",
        line,
        ":::",
        "0",
        "1",
        code=1,
    )
    assert "stopped: 1 job failed (--max-failures 1)" in done.stderr
    assert sched.living_jobs() == []
    assert sched.counts() == {"failed": 1, "interrupted": 1}


@pytest.mark.parametrize("stops, most", [(("--on-error", "halt"), 1), (("--max-failures", "1"), 2)])
def test_what_runs_ends_by_itself_where_the_run_halts_soon(
    sched: Sched, stops: tuple[str, ...], most: int
) -> None:
    # A limit is counted by who drives: one more may have begun by then.
    until = "until test -e {}; do sleep 0.02; done; "
    line = "test $0 = 0 || { " + until.format("started") + "exit 1; }; "
    line += "echo $0 >>started; " + until.format("go")
    options = ("-w", "r", "-j", "2", "--halt", "soon", *stops)
    driver = sched.start("run", *options, "--", "sh", "-c", line, ":::", "0", "1", "0", "0")
    assert driver.process.stderr
    assert any("nothing more is started; what runs" in line for line in driver.process.stderr)
    sched.go()
    code, err = driver.finish()
    assert (code, "sched: stopped" in err) == (1, True)
    counts = sched.counts()
    assert (counts["failed"], counts["finished"]) == (1, len(sched.lines("started")))
    assert counts["finished"] <= most
    sched("resume", "r", code=1)
    assert sched.counts() == {"finished": 3, "failed": 1}


@pytest.mark.parametrize("goes_on", ["attach r", "resume r", "run -w r --resume"])
def test_whoever_goes_on_for_a_dead_driver_keeps_to_it(sched: Sched, goes_on: str) -> None:
    line = 'echo $$ >>started; until test -e go; do sleep 0.02; done; exit "$1"'
    jobs = ("--shell", "--", line, ":::", "1", "2", "3", "4", "5")
    wishes = ("--max-failures", "2", "--on-finish", "echo $SCHED_FAILED failed >told")
    driver = sched.start("run", "-w", "r", "-j", "1", *wishes, *jobs)
    wait_until(lambda: sched.lines("started"))
    driver.send(signal.SIGKILL)
    driver.finish()
    sched.go()
    words = goes_on.split()
    more = jobs if words[0] == "run" else ()
    done = sched(*words, *more, code=1)
    assert "as its driver was to: --max-failures 2 --on-finish 'echo" in done.stderr
    assert "stopped: 2 jobs failed (--max-failures 2)" in done.stderr
    assert (sched.folder / "told").read_text().endswith(" failed\n")
    # That one has ended the run: what was asked of it is done.
    done = sched("resume", "r", code=1)
    assert "as its driver" not in done.stderr
    assert sched.counts() == {"failed": 5}


def test_what_is_given_anew_comes_before_what_a_dead_driver_had(sched: Sched) -> None:
    driver = sched.start_waiting_jobs("--max-failures", "1", "--on-finish", "echo old >told")
    driver.send(signal.SIGKILL)
    driver.finish()
    sched.go()
    done = sched("resume", "r", "--on-finish", "echo new >told")
    assert "as its driver was to: --max-failures 1\n" in done.stderr
    assert (sched.folder / "told").read_text() == "new\n"


def test_a_damaged_record_of_a_dead_driver_s_limit_is_told(sched: Sched) -> None:
    driver = sched.start_waiting_jobs("--max-failures", "1")
    driver.send(signal.SIGKILL)
    driver.finish()
    (sched.folder / "r" / ".sched" / "conduct.json").write_text('{"max_failures": "x"}')
    sched.go()
    assert "warning: no --max-failures and --on-finish, if" in sched("resume", "r").stderr


def test_a_share_of_all_jobs(sched: Sched) -> None:
    done = sched("run", "-w", "r", "-j", "1", "--max-failures", "75%", *FAILS, code=1)
    assert "stopped" not in done.stderr
    assert sched.counts() == {"finished": 2, "failed": 6}
