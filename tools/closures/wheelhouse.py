"""Wheels in a folder, and installs that are made of them without an index."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from ..environments import Environment, uv
from .closure import Found, package_name, read_environment
from .installs import INSTALLS, Install

__all__ = ["ROOT", "Installed", "collect_wheels", "installed"]

ROOT = Path(__file__).resolve().parents[2]
_PYTHON = "3.11"
"""The oldest that the packages work with, which needs most besides them."""


@dataclass(frozen=True, slots=True)
class Installed:
    """An install in an environment of its own, and a home of somebody who has nothing else."""

    install: Install
    environment: Environment
    home: Path

    def examine(self) -> Found:
        """Return what is there, and what its import does."""
        closure, schedulers = read_environment(self.environment.site)
        printed = self._run("imports", self.install.imports, *self.install.modules)
        told = json.loads(printed)
        loaded = frozenset(map(package_name, told["loaded"]))
        return Found(closure, schedulers, loaded, tuple(told["side effects"]))

    def use(self) -> None:
        """Have the install's trial use it. Raises CalledProcessError where that fails."""
        self._run(self.install.trial, "run", stdout=None)

    def _run(self, trial: str, *arguments: str, stdout: int | None = subprocess.PIPE) -> str:
        words = ("python", "-m", f"tools.closures.trials.{trial}", *arguments)
        return self.environment.run(*words, home=self.home, stdout=stdout, PYTHONPATH=str(ROOT))


def collect_wheels(wheelhouse: Path) -> None:
    """Fill a folder with our wheels of `dist/`, and with all that any install needs besides."""
    # Named as files, so that no index can offer something else under our names.
    wanted = [f"{_wheel(i.package)}{i.requirement.removeprefix(i.package)}" for i in INSTALLS]
    pip = ("tool", "run", "--python", _PYTHON, "pip", "-qq")
    uv(*pip, "download", "--only-binary=:all:", "--dest", wheelhouse, *wanted)


def _wheel(package: str) -> Path:
    found = list(ROOT.glob(f"dist/{package.replace('-', '_')}-*.whl"))
    if len(found) != 1:
        sys.exit(
            f"dist/ has {len(found)} wheels of {package} instead of one: remove dist/, and then"
            " `python3 tools/dev.py build --all`"
        )
    return found[0]


@contextmanager
def installed(install: Install, wheelhouse: Path) -> Iterator[Installed]:
    """Install into an empty environment from the folder alone, and remove that at the end."""
    with TemporaryDirectory(prefix="sched-closure-") as name:
        env = Environment.made(Path(name, "env"), _PYTHON, "--offline", "--no-config")
        env.install("--no-index", "--find-links", wheelhouse, install.requirement)
        home = Path(name, "home")
        home.mkdir()
        yield Installed(install, env, home)
