"""`-d`: a run that goes on when whoever began it does not."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sched_meta.reading.driverlog import driver_log, existing_driver_log, note
from sched_meta.reading.runfolder import RunFolder

from .program import PATIENCE, PROGRAM, WAIT_FOR_GO, Sched, in_terminal, wait_until

WAITING = ("--", "sh", "-c", WAIT_FOR_GO, ":::", "0", "1", "2")


def log_of(sched: Sched) -> Path:
    return sched.folder / "r/.sched/driver.log"


def test_returns_once_the_list_is_recorded(sched: Sched) -> None:
    done = sched("run", "-d", "-w", "r", "-j", "1", *WAITING)
    assert done.stdout == ""
    begun = r"sched: run r: 3 jobs on local, 1 at a time; driven in the background by process (\d+)"
    first, then = done.stderr.splitlines()
    match = re.fullmatch(begun, first)
    assert match
    assert then == "sched: next:    sched attach r"
    status = sched.status()
    assert status["jobs"] == 3
    assert (status["driver"]["pid"], status["driver"]["alive"]) == (int(match[1]), True)
    sched.go()
    sched("wait", "r")
    assert sched.counts() == {"finished": 3}


def test_goes_on_when_its_terminal_is_closed(sched: Sched) -> None:
    code, shown = in_terminal(sched.folder, "run", "-d", "-w", "r", *WAITING)
    assert code == 0
    assert "next:    sched attach r" in shown
    sched.go()
    sched("wait", "r")
    assert sched.counts() == {"finished": 3}


def test_what_keeps_it_from_beginning_is_seen_at_once(sched: Sched) -> None:
    sched("run", "-w", "r", "--", "true")
    done = sched("run", "-d", "-w", "r", "--", "true", code=2)
    assert done.stderr.startswith("sched: error: r holds a run already; ")
    done = sched("run", "-d", "--from", "-", stdin='{"cmd":\n', code=2)
    assert done.stderr.startswith("sched: error: standard input, line 1: no JSON: ")


def test_takes_its_list_from_whoever_begins_it(sched: Sched) -> None:
    sched("run", "-d", "-w", "r", "--from", "-", stdin="true\nfalse\n")
    sched("wait", "r", code=1)
    assert sched.counts() == {"finished": 1, "failed": 1}


def test_what_it_says_later_is_in_a_log_of_the_user_s_own(sched: Sched) -> None:
    sched("run", "-d", "-w", "r", "--on-finish", "echo told >&2", "--", "sh", "-c", "exit 3")
    wait_until(lambda: log_of(sched).exists() and "told" in log_of(sched).read_text())
    text = log_of(sched).read_text()
    assert "\nlog:     r/.sched/driver.log\n" in sched("status", "r").stdout
    assert log_of(sched).stat().st_mode & 0o777 == 0o600
    said = [re.sub(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d ", "", line) for line in text.splitlines()]
    assert said[0].startswith("run r: 1 job on local, ")
    assert said[1] == "job 0 failed: EXIT rc 3"
    assert said[-1] == "told"


def test_jobs_know_nothing_of_it(sched: Sched) -> None:
    sched("run", "-d", "-w", "r", "--", "sh", "-c", 'test -z "$SCHED_BACKGROUND"')
    sched("wait", "r")


def test_is_ended_by_a_signal_like_any_driver(sched: Sched) -> None:
    sched("run", "-d", "-w", "r", "-j", "2", *WAITING)
    wait_until(lambda: len(sched.lines("started")) == 2)
    os.kill(sched.status()["driver"]["pid"], signal.SIGTERM)
    sched("wait", "r", code=1)
    assert sched.counts() == {"interrupted": 2, "waiting": 1}
    wait_until(lambda: "next:    sched resume r" in log_of(sched).read_text())


def test_goes_on_and_runs_again_in_the_background_too(sched: Sched) -> None:
    sched("run", "-w", "r", "--", "sh", "-c", "test -e there", code=1)
    (sched.folder / "there").touch()
    assert "driven in the background" in sched("retry", "r", "-d").stderr
    sched("wait", "r")
    assert "none of these jobs failed" in sched("retry", "r", "-d").stderr
    assert "1 of them ended before; driven" in sched("resume", "r", "-d").stderr


def test_what_is_left_out_of_its_settings_is_said_once(sched: Sched) -> None:
    (sched.folder / "sched.toml").write_text('scheduler = "slurm"\nforks = 7\n')
    done = sched("run", "-d", "-s", "local", "-w", "r", "--", "true")
    lines = done.stderr.splitlines()
    assert len(lines) == len(set(lines))
    sched("wait", "r")


def test_a_log_of_a_run_in_a_bucket_is_on_this_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    folders = [RunFolder(f"gs://bucket/{name}") for name in ("a/run", "a-run")]
    first, second = map(driver_log, folders)
    assert first != second
    assert {path.parent for path in (first, second)} == {tmp_path / "sched/drivers"}
    assert existing_driver_log(folders[0]) is None
    note(folders[0], "the driver has left")
    assert first.read_text().endswith(" the driver has left\n")
    assert first.stat().st_mode & 0o777 == 0o600
    assert existing_driver_log(folders[0]) == first


def test_sched_is_also_a_module() -> None:
    argv = [sys.executable, "-m", "sched_meta", "--version"]
    assert subprocess.check_output(argv, text=True).startswith("sched 0.")


def test_ctrl_c_before_the_run_has_begun_ends_it(sched: Sched) -> None:
    with subprocess.Popen(
        [PROGRAM, "run", "-d", "-w", "r", "--from", "-"],
        cwd=sched.folder,
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        wait_until(lambda: _reads(_child_of(process.pid)))
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 130
        assert process.stderr
        assert process.stderr.read().strip() == ""
    assert not (sched.folder / "r").exists()


def _child_of(pid: int) -> int | None:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return int(children[0]) if children else None


def _reads(pid: int | None) -> bool:
    """Whether it waits for its standard input: read(0, ...)."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/syscall").read_text().split()[:2] in (["0", "0x0"], ["63", "0x0"])
    return False
