"""What jobs write, and are called, cannot steer the terminal on which it is shown."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sched_core.model.failure import Failure
from sched_core.model.status import JobStatus
from sched_core.runfolder import JobRecord
from sched_meta.console import legible
from sched_meta.terminaltext import shown

from .program import in_terminal
from .recorded import record_run

RESET = b"\x1b[0m"
HOSTILE = {
    "title": b"\x1b]0;title\x07",
    "clipboard": b"\x1b]52;c;cm0gLXJm\x07",
    "clear": b"\x1b[2J\x1b[H",
    "answer": b"\x1b[c\x1b[6n\x05",
    "keys": b"\x1bP$q\x1b\\\x1b[?2004l",
    "c1": b"\x9b2J\x9d0;title\x9c",
    "c1 in UTF-8": "\u009b2J\u009d0;title\u009c".encode(),
    "direction": "\u202eevil\u202c \u2066x\u2069".encode(),
    "backspace": b"good\b\b\b\bevil\x7f",
    "charset": b"\x0e\x1b(0",
}
STEERS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def plainly(text: bytes, *, tagged: bool = False) -> bytes:
    return b"".join(shown([text], tagged=tagged))


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_nothing_steers_a_terminal(text: bytes) -> None:
    for pieces in ([text], [bytes([byte]) for byte in text]):
        assert not STEERS.search(b"".join(shown(pieces)).decode())


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_no_message_steers_a_terminal(text: bytes) -> None:
    assert not STEERS.search(legible(text.decode("utf-8", "replace")))


def test_other_languages_are_left_as_they_are() -> None:
    text = "año œuvre 日本 עברית \u200f العربية 😀 ½\n".encode()
    assert b"".join(shown([bytes([byte]) for byte in text])) == text


def test_colours_end_with_the_text() -> None:
    assert plainly(b"\x1b[8mhidden") == b"\x1b[8mhidden" + RESET


@pytest.mark.parametrize(
    "text, seen", [(b"7\tgood\rEVIL\n", b"7\tgood?EVIL\n"), (b"7\tdos\r\n", b"7\tdos\r\n")]
)
def test_nothing_is_written_over_a_tag(text: bytes, seen: bytes) -> None:
    for pieces in ([text], [bytes([byte]) for byte in text]):
        assert b"".join(shown(pieces, tagged=True)) == seen


@pytest.mark.parametrize(
    "args",
    ["cat r", "cat r --tag", "logs r 0", "logs r", "explain r 0", "results r", "status r", "ls"],
)
def test_no_command_hands_it_to_a_terminal(tmp_path: Path, args: str) -> None:
    hostile = b"".join(HOSTILE.values())
    name = "job\x1b]0;title\x07\u202e\nx"
    jobs = [
        JobRecord(
            index,
            ["printf", name],
            name=f"{name}{index}",
            status=JobStatus.FAILED,
            failure=Failure.EXIT,
            rc=1,
            host=name,
            reason=name,
            jid=name,
        )
        for index in (0, 1)
    ]
    record_run(tmp_path / "r", jobs, dict.fromkeys((0, 1), (hostile, hostile)))
    code, text = in_terminal(tmp_path, *args.split())
    assert code in (0, 1)
    assert not STEERS.search(re.sub(r"\x1b\[[0-9;]*m", "", text))


def test_run_hands_none_of_it_to_a_terminal(tmp_path: Path) -> None:
    (tmp_path / "hostile").write_bytes(b"".join(HOSTILE.values()))
    code, text = in_terminal(
        tmp_path, "run", "-w", "r", "--cat", "--no-progress", "--", "cat", "hostile"
    )
    assert code == 0
    assert "title" in text
    assert not STEERS.search(re.sub(r"\x1b\[[0-9;]*m", "", text))
