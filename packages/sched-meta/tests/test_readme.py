"""The README has a line for every command. What it shows of them is executed by tools/docs."""

from __future__ import annotations

import re
from pathlib import Path

README = Path(__file__).parent.parent / "README.md"


def test_every_command_is_in_the_table() -> None:
    from sched_meta.cli.group import sched

    listed = re.findall(r"^\| `sched (\w+)", README.read_text(), re.MULTILINE)
    assert listed == list(sched.list_commands(sched.make_context("sched", ["run"])))
