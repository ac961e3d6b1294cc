"""The examples of docs/backends/containers.md, by an engine that has their image."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from ..jobs import INSIDE
from ..readmes import Command, commands, example, run_script
from .machines import Engine

PAGE = "docs/backends/containers.md"

pytestmark = pytest.mark.timeout(300)

_CHANGES = re.compile(r"\d+(\.\d+)?s\b|\d+ at a time|\d+(\.\d+)+(\S*-release)?")


@pytest.fixture
def folder(podman: Engine, tmp_path: Path) -> Path:
    """A folder with what the examples read."""
    podman.run("tag", podman.image, "docker.io/library/debian:12")
    (tmp_path / "data").mkdir()
    for number in range(3):
        (tmp_path / f"data/{number}.txt").write_text("text\n")
    return tmp_path


def test_the_library(folder: Path) -> None:
    printed = run_script(example(PAGE, "container"), folder)
    assert sorted(printed.splitlines()) == [f"{n} FINISHED 0" for n in range(3)]
    for number in range(3):
        said = (folder / f"run1/{number}/job.stdout").read_text()
        assert said.endswith(f"  /data/{number}.txt\n")


@pytest.mark.parametrize("name", ["command_line", "refused"])
def test_the_command_line(folder: Path, name: str) -> None:
    for command in commands(example(PAGE, name)):
        printed = _CHANGES.sub("N", command.run(folder)).splitlines()
        # What the doctor says of the machine comes first, and is left out there.
        shown = _CHANGES.sub("N", command.shown).removeprefix("...\n").splitlines()
        assert printed[-len(shown) :] == shown


def test_other_schedulers_by_the_command_line(folder: Path, tree: Path) -> None:
    container = json.dumps({"image": "debian:12", "engine": "podman", "pull": "never"})
    run = f"sched run --cat -w plain -o 'container={container}' -- sh -c '{INSIDE}' 2>/dev/null"
    assert Command(run, "").run(folder) == "inside\n"
    rows = [
        {"cmd": ["sh", "-c", INSIDE]},
        {"cmd": ["sh", "-c", INSIDE], "container": json.loads(container)},
    ]
    (folder / "list").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    run = "sched run --cat -w listed --from list 2>/dev/null"
    assert Command(run, "").run(folder) == "inside\n"
