"""What the page of Grid Engine shows."""

from __future__ import annotations

from pathlib import Path

import pytest
from tools.docs.shown import differences

from ..readmes import commands, example, run_script

PAGE = "docs/backends/sge.md"

pytestmark = [pytest.mark.usefixtures("sge"), pytest.mark.timeout(300)]


def test_the_first_run(tmp_path: Path) -> None:
    printed = run_script(example(PAGE, "sge"), tmp_path)
    assert printed == "".join(f"{n} FINISHED 0\n" for n in range(3))


def test_the_command_line(tmp_path: Path) -> None:
    for file in ("a.txt", "b.txt"):
        (tmp_path / file).write_text("text\n")
    for command in commands(example(PAGE, "sge_command_line")):
        assert differences(command.shown, command.run(tmp_path)) == []
    assert (tmp_path / "b.txt.gz").exists()
