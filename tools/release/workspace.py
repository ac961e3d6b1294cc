"""The packages of the repository: their versions, their changelogs, and what they want of each other."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.version import Version

__all__ = ["FRAGMENT", "Package", "notes_of", "range_of", "read_packages"]

FRAGMENT = re.compile(r"^(\d+|\+[\w-]+)\.(added|changed|removed|fixed)(\.\d+)?\.md$")


@dataclass(frozen=True, slots=True)
class Package:
    """One folder of `packages/`."""

    folder: Path
    project: Mapping[str, Any]
    required: tuple[Requirement, ...]
    """What it needs of packages of this repository."""
    extra: tuple[Requirement, ...]
    """What its extras need of them."""

    @property
    def name(self) -> str:
        return str(self.project["name"])

    @property
    def version(self) -> Version:
        return Version(self.project["version"])

    @property
    def siblings(self) -> tuple[Requirement, ...]:
        return self.required + self.extra

    @property
    def is_backend(self) -> bool:
        return "sched.schedulers" in self.project.get("entry-points", {})

    @property
    def changelog(self) -> str:
        return (self.folder / "CHANGELOG.md").read_text()

    @property
    def fragments(self) -> list[str]:
        """The names of the files that tell of changes which no release has."""
        files = (file.name for file in (self.folder / "changelog.d").glob("*"))
        return sorted(name for name in files if name != ".gitkeep")

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds of these changes."""
        found = map(FRAGMENT.match, self.fragments)
        return frozenset(match[2] for match in found if match)

    def tag(self, version: Version) -> str:
        return f"{self.name}-v{version}"


def read_packages(root: Path) -> dict[str, Package]:
    """Return the packages by name, each after those that it needs."""
    files = sorted(root.glob("packages/*/pyproject.toml"))
    projects = {file.parent: tomllib.loads(file.read_text())["project"] for file in files}
    names = {project["name"] for project in projects.values()}
    packages = {p["name"]: _package(folder, p, names) for folder, p in projects.items()}
    graph = {name: {req.name for req in p.siblings} for name, p in packages.items()}
    return {name: packages[name] for name in TopologicalSorter(graph).static_order()}


def _package(folder: Path, project: Mapping[str, Any], names: set[str]) -> Package:
    extras = project.get("optional-dependencies", {}).values()
    others = names - {project["name"]}
    return Package(
        folder,
        project,
        _of(others, project.get("dependencies", [])),
        _of(others, [line for extra in extras for line in extra]),
    )


def _of(names: set[str], lines: Iterable[str]) -> tuple[Requirement, ...]:
    return tuple(req for req in map(Requirement, lines) if req.name in names)


def range_of(req: Requirement) -> str:
    """Return the range of a requirement as people write it: from where on first."""
    return ",".join(sorted(map(str, req.specifier), reverse=True))


def notes_of(changelog: str, version: Version) -> str | None:
    """Return what a changelog has of a release, without its title; None if it has no such release."""
    title = rf"## {re.escape(str(version))} [^\n]*\n"
    found = re.search(rf"(?ms)^{title}(.*?)(?=^## |\Z)", changelog)
    return found[1].strip() if found else None
