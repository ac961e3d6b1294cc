"""The examples of docs/backends/ssh.md, on hosts of the names that it uses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from tools.docs.shown import differences

from ..readmes import Command, commands, example, run_script
from .hosts import Lab

PAGE = "docs/backends/ssh.md"


def files(lab: Lab, folder: Path) -> Iterator[Path]:
    """Have a folder with what the examples read, and the hosts called node1 and node2."""
    for number in range(3):
        (folder / f"{number}.txt").write_text("text\n")
    config = lab.home / ".ssh/config"
    kept = config.read_text()
    config.write_text(kept.replace("Host h", "Host node"))
    yield folder
    config.write_text(kept)


@pytest.fixture
def folder(sharing: Lab, tmp_path: Path) -> Iterator[Path]:
    """A folder that node1 and node2 see."""
    yield from files(sharing, tmp_path)


@pytest.fixture
def own_folder(apart: Lab, tmp_path: Path) -> Iterator[Path]:
    """A folder that node1 and node2 do not see."""
    yield from files(apart, tmp_path)


def test_the_library(folder: Path) -> None:
    printed = run_script(example(PAGE, "ssh"), folder)
    assert sorted(printed.splitlines()) == [f"{n} FINISHED 0" for n in range(3)]
    assert len(list(folder.glob("*.txt.gz"))) == 3


def test_the_command_line(folder: Path) -> None:
    for command in commands(example(PAGE, "command_line")):
        printed = command.run(folder).replace(": to h", ": to node")  # the hosts' own names
        shown = command.shown.replace("/home/me/here", str(folder))
        assert differences(shown, printed) == []
    assert (folder / "counts/1/job.stdout").read_text() == "1 1.txt\n"


def test_a_host_without_the_disk(own_folder: Path) -> None:
    *steps, clean = commands(example(PAGE, "apart"))
    for command in steps:
        assert differences(command.shown, command.run(own_folder)) == []
    assert re.search(r"^sched: removed node1:/\S+/sched-\w+ \(", clean.run(own_folder))


def test_what_parallel_does_with_hosts(own_folder: Path) -> None:
    page = "docs/coming-from/gnu-parallel.md"
    Command(example(page, "list"), "").run(own_folder)
    for command in commands(example(page, "hosts")):
        assert differences(command.shown, command.run(own_folder)) == []
    assert len(list(own_folder.glob("*.sorted"))) == 3
