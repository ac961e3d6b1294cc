from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ..engines import started
from .machines import Apptainer, Docker, Engine, Podman, Rootless

HERE = Path(__file__).parent
OF_OTHERS = {"docker", "podman"} if os.geteuid() else {"rootless"}
"""Engines of root, or of those who are not."""
collect_ignore = os.environ.get("SCHED_TEST_LEAVE", "").split()
if os.geteuid():
    collect_ignore.append("test_rootless.py")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests on engines of others; and of a share (1/3), the tests of other shares."""
    here = [item for item in items if HERE in item.path.parents]
    share, shares = map(int, os.environ.get("SCHED_TEST_SHARE", "0/1").split("/"))
    own = [item for item in here if OF_OTHERS.isdisjoint(_engines_of(item))][share::shares]
    left_out = set(here) - set(own)
    config.hook.pytest_deselected(items=sorted(left_out, key=here.index))
    items[:] = [item for item in items if item not in left_out]


def _engines_of(item: pytest.Item) -> set[str]:
    assert isinstance(item, pytest.Function)
    parameters = item.callspec.params.values() if hasattr(item, "callspec") else ()
    return {*item.fixturenames, *(value for value in parameters if isinstance(value, str))}


@pytest.fixture
def anyio_backend() -> str:
    """The small engines of the unit tests know both; here one is enough."""
    return "asyncio"


@contextmanager
def _reached(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    for name, value in engine.env.items():
        monkeypatch.setenv(name, value)
    yield engine


def _running(kind: Callable[[Path, Path], Engine], tree: Path) -> Iterator[Engine]:
    with started(kind.__name__.lower(), lambda root: kind(root, tree)) as engine:
        yield engine


@pytest.fixture(scope="session")
def _docker(tree: Path) -> Iterator[Engine]:
    yield from _running(Docker, tree)


@pytest.fixture(scope="session")
def _podman(tree: Path) -> Iterator[Engine]:
    yield from _running(Podman, tree)


@pytest.fixture(scope="session")
def _rootless(tree: Path) -> Iterator[Engine]:
    yield from _running(Rootless, tree)


@pytest.fixture(scope="session")
def _apptainer(tree: Path) -> Iterator[Engine]:
    yield from _running(Apptainer, tree)


@pytest.fixture
def apptainer(_apptainer: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    with _reached(_apptainer, monkeypatch) as engine:
        yield engine


@pytest.fixture
def docker(_docker: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    with _reached(_docker, monkeypatch) as engine:
        yield engine


@pytest.fixture
def podman(_podman: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    with _reached(_podman, monkeypatch) as engine:
        yield engine


@pytest.fixture
def rootless(_rootless: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    with _reached(_rootless, monkeypatch) as engine:
        yield engine
