from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ..engines import or_skip
from .hosts import Lab
from .podman import add_podman, control_groups


@pytest.fixture
def anyio_backend() -> str:
    """The client library knows no other event loop."""
    return "asyncio"


@contextmanager
def _running(net: str) -> Iterator[Lab]:
    with tempfile.TemporaryDirectory(prefix="sched-ssh-", ignore_cleanup_errors=True) as root:
        with or_skip():
            lab = Lab(Path(root), net)
        try:
            yield lab
        finally:
            lab.stop()


@contextmanager
def _entered(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    """Be in the hosts' network, with a home whose keys they know."""
    monkeypatch.setenv("HOME", os.fspath(lab.home))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    with tempfile.TemporaryDirectory(prefix="sched-cache-") as cache, lab.network.inside():
        # The tests before have used up what connections there may be to a host.
        monkeypatch.setenv("XDG_CACHE_HOME", cache)
        yield lab


@pytest.fixture(scope="session")
def _sharing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with _running("10.99.1") as lab:
        with or_skip():
            for _ in range(2):
                # Who drives owns the files, here as there.
                lab.host(uid=os.geteuid(), shared=[tmp_path_factory.getbasetemp()])
        yield lab


@pytest.fixture
def sharing(_sharing: Lab, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    """Two hosts that share the tests' folders with the driver."""
    with _entered(_sharing, monkeypatch) as lab:
        yield lab


@pytest.fixture(scope="session")
def _apart() -> Iterator[Lab]:
    with _running("10.99.2") as lab:
        with or_skip():
            for _ in range(2):
                lab.host()
        yield lab


@pytest.fixture
def apart(_apart: Lab, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    """Two hosts with disks of their own."""
    with _entered(_apart, monkeypatch) as lab:
        yield lab


@pytest.fixture(scope="session")
def _holding(tree: Path) -> Iterator[Lab]:
    with _running("10.99.4") as lab:
        with or_skip():
            for _ in range(2):
                add_podman(lab.host(uid=0, shared=control_groups()), tree)
        yield lab


@pytest.fixture
def holding(_holding: Lab, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    """Two hosts with disks of their own, and Podman, whose user is root."""
    with _entered(_holding, monkeypatch) as lab:
        yield lab


@pytest.fixture
def lab(monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    """A network for a test's own hosts."""
    with _running("10.99.3") as own, _entered(own, monkeypatch):
        yield own
