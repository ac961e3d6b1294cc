from __future__ import annotations

from pathlib import Path

import pytest

from sched_core.runfolder import Layout

from .helpers import make_layout


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return make_layout(tmp_path / "run")
