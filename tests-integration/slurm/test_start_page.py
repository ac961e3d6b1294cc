"""What the documentation's first page shows of a cluster."""

from __future__ import annotations

from pathlib import Path

import pytest
from tools.docs.shown import differences

from ..readmes import commands, example

pytestmark = [pytest.mark.usefixtures("bare_slurm"), pytest.mark.timeout(300)]


def test_the_same_line_runs_on_a_cluster(tmp_path: Path) -> None:
    for file in ("a.txt", "b.txt"):
        (tmp_path / file).write_text("text\n")
    for command in commands(example("docs/index.md", "cluster")):
        assert differences(command.shown, command.run(tmp_path)) == []
    assert (tmp_path / "b.txt.gz").exists()
