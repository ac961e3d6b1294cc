from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from .readme import example

pytestmark = pytest.mark.once


def test_the_scheduler_fits_on_a_screen() -> None:
    assert len(example("scheduler").splitlines()) < 60


@pytest.mark.timeout(300)
def test_the_contract_is_run_as_the_readme_shows(tmp_path: Path) -> None:
    (tmp_path / "test_session.py").write_text(example("scheduler") + example("contract"))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "finishes"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert "2 passed" in done.stdout
