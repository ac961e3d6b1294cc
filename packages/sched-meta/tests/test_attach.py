"""Looking on at a run that another process drives, and waiting for its end."""

from __future__ import annotations

import json
import re
import signal
from typing import Any

from .program import Driver, Sched, wait_until

OUT_OF_ORDER = "test $0 != 0 || until test -e go; do sleep 0.02; done; echo out $0"


def attached(sched: Sched, *args: str) -> tuple[Driver, str]:
    """Attach to the run `r`; return when it is shown, with the line that says so."""
    onlooker = sched.start("attach", "r", *args)
    assert onlooker.process.stderr
    return onlooker, onlooker.process.stderr.readline()


def without_times(err: str) -> list[str]:
    """The lines at the end of a run."""
    text = re.sub(r" in \S+( \(\S+\))?:", ":", err)
    return text[text.index(" jobs:") :].splitlines()


def test_shows_the_run_as_its_driver_does(sched: Sched) -> None:
    driver = sched.start_waiting_jobs()
    onlookers = [attached(sched) for _ in range(2)]
    for _, line in onlookers:
        assert re.fullmatch(
            r"sched: run r: 3 jobs on local, 2 at a time; driven by process \d+ on \S+\n", line
        )
    sched.go()
    code, err = driver.finish()
    assert code == 0
    for onlooker, _ in onlookers:
        assert onlooker.finish()[0] == 0
    again = sched("attach", "r")
    assert without_times(again.stderr) == without_times(err)


def test_failures_are_told_as_they_come(sched: Sched) -> None:
    line = "until test -e go; do sleep 0.02; done; echo no >&2; exit 3"
    driver = sched.start("run", "-w", "r", "--name", "job-{}", "--", "sh", "-c", line, ":::", "a")
    wait_until((sched.folder / "r/0/job.stderr").exists)
    onlooker, _ = attached(sched)
    sched.go()
    code, err = onlooker.finish()
    assert code == driver.finish()[0] == 1
    assert err.startswith("sched: job job-a failed: EXIT rc 3: no\n")


def test_a_run_that_has_ended_is_told_of(sched: Sched) -> None:
    sched("run", "-w", "r", "--", "sh", "-c", "exit $0", ":::", "0", "4", code=1)
    done = sched("attach", "r", code=1)
    assert "run r: 2 jobs on local, " in done.stderr
    assert "; 2 of them ended before\n" in done.stderr
    assert "1 finished, 1 failed" in done.stderr
    assert "job 1 failed" not in done.stderr


def test_cat_writes_in_the_order_of_the_jobs(sched: Sched) -> None:
    driver = sched.start(
        "run", "-w", "r", "-j", "3", "--", "sh", "-c", OUT_OF_ORDER, ":::", "0", "1", "2"
    )
    wait_until((sched.folder / "r/.sched/run.json").exists)
    wait_until(lambda: sched.counts() == {"finished": 2, "running": 1})
    onlooker, _ = attached(sched, "--cat")
    sched.go()
    out, _ = onlooker.process.communicate()
    assert out == "out 0\nout 1\nout 2\n"
    assert driver.finish()[0] == 0
    assert sched("attach", "r", "--cat").stdout == out


def events(text: str) -> list[dict[str, Any]]:
    """Events by jobs; when they were told, and an id that is known later, aside."""
    found = [json.loads(line) for line in text.splitlines()]
    for event in found:
        del event["at"]
        if event["event"] == "submitted":
            del event["jid"]
    return sorted(found, key=lambda event: (event["index"], event["attempt"]))


def test_events_are_those_of_the_driver(sched: Sched) -> None:
    line = "test $0 = 1 || exit 3"
    told = sched(
        *("run", "-w", "r", "--json", "--retries", "1", "--name", "n{}"),
        *("--", "sh", "-c", line, ":::", "1", "2"),
        code=1,
    ).stdout
    assert len(events(told)) == 12
    assert events(sched("attach", "r", "--json", code=1).stdout) == events(told)


def test_ctrl_c_leaves_the_run_alone(sched: Sched) -> None:
    driver = sched.start_waiting_jobs()
    onlooker, _ = attached(sched)
    onlooker.send(signal.SIGINT)
    assert onlooker.finish() == (130, "sched: the run goes on; sched attach r shows it again\n")
    sched.go()
    assert driver.finish()[0] == 0


