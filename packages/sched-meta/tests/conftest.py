from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .program import Sched


@pytest.fixture
def sched(tmp_path: Path) -> Iterator[Sched]:
    """The installed command, run in a folder of its own; what it leaves is told to end."""
    program = Sched(tmp_path)
    yield program
    program.close()
