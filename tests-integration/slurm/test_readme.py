"""What the pages of Slurm and of both clusters show that needs Slurm."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ..readmes import commands, example, run_script

PAGE = "docs/backends/slurm.md"
CLUSTERS = "docs/backends/clusters.md"

pytestmark = [pytest.mark.usefixtures("bare_slurm"), pytest.mark.timeout(300)]

_CHANGES = re.compile(r"(\d+m)?\d+(\.\d+)? ?s\b|\d+(\.\d+)+|\b\d{3,4} tasks")


def same(shown: str) -> list[str]:
    """Return the lines without what depends on the machine and the day."""
    return [_CHANGES.sub("N", line) for line in shown.splitlines() if line != "..."]


def test_the_first_run(tmp_path: Path) -> None:
    printed = run_script(example(PAGE, "slurm"), tmp_path)
    assert printed == "".join(f"{n} FINISHED 0\n" for n in range(3))


def test_resources(tmp_path: Path) -> None:
    lines = run_script(example(PAGE, "resources"), tmp_path).splitlines()
    assert sorted(lines) == ["large FINISHED large: 4 cpus", "small FINISHED small: 1 cpu"]


def test_chunks(tmp_path: Path) -> None:
    assert run_script(example(CLUSTERS, "chunks"), tmp_path) == "200 of 200\n"


@pytest.mark.parametrize("name", ["command_line", "refused"])
def test_the_command_line(name: str, tmp_path: Path) -> None:
    for file in ("a.txt", "b.txt"):
        (tmp_path / file).write_text("text\n")
    for command in commands(example(PAGE, name)):
        printed = same(command.run(tmp_path))
        # The cluster of the tests may have more of something than the page shows.
        assert [
            line for line in same(command.shown) if not any(its.startswith(line) for its in printed)
        ] == []
