"""Each backend's tests, run against the lowest and the highest sched-core that its range admits."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from packaging.version import Version

from ..environments import Environment
from .building import wheel_of
from .history import Git, Past
from .workspace import Package, range_of

__all__ = ["Trial", "trials_for", "try_range"]

CORE = "sched-core"


@dataclass(frozen=True, slots=True)
class Trial:
    """A backend with one of the versions that its range admits."""

    backend: str
    range: str
    version: str
    tag: str | None
    """Where that version is; None for the tree's, on which CI runs the tests anyway."""

    def __str__(self) -> str:
        return f"{self.backend}, which wants {CORE}{self.range}, with {self.version}"


def trials_for(packages: Mapping[str, Package], core: Past) -> Iterator[Trial]:
    """Tell what stands at both ends of each backend's range.

    The tree's core comes after all that were released, whatever its version says; where it is as the
    last release was, that one is the tree's.
    """
    for backend in (package for package in packages.values() if package.is_backend):
        for req in (req for req in backend.required if req.name == CORE):
            in_tree = packages[CORE].version
            released = [v for v in core.versions if req.specifier.contains(v)]
            if released and released[-1] == in_tree and not core.changed:
                released.pop()
            ends: list[Version | None] = list(released)
            ends += [None] if req.specifier.contains(in_tree, prereleases=True) else []
            for version in dict.fromkeys(ends[:1] + ends[-1:]):
                told = str(version) if version else f"the {in_tree} of the tree"
                tag = packages[CORE].tag(version) if version else None
                yield Trial(backend.name, range_of(req), told, tag)


def try_range(git: Git, trial: Trial, python: str, options: list[str]) -> bool:
    """Run a backend's tests against the core of a tag, and return whether they pass."""
    assert trial.tag
    with TemporaryDirectory(prefix="sched-range-") as scratch:
        wheel = wheel_of(git, CORE, trial.tag, Path(scratch, "dist"))
        env = Environment.made(Path(scratch, "env"), python)
        backend = git.root / "packages" / trial.backend
        env.install("--group", f"{git.root / 'pyproject.toml'}:test", wheel, backend)
        pytest: list[str | Path] = [env.python, "-m", "pytest", backend / "tests", *options]
        return subprocess.run(pytest, cwd=git.root, check=False).returncode == 0