def test_a_run_that_nobody_drives_is_gone_on_with(sched: Sched) -> None:
    driver = sched.start_waiting_jobs()
    driver.process.kill()
    driver.process.wait()
    sched.go()
    done = sched("attach", "r")
    assert done.stderr.startswith(
        "sched: nobody drives r any more: this process goes on with it\nsched: run r: 3 jobs on "
    )
    assert sched.counts() == {"finished": 3}
    assert sched.lines("ended") == ["0", "1", "2"]


def test_one_of_those_who_look_on_follows_a_driver_that_dies(sched: Sched) -> None:
    driver = sched.start_waiting_jobs()
    onlookers = [attached(sched)[0] for _ in range(2)]
    driver.process.kill()
    driver.process.wait()
    wait_until(lambda: sched.status()["driver"]["pid"] in [o.process.pid for o in onlookers])
    sched.go()
    assert [onlooker.finish()[0] for onlooker in onlookers] == [0, 0]
    assert sched.lines("ended") == ["0", "1", "2"]


def test_a_run_that_is_stopped_is_left_stopped(sched: Sched) -> None:
    driver = sched.start_waiting_jobs()
    onlooker, _ = attached(sched)
    driver.send(signal.SIGINT)
    assert driver.finish()[0] == 130
    code, err = onlooker.finish()
    assert code == 1
    assert err.startswith(
        "sched: nobody drives r, and 3 jobs of it have not ended; sched resume r goes on\n"
    )
    assert "2 interrupted, 1 waiting" in err
    assert sched.counts() == {"interrupted": 2, "waiting": 1}
    # Whoever comes later sees the same: what a limit of failures has stopped must not go on by itself.
    later = sched("attach", "r", code=1).stderr
    assert later.endswith(err[err.index("sched: results") :])
    assert "sched resume r goes on" in later
    assert sched.counts() == {"interrupted": 2, "waiting": 1}


def test_wait_says_nothing_and_tells_by_its_exit_code(sched: Sched) -> None:
    sched("run", "-w", "r", "--", "true")
    sched("run", "-w", "bad", "--", "false", code=1)
    for run, code in (("r", 0), ("bad", 1)):
        done = sched("wait", run, code=code)
        assert (done.stdout, done.stderr) == ("", "")


def test_wait_ends_when_the_run_does(sched: Sched) -> None:
    driver = sched.start_waiting_jobs()
    done = sched("wait", "r", "--timeout", "0.1", code=124)
    assert done.stderr == "sched: r has not ended within 0.1s\n"
    waiting = sched.start("wait", "r")
    sched.go()
    assert driver.finish()[0] == 0
    assert waiting.finish() == (0, "")


def test_wait_waits_for_nobody(sched: Sched) -> None:
    driver = sched.start_waiting_jobs()
    driver.process.kill()
    driver.process.wait()
    assert sched("wait", "r", code=1).stderr == (
        "sched: nobody drives r, and 3 jobs of it have not ended; sched resume r goes on\n"
    )


def test_whoever_wants_to_drive_too_is_told_to_look_on(sched: Sched) -> None:
    driver = sched.start_waiting_jobs()
    done = sched("resume", "r", code=2)
    assert "is driven by process" in done.stderr
    assert done.stderr.endswith(" (`sched attach` shows it)\n")
    sched.go()
    driver.finish()


def test_a_driver_s_own_limits_stay_in_effect(sched: Sched) -> None:
    line = "test $0 = 0 && exit 1; until test -e go; do sleep 0.02; done"
    driver = sched.start("run", "-w", "r", "-j", "2", "--", "sh", "-c", line, ":::", "0", "1")
    wait_until((sched.folder / "r/.sched/run.json").exists)
    wait_until(lambda: sched.counts() == {"failed": 1, "running": 1})
    done = sched("retry", "r", "0", "--max-failures", "5")
    assert done.stderr.endswith(
        "its own --max-failures, --on-finish and --secret-env stay in effect\n"
    )
    sched.go()
    assert driver.finish()[0] == 1
