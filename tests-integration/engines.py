"""Real engines for tests: started, ended, and what is done where one cannot be started."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol, TypeVar

import pytest

from .daemons import EngineMissing

__all__ = ["or_skip", "started"]


class _Cluster(Protocol):
    def start(self) -> None: ...

    def stop(self) -> None: ...


C = TypeVar("C", bound=_Cluster)


@contextmanager
def or_skip() -> Iterator[None]:
    """Skip the tests where the engine cannot be started; in CI (the variable CI) that is a failure."""
    try:
        yield
    except EngineMissing as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(error))


@contextmanager
def started(name: str, make: Callable[[Path], C]) -> Iterator[C]:
    """Have a cluster for a while, in a folder of its own."""
    # Not pytest's own folder: munge wants one that everybody may enter.
    with tempfile.TemporaryDirectory(prefix=f"sched-{name}-", ignore_cleanup_errors=True) as root:
        with or_skip():
            cluster = make(Path(root))
        try:
            with or_skip():
                cluster.start()
            yield cluster
        finally:
            cluster.stop()
