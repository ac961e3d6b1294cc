"""What the pages for users of other tools show that needs Slurm."""

from __future__ import annotations

from pathlib import Path

import pytest

from ..readmes import example, run_script

pytestmark = [pytest.mark.usefixtures("bare_slurm"), pytest.mark.timeout(300)]


@pytest.mark.parametrize("tool", ["psij", "submitit", "xqute-pipen"])
def test_the_same_on_slurm(tool: str, tmp_path: Path) -> None:
    lines = run_script(example(f"docs/coming-from/{tool}.md", "slurm"), tmp_path).splitlines()
    assert sorted(lines) == [f"{n} FINISHED 0" for n in range(3)]
