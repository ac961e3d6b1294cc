from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from sched_core.model.status import JobStatus
from sched_core.runfolder import JobRecord
from sched_meta.reading.outputs import tagged
from sched_meta.terminaltext import TerminalText

from .program import Sched, in_terminal
from .recorded import record_run


def jobs(number: int) -> list[JobRecord]:
    return [JobRecord(index, ["x"], status=JobStatus.FINISHED, rc=0) for index in range(number)]


def test_outputs_come_in_order_byte_for_byte(sched: Sched) -> None:
    odd = b"\xff\x00\x1b[2J\nno end"
    record_run(sched.folder / "r", jobs(12), {2: (odd, b""), 10: (b"ten\n", b""), 0: (b"0\n", b"")})
    assert sched("cat", "r").stdout.encode(errors="surrogateescape") == b"0\n" + odd + b"ten\n"
    assert sched("cat", "r", "10,0").stdout == "0\nten\n"


def test_of_the_newest_run_with_tags(sched: Sched) -> None:
    script = "printf '%s\\n' $0 end; echo oops >&2; exit $0"
    sched("run", "--name", "n{}", "--", "sh", "-c", script, ":::", "0", "1", code=1)
    assert sched("cat").stdout == "0\nend\n1\nend\n"
    newest = next((sched.folder / "sched-runs").iterdir()).name
    assert sched("cat", newest, "--tag").stdout == "n0\t0\nn0\tend\nn1\t1\nn1\tend\n"
    assert sched("cat", newest, "failed", "--stderr").stdout == "oops\n"


def test_jobs_that_have_not_ended_are_told_of(sched: Sched) -> None:
    found = [*jobs(2), JobRecord(2, ["x"]), JobRecord(3, ["x"], status=JobStatus.RUNNING)]
    record_run(sched.folder / "r", found, {1: (b"done\n", b""), 3: (b"half", b"")})
    done = sched("cat", "r")
    assert done.stdout == "done\n"
    assert done.stderr == (
        "sched: 2 jobs have not ended and have been left out (2-3);"
        " follow with: sched logs r 2-3 -f\n"
    )


def test_a_terminal_gets_colours_and_nothing_that_moves_its_cursor(sched: Sched) -> None:
    record_run(sched.folder / "r", jobs(1), {0: (b"\x1b[31mred\x1b[2J\x07\n", b"")})
    code, shown = in_terminal(sched.folder, "cat", "r")
    assert (code, shown) == (0, "\x1b[31mred?[2J?\r\n\x1b[0m")


# --- lines with tags ---------------------------------------------------------------------------------


@settings(deadline=None)
@given(st.lists(st.binary(max_size=6)))
def test_every_line_is_tagged(pieces: list[bytes]) -> None:
    text = b"".join(pieces)
    lines = text.split(b"\n")
    if not lines[-1]:
        lines.pop()
    assert b"".join(tagged("a b", pieces)) == b"".join(b"a b\t" + line + b"\n" for line in lines)


# --- text for terminals --------------------------------------------------------------------------------


def shown(*pieces: bytes) -> bytes:
    text = TerminalText()
    return b"".join(text.take(piece) for piece in pieces) + text.end()


CONTROLS = st.sampled_from(
    [b"\x1b", b"[", b"1", b";", b"m", b"\xc2", b"\x9b", b"\x9f", b"a", b"\n", b"\r"]
)


@settings(deadline=None)
@given(st.lists(st.lists(CONTROLS).map(b"".join)))
def test_pieces_make_no_difference(pieces: list[bytes]) -> None:
    assert shown(*pieces) == shown(b"".join(pieces))


@settings(deadline=None)
@given(st.lists(CONTROLS | st.binary(max_size=4)).map(b"".join))
def test_nothing_but_colours_is_left(text: bytes) -> None:
    for part in shown(text).split(b"\x1b[")[1:]:
        assert part.lstrip(b"0123456789;:").startswith(b"m")
    assert b"\x1b" not in shown(text).replace(b"\x1b[", b"")
    assert b"\xc2\x9b" not in shown(text)


def test_text_is_left_as_it_is() -> None:
    text = "año\tœuvre\n\r日本 ½".encode()
    assert shown(text) == text
