from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ..engines import or_skip, started
from .image import make_tree
from .machines import Apptainer, Docker, Engine, Podman


@pytest.fixture
def anyio_backend() -> str:
    """The small engines of the unit tests know both; here one is enough."""
    return "asyncio"


@pytest.fixture(scope="session")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of the tests' image; for Apptainer they are the image."""
    folder = tmp_path_factory.mktemp("image") / "tree"
    with or_skip():
        make_tree(folder)
    return folder


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
def _apptainer(tree: Path) -> Iterator[Engine]:
    yield from _running(Apptainer, tree)


@pytest.fixture
def apptainer(_apptainer: Engine) -> Engine:
    return _apptainer


@pytest.fixture
def docker(_docker: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    with _reached(_docker, monkeypatch) as engine:
        yield engine


@pytest.fixture
def podman(_podman: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    with _reached(_podman, monkeypatch) as engine:
        yield engine
