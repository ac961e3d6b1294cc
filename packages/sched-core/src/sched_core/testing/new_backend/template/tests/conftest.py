from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest

from sched_template.commands import cancel_command


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    """Run each async test on both event loops."""
    return str(request.param)


@pytest.fixture
def queue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Give each test an engine of its own: start yours here, and end it after the test."""
    folder = tmp_path_factory.mktemp("engine") / "queue"
    yield str(folder)
    left = [path.name for path in folder.glob("*")]
    subprocess.run(cancel_command(str(folder), 0, left), check=True)
