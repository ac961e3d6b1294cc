"""The line that says how far something is."""

from __future__ import annotations

import io
import sys
import time

import pytest

from sched_meta.keeping import ticking


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What the clock shows."""
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def test_now_and_then_and_gone_at_the_end(
    clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with ticking.ticking() as show:
        show("too early")
        for second in (101.0, 101.1, 102.0):
            clock[0] = second
            show(f"at {second}")
    clear = "\r\x1b[2K"
    assert terminal.getvalue() == f"{clear}sched: at 101.0{clear}sched: at 102.0{clear}"


def test_nothing_of_what_takes_no_time(clock: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with ticking.ticking() as show:
        show("so far")
    assert terminal.getvalue() == ""


def test_nothing_where_there_is_no_terminal(
    clock: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    with ticking.ticking() as show:
        clock[0] += 10.0
        show("so far")
    assert capsys.readouterr().err == ""
