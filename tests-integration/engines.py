"""What is done where a real engine cannot be started."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from .daemons import EngineMissing

__all__ = ["or_skip"]


@contextmanager
def or_skip() -> Iterator[None]:
    """Skip the tests where the engine cannot be started; in CI (the variable CI) that is a failure."""
    try:
        yield
    except EngineMissing as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(error))
