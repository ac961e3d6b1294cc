"""The examples of sched-ssh's README, on hosts of the names that it uses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from ..readmes import commands, example, run_script
from .hosts import Lab

_CHANGES = re.compile(r"\d+(\.\d+)?s\b")


@pytest.fixture
def folder(sharing: Lab, tmp_path: Path) -> Iterator[Path]:
    """A folder with what the examples read, seen by node1 and node2."""
    for number in range(3):
        (tmp_path / f"{number}.txt").write_text("text\n")
    config = sharing.home / ".ssh/config"
    kept = config.read_text()
    config.write_text(kept.replace("Host h", "Host node"))
    yield tmp_path
    config.write_text(kept)


def test_the_library(folder: Path) -> None:
    printed = run_script(example("sched-ssh", "ssh"), folder)
    assert sorted(printed.splitlines()) == [f"{n} FINISHED 0" for n in range(3)]
    assert len(list(folder.glob("*.txt.gz"))) == 3


def test_the_command_line(folder: Path) -> None:
    for command in commands(example("sched-ssh", "command_line")):
        printed = _CHANGES.sub("N", command.run(folder))
        assert printed == _CHANGES.sub("N", command.shown)
    assert (folder / "counts/1/job.stdout").read_text() == "1 1.txt\n"
