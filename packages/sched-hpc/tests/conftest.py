from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from .fake_slurm import install, processes_of


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def slurm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Install a small Slurm; at the end nothing of its tasks may be left."""
    folder = tmp_path / "slurm"
    install(folder)
    monkeypatch.setenv("SLURM_CONF", os.fspath(folder / "slurm.conf"))
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    yield folder
    names = [path.stem for path in (folder / "tasks").glob("*.json")]
    end = time.monotonic() + 60
    while left := {name: found for name in names if (found := processes_of(folder, name))}:
        assert time.monotonic() < end, left  # a job's record is there before its task has ended
        time.sleep(0.05)
