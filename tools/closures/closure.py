"""What an environment holds, by the records that installers leave."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import Distribution, distributions
from pathlib import Path

from .installs import Install

__all__ = ["Closure", "Found", "misfits", "package_name", "read_environment"]

_GROUP = "sched.schedulers"


@dataclass(frozen=True, slots=True)
class Closure:
    """Packages by name, with the bytes of their files, less what Python compiles by itself."""

    sizes: Mapping[str, int]

    @property
    def megabytes(self) -> float:
        return sum(self.sizes.values()) / 1e6


@dataclass(frozen=True, slots=True)
class Found:
    """What there is after an install, and what its import did."""

    closure: Closure
    schedulers: frozenset[str]
    loaded: frozenset[str]
    """Packages that the import has loaded."""
    side_effects: tuple[str, ...]


def read_environment(site: Path) -> tuple[Closure, frozenset[str]]:
    """Return what is installed in a folder of packages, and the names of its schedulers."""
    there = list(distributions(path=[str(site)]))
    names = {point.name for dist in there for point in dist.entry_points if point.group == _GROUP}
    sizes = {package_name(dist.name): _size(dist) for dist in there}
    return Closure(sizes), frozenset(names)


def package_name(written: str) -> str:
    """Return the one spelling of a package's name of those that indexes take for the same."""
    return re.sub(r"[-_.]+", "-", written).lower()


def _size(dist: Distribution) -> int:
    files = [Path(str(dist.locate_file(file))) for file in dist.files or ()]
    return sum(file.stat().st_size for file in files if "__pycache__" not in file.parts)


def misfits(install: Install, found: Found) -> list[str]:
    """Return a line for each thing that is not as the install is meant to be."""
    told = [
        *_surplus("brings", _ours(found.closure) - {install.package, *install.siblings}),
        *_surplus("does not bring", {*install.siblings} - _ours(found.closure)),
        *_surplus("offers the schedulers", found.schedulers - {*install.schedulers}),
        *_surplus("does not offer", {*install.schedulers} - found.schedulers),
        *_surplus("loads on import", _foreign(found.loaded) - {*install.loads}),
        *(f"does more on import than define names: {effect}" for effect in found.side_effects),
        *_excess(install, found.closure),
    ]
    return [f"{install.requirement} {line}" for line in told]


def _ours(closure: Closure) -> set[str]:
    return {name for name in closure.sizes if name.startswith("sched-")}


def _foreign(loaded: frozenset[str]) -> set[str]:
    return {name for name in loaded if not name.startswith("sched-")}


def _surplus(what: str, names: set[str] | frozenset[str]) -> list[str]:
    return [f"{what} {', '.join(sorted(names))}"] if names else []


def _excess(install: Install, closure: Closure) -> list[str]:
    most, limit = install.most_packages, install.most_megabytes
    told = []
    if most is not None and len(closure.sizes) > most:
        told.append(f"is {len(closure.sizes)} packages, and may be {most}")
    if limit is not None and closure.megabytes > limit:
        told.append(f"takes {closure.megabytes:.1f} MB, and may take {limit:g}")
    return told
