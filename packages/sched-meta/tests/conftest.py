from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .program import Sched


@pytest.fixture(autouse=True)
def user_folder(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the user's own settings lie: nobody's real ones are read."""
    folder = tmp_path_factory.mktemp("config")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(folder))
    return folder / "sched"


@pytest.fixture
def sched(tmp_path: Path) -> Iterator[Sched]:
    """The installed command, run in a folder of its own; what it leaves is told to end."""
    program = Sched(tmp_path)
    yield program
    program.close()
