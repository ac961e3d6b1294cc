"""Wheels in a folder, and environments that are made of them without an index."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from .closure import Found, package_name, read_environment
from .installs import INSTALLS, Install

__all__ = ["ROOT", "Environment", "collect_wheels", "installed"]

ROOT = Path(__file__).resolve().parents[2]
_PYTHON = "3.11"
"""The oldest that the packages work with, which needs most besides them."""


@dataclass(frozen=True, slots=True)
class Environment:
    """Where one install is."""

    folder: Path

    @property
    def python(self) -> Path:
        return self.folder / "env" / "bin" / "python"

    @property
    def site(self) -> Path:
        [site] = self.folder.glob("env/lib/python*/site-packages")
        return site

    def examine(self, install: Install) -> Found:
        """Return what is installed, and what its import does."""
        closure, schedulers = read_environment(self.site)
        printed = self._run("imports", install.imports, *install.modules, stdout=subprocess.PIPE)
        told = json.loads(printed)
        loaded = frozenset(map(package_name, told["loaded"]))
        return Found(closure, schedulers, loaded, tuple(told["side effects"]))

    def use(self, install: Install) -> None:
        """Have the install's trial use it. Raises CalledProcessError where that fails."""
        self._run(install.trial, "run")

    def _run(self, trial: str, *arguments: str, stdout: int | None = None) -> str:
        """Run one of `trials` as somebody without a home, and return what it prints."""
        home = self.folder / "home"
        home.mkdir(exist_ok=True)
        path = os.pathsep.join([str(self.python.parent), os.environ.get("PATH", os.defpath)])
        env = {"HOME": str(home), "LC_ALL": "C.UTF-8", "PATH": path, "PYTHONPATH": str(ROOT)}
        command = [str(self.python), "-m", f"tools.closures.trials.{trial}", *arguments]
        done = subprocess.run(command, check=True, cwd=home, env=env, stdout=stdout, text=True)
        return done.stdout or ""


def collect_wheels(wheelhouse: Path) -> None:
    """Fill a folder with our wheels of `dist/`, and with all that any install needs besides."""
    # Named as files, so that no index can offer something else under our names.
    wanted = [f"{_wheel(i.package)}{i.requirement.removeprefix(i.package)}" for i in INSTALLS]
    pip = ["uv", "--quiet", "tool", "run", "--python", _PYTHON, "pip", "-qq"]
    download = ["download", "--only-binary=:all:", "--dest", str(wheelhouse)]
    subprocess.run([*pip, *download, *wanted], check=True)


def _wheel(package: str) -> Path:
    found = list(ROOT.glob(f"dist/{package.replace('-', '_')}-*.whl"))
    if len(found) != 1:
        sys.exit(
            f"dist/ has {len(found)} wheels of {package} instead of one: remove dist/, and then"
            " `python3 tools/dev.py build --all`"
        )
    return found[0]


@contextmanager
def installed(install: Install, wheelhouse: Path) -> Iterator[Environment]:
    """Install into an empty environment from the folder alone, and remove that at the end."""
    with TemporaryDirectory(prefix="sched-closure-") as name:
        env = Environment(Path(name))
        uv = ("uv", "--quiet", "--offline", "--no-config")
        at = ("--python", str(env.python))
        subprocess.run([*uv, "venv", "--python", _PYTHON, env.folder / "env"], check=True)
        source = ("--no-index", "--find-links", str(wheelhouse))
        subprocess.run([*uv, "pip", "install", *at, *source, install.requirement], check=True)
        subprocess.run([*uv, "pip", "check", *at], check=True)
        yield env
