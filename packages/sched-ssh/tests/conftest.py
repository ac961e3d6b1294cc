from __future__ import annotations

import pytest


@pytest.fixture
def anyio_backend() -> str:
    """The client library knows no other event loop."""
    return "asyncio"
