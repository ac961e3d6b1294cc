"""What the README shows is what one sees."""

from __future__ import annotations

import re
from pathlib import Path

from .documents import blocks, sessions, typed

README = Path(__file__).parent.parent / "README.md"

# What differs from one time, host and machine to the next.
VARYING = (
    (re.compile(r"\d+ at a time"), "N at a time"),
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"), "TIME"),
    (re.compile(r" in [0-9.]+s:"), " in Ns:"),
    (re.compile(r"process \d+"), "process N"),
    (re.compile(r", waited [0-9.hms]+"), ""),
    (re.compile(r"\([0-9.]+s(, [0-9.]+s of cpu)?\)"), "(Ns)"),
    (re.compile(r" on \S+ as \d+"), " on HOST as N"),
    (re.compile(r"  [0-9.]+ (Ki|Mi|K|M)?B\b"), "  N B"),
    (re.compile(r"\([0-9.]+ (Ki|Mi|K|M)?B\)"), "(N B)"),
    (re.compile(r'"(at|started|ended|cpu|max_rss)": (\d+(\.\d+)?|null)'), r'"\1": N'),
    (re.compile(r'"host": "[^"]*"'), '"host": "HOST"'),
    (re.compile(r'"jid": ("\d+"|null)'), '"jid": N'),
)


def plain(text: str) -> str:
    for pattern, word in VARYING:
        text = pattern.sub(word, text)
    return text


def test_console(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("hello\n")
    (tmp_path / "b.txt").write_text("good morning")
    for command, output in sessions(README.read_text()):
        printed = typed(command, tmp_path)
        # Two jobs end in any order.
        assert sorted(plain(printed).split("\n")) == sorted(plain(output).split("\n")), command


def test_python() -> None:
    for block in blocks(README.read_text(), "python"):
        exec(compile(block, str(README), "exec"), {})


def test_every_command_is_in_the_table() -> None:
    from sched_meta.cli.group import sched

    listed = re.findall(r"^\| `sched (\w+)", README.read_text(), re.MULTILINE)
    assert listed == list(sched.list_commands(sched.make_context("sched", ["run"])))
