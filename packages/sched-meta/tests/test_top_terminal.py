"""The real `sched top` in a real terminal, while a real run goes on."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

import pytest

from .program import Sched, in_terminal, wait_until
from .tmux import Terminal, terminal

pytestmark = [
    pytest.mark.once,
    pytest.mark.timeout(600),  # each look at the screen may take a busy machine a while
]

COLORS = re.compile(r"\x1b\[[0-9;]*\b(3[0-7]|38|9[0-7]|4[0-7])[;m]")


def is_as_before(shell: Terminal) -> bool:
    """Whether the shell has its screen, cursor and mouse again."""
    names = ("alternate_on", "cursor_flag", "mouse_any_flag")
    return [shell.state(name) for name in names] == ["0", "1", "0"]


def test_a_run_is_seen_a_job_killed_and_the_terminal_left_as_it_was(sched: Sched) -> None:
    driver = sched.start_waiting_jobs(jobs=4, forks=2)
    with terminal(sched.folder) as shell:
        shell.type("sched top r; echo code $?")
        shell.shows("2 running", "0/4 done", "is at work", "sh -c 'echo $0 >>started;")
        assert shell.state("alternate_on") == "1"
        assert COLORS.search(shell.colored)
        shell.press("k")
        shell.shows("Kill job ")
        shell.press("y")
        shell.shows("1 killed", "2 running")
        assert sched.counts() == {"killed": 1, "running": 2, "waiting": 1}
        sched.go()
        shell.shows("4/4 done", "has ended")
        shell.press("q")
        shell.shows("code 0")
        assert is_as_before(shell)
        shell.type("echo still $((6 * 7))")
        shell.shows("still 42")
    assert driver.finish()[0] == 1


def test_what_a_running_job_writes_is_seen_as_it_comes(sched: Sched) -> None:
    line = "echo first; until test -e go; do sleep 0.02; done; echo second; exit 3"
    driver = sched.start("run", "-w", "sched-runs/r", "--", "bash", "-c", line)
    wait_until((sched.folder / "sched-runs/r/0/job.stdout").exists)
    with terminal(sched.folder) as shell:
        shell.type("sched top; echo code $?")
        shell.shows("1 run", "running")
        shell.press("Enter")
        shell.shows("1 running 1", "bash -c")
        shell.press("Enter")
        shell.shows("state: ", " first")
        sched.go()
        shell.shows(" second", "FAILED EXIT rc 3")
        shell.press("C-c")
        shell.shows("code 130")
        assert is_as_before(shell)
    driver.finish()


def test_keys_that_are_typed_at_once_are_all_taken(sched: Sched) -> None:
    sched("run", "-w", "r", "--", "echo", "fr/k{}q", ":::", *map(str, range(30)))
    with terminal(sched.folder) as shell:
        shell.type("sched top r")
        shell.shows("30/30 done", "q quit")
        shell.press("5", "/", *"fr/k17q", "Enter")
        shell.shows("/fr/k17q", "echo fr/k17q")
        wait_until(lambda: "echo fr/k1q" not in shell.text)


# Each in a terminal of its own: of two changes at once tmux 3.3 may tell the program one only.
@pytest.mark.parametrize(
    "width, height, last", [(50, 12, ["f follow"]), (200, 60, ["echo 'hello world' 29", "? help"])]
)
def test_it_fits_into_a_smaller_and_a_larger_window(
    sched: Sched, width: int, height: int, last: list[str]
) -> None:
    sched("run", "-w", "r", "--", "echo", "hello world", ":::", *map(str, range(30)))
    with terminal(sched.folder, LINES="24", COLUMNS="80") as shell:
        shell.type("sched top r")
        shell.shows("30/30 done", "q quit")
        shell.press("5")
        shell.shows("echo 'hello world' 0")
        shell.tmux("resize-window", "-t", "t", "-x", str(width), "-y", str(height))
        shell.shows("30/30 done")
        wait_until(partial(_has_bar, shell, width))
        shell.shows(*last)


def _has_bar(shell: Terminal, width: int) -> bool:
    lines = [line for line in shell.text.splitlines() if "30/30 done" in line]
    return len(lines) == 1 and width - 3 <= len(lines[0]) <= width


def test_without_colours_all_is_told_all_the_same(sched: Sched) -> None:
    sched("run", "-w", "r", "--", "sh", "-c", "exit $0", ":::", "0", "3", code=1)
    with terminal(sched.folder, NO_COLOR="1") as shell:
        shell.type("sched top r")
        shell.shows("1 finished", "1 failed", "2/2 done")
        shell.press("2")
        shell.shows("EXIT rc 3, 1 job")
        assert not COLORS.search(shell.colored)
        assert "\x1b[7m" in shell.colored or "\x1b[1;7m" in shell.colored  # the cursor


def test_a_signal_leaves_the_terminal_as_it_was(sched: Sched) -> None:
    sched("run", "-w", "r", "--", "true")
    with terminal(sched.folder) as shell:
        shell.type("sched top r & echo $! >pid; fg; echo code $?")
        shell.shows("1/1 done")
        shell.tmux("run-shell", f"kill $(cat {sched.folder}/pid)")
        shell.shows("code 143")
        assert is_as_before(shell)


def test_where_there_is_no_terminal(sched: Sched) -> None:
    sched("run", "-w", "r", "--", "true")
    said = sched("top", "r", code=2).stderr
    assert said.startswith(
        "sched: error: top needs a terminal to draw on; `sched status` tells the same in text\n"
    )


@pytest.mark.parametrize("term", ["dumb", ""])
def test_a_terminal_that_cannot_do_it(
    term: str, sched: Sched, monkeypatch: pytest.MonkeyPatch
) -> None:
    sched("run", "-w", "r", "--", "true")
    monkeypatch.setenv("TERM", term)
    code, said = in_terminal(sched.folder, "top", "r")
    assert code == 2
    assert f"(TERM is {term or 'not set'}); `sched status` tells the same in text" in said


def test_where_there_is_no_run(
    sched: Sched, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    for args, words in (
        (["top"], "there is no run under ./sched-runs; name the folder of one"),
        (["top", "nope"], "nope is no folder of a run"),
        (["top", "a", "b"], "unexpected extra argument"),
    ):
        code, said = in_terminal(tmp_path, *args)
        assert code == 2
        assert words in said
        assert "Traceback" not in said
    assert list(tmp_path.iterdir()) == []
