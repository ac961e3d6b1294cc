"""`--secret-env`: no command, record, page or command line tells the value, and a run can go on with it."""

from __future__ import annotations

import signal
from pathlib import Path
from uuid import uuid4

import pytest

from sched_core.testing.argv import watched

from .program import Sched, wait_until

VALUE = uuid4().hex
"""Other tests, too, look for theirs in all command lines: it must be in none of another process."""
WAITS = "test ${#TOKEN} = 32 && echo $0 >>started; until test -e go; do sleep 0.02; done; exit $0"


@pytest.fixture(autouse=True)
def token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", VALUE)


def holding(folder: Path) -> list[str]:
    """Return the files below a folder that hold the value."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [str(path.relative_to(folder)) for path in files if VALUE in _text(path)]


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except FileNotFoundError:  # a driver has just removed it
        return ""


def test_t43_nothing_tells_the_value(sched: Sched) -> None:
    said = []
    with watched([VALUE], b"--secret-env"):
        command = ("--secret-env", "TOKEN", "--", "sh", "-c", WAITS, ":::", "0", "3")
        said.append(sched("run", "--dry-run", *command))
        said.append(sched("run", "-w", "r", "-d", *command))
        wait_until(lambda: sched.lines("started") == ["0", "3"])
        assert holding(sched.folder) == ["r/.sched/secrets/TOKEN"]
        shown = (["status", "r", "--json"], ["explain", "r", "1"], ["results", "r"], ["ls"])
        said.extend(sched(*words) for words in shown)
        sched.go()
        said.append(sched("wait", "r", code=1))
        wait_until(lambda: holding(sched.folder) == [])
        shown_later = (["explain", "r", "1"], ["report", "r", "-o", "r.html"], ["pack", "r"])
        said.extend(sched(*words) for words in shown_later)
    assert not [one for one in said if VALUE in one.stdout + one.stderr]
    assert holding(sched.folder) == []
    assert "TOKEN (secret)" in said[-3].stdout


def test_t43_a_command_that_tells_it_is_not_repeated(sched: Sched) -> None:
    line = 'echo "bad token $TOKEN" >&2; exit 3'
    done = sched(
        *("run", "--json", "-w", "r", "--secret-env", "TOKEN", "--", "sh", "-c", line), code=1
    )
    assert "bad token ***" in done.stderr
    assert VALUE not in done.stdout + done.stderr
    assert holding(sched.folder) == ["r/0/job.stderr"], "what the command writes is its own affair"


def test_explain_masks_what_a_job_has_told_while_the_run_goes_on(sched: Sched) -> None:
    line = 'echo "bad token $TOKEN" >&2; echo $0 >>started; until test -e go; do sleep 0.02; done'
    driver = sched.start("run", "-w", "r", "--secret-env", "TOKEN", "--", "sh", "-c", line, "0")
    wait_until(lambda: sched.lines("started"))
    assert "bad token ***" in sched("explain", "r", "0").stdout
    sched.go()
    assert driver.finish()[0] == 0


def test_t43_what_a_driver_that_was_killed_leaves_is_removed_by_the_next(sched: Sched) -> None:
    driver = sched.start_waiting_jobs("--secret-env", "TOKEN", jobs=1)
    driver.send(signal.SIGKILL)
    driver.finish()
    assert holding(sched.folder) == ["r/.sched/secrets/TOKEN"]
    sched.go()
    sched("resume", "r")
    assert holding(sched.folder) == []


def test_t43_clean_removes_the_secrets_of_a_run_that_was_stopped(
    sched: Sched, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver = sched.start_waiting_jobs("--secret-env", "TOKEN", jobs=2, forks=1)
    driver.send(signal.SIGINT)
    assert driver.finish()[0] == 130
    assert holding(sched.folder) == ["r/.sched/secrets/TOKEN"]
    told = "the secrets of jobs that have not ended; sched resume r --secret-env TOKEN goes on with"
    assert f"would be removed: {told}" in sched("clean", "r", "--dry-run").stderr
    assert holding(sched.folder) == ["r/.sched/secrets/TOKEN"]
    assert f"removed {told}" in sched("clean", "r").stderr
    assert holding(sched.folder) == []
    assert "nothing of the run is left" in sched("clean", "r").stderr
    monkeypatch.delenv("TOKEN")
    assert (
        "set the variable TOKEN and add --secret-env TOKEN" in sched("resume", "r", code=2).stderr
    )
    monkeypatch.setenv("TOKEN", "another one")
    sched.go()
    sched("resume", "r")
    assert sched.counts() == {"finished": 2}


def test_a_run_goes_on_with_the_secrets_it_has(
    sched: Sched, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver = sched.start_waiting_jobs("--secret-env", "TOKEN", jobs=3, forks=1)
    driver.send(signal.SIGINT)
    code, said = driver.finish()
    assert code == 130
    assert "secrets: kept for sched resume r; sched clean r removes them" in said
    monkeypatch.delenv("TOKEN")
    sched.go()
    sched("resume", "r")
    assert sched.counts() == {"finished": 3}
    assert holding(sched.folder) == []


def test_a_retry_after_the_end_asks_for_the_value(
    sched: Sched, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = "test $TOKEN = new"
    sched("run", "-w", "r", "--secret-env", "TOKEN", "--", "sh", "-c", line, code=1)
    monkeypatch.delenv("TOKEN")
    refused = sched("retry", "r", code=2).stderr
    assert "set the variable TOKEN and add --secret-env TOKEN" in refused
    assert sched.counts() == {"failed": 1}
    monkeypatch.setenv("TOKEN", "new")
    sched("retry", "r")
    assert sched.counts() == {"finished": 1}


def test_the_same_command_with_another_value_goes_on_with_the_run(
    sched: Sched, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = ("run", "-w", "r", "--resume", "--secret-env", "TOKEN", "--", "echo")
    sched(*command, ":::", "1")
    monkeypatch.setenv("TOKEN", "rotated")
    sched(*command, ":::", "1", "2")
    assert sched.counts() == {"finished": 2}


def test_names_stand_in_the_settings(sched: Sched) -> None:
    (sched.folder / "sched.toml").write_text('secret-env = ["TOKEN"]\n')
    sched("run", "-w", "r", "--", "sh", "-c", "test ${#TOKEN} = 32")
    (sched.folder / "sched.toml").write_text("secret-env = 3\n")
    refused = sched("run", "--", "true", code=2).stderr
    assert 'secret-env: it must be a list of names such as ["TOKEN"], not 3' in refused
