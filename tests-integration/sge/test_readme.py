"""The example of sched-hpc's README that needs Grid Engine."""

from __future__ import annotations

from pathlib import Path

import pytest

from ..readmes import example, run_script

pytestmark = [pytest.mark.usefixtures("sge"), pytest.mark.timeout(300)]


def test_the_first_run(tmp_path: Path) -> None:
    printed = run_script(example("sched-hpc", "sge"), tmp_path)
    assert printed == "".join(f"{n} FINISHED 0\n" for n in range(3))
