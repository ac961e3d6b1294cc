from __future__ import annotations

import os
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sched_core import AttemptId, Failure
from sched_core.text.usage import Usage
from sched_ssh.wire import (
    Done,
    Ended,
    Gone,
    Hello,
    Message,
    Root,
    SlotDied,
    Started,
    Told,
    Trouble,
    command,
    opening,
    parse_message,
    request,
)

ONE = AttemptId(7, 2)


@pytest.mark.parametrize(
    "line, message",
    [
        (b"S 7 2 123 456", Started(ONE, 123)),
        (b"E 7 2 0", Ended(ONE, 0, None)),
        (b"E 7 2 0 -", Ended(ONE, 0, None)),
        (b"E 7 2 0 ", Ended(ONE, 0, None)),
        (b"E 7 2 143 TIMEOUT", Ended(ONE, 143, Failure.TIMEOUT)),
        (
            b"E 7 2 0 - 0m1.000s:0m0.000s/0m2.500s:0m0.250s\x1fclaim",
            Ended(ONE, 0, None, (b"claim",), Usage(1.5, 0.25)),
        ),
        (b"a 7 2 none - -", Told(ONE, "none", None, None)),
        (b"a 7 2 ended 3 EXIT", Told(ONE, "ended", 3, Failure.EXIT)),
        (b"G 7 2", Gone(ONE)),
        (b"D 3", SlotDied(3)),
        (b"done 12", Done(12)),
        (b"root 1 /a b", Root(True, "/a b")),
        (b"root 0 /\xff", Root(False, "/\udcff")),
        (b"error the disk is full", Trouble("the disk is full")),
        (b"hello 1 2 boot 8 1024 1 5.2 h1", Hello(1, 2, "boot", 8, 1 << 20, 1, (5, 2), "h1")),
    ],
)
def test_what_an_agent_says(line: bytes, message: Message) -> None:
    assert parse_message(line) == message


@pytest.mark.parametrize("line", [b"", b"hi there", b"E 7", b"a 7 2 dancing - -", b"S x y z t"])
def test_what_no_agent_says(line: bytes) -> None:
    with pytest.raises((ValueError, IndexError)):
        parse_message(line)


def test_requests() -> None:
    assert request("ping", 3) == b"ping\x003\x00"
    assert request("watch", lists=[7, 2]) == b"watch\x007\x002\x00\x00"
    assert request("run", "\udcff") == b"run\x00\xff\x00"


@given(st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))))
def test_fields_reach_a_script_as_they_are(fields: list[str]) -> None:
    script = b"while IFS= read -rd '' f; do printf '%s\\0' \"$f\"; done"
    done = subprocess.run(
        ["sh", "-c", command("mark")],
        input=opening(script) + request("fields", *fields),
        capture_output=True,
        check=True,
    )
    assert done.stdout.split(b"\0")[1:-1] == [os.fsencode(field) for field in fields]
