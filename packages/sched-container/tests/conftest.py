from __future__ import annotations

import pytest

from .fake import FakeDocker


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def docker(tmp_path_factory: pytest.TempPathFactory) -> FakeDocker:
    return FakeDocker(tmp_path_factory.mktemp("bin"))
