"""What has to hold of the packages, so that each of them could be released."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

from packaging.version import InvalidVersion, Version

from .workflows import workflow_problems
from .workspace import FRAGMENT, Package, notes_of, read_packages

__all__ = ["check"]

_PYTHON = "Programming Language :: Python :: "


def check(root: Path, tags: list[str]) -> list[str]:
    """Return what does not hold of the packages, of their workflows, and of these tags."""
    packages = read_packages(root)
    found = [
        *(problem for package in packages.values() for problem in _package_problems(root, package)),
        *(
            problem
            for package in packages.values()
            for problem in _range_problems(package, packages)
        ),
        *workflow_problems(root, list(packages)),
    ]
    return [*found, *(problem for tag in tags for problem in _tag_problems(tag, packages))]


def _package_problems(root: Path, package: Package) -> Iterator[str]:
    for problem in (
        *_changelog_problems(package),
        *_licence_problems(root, package),
        *_python_problems(root, package),
        *_page_problems(package),
    ):
        yield f"{package.name}: {problem}"


def _changelog_problems(package: Package) -> Iterator[str]:
    """The newest release in CHANGELOG.md is the version; before the first, changelog.d tells."""
    for file in package.fragments:
        if not FRAGMENT.match(file):
            yield f"changelog.d/{file} is not named ISSUE.KIND.md or +WORDS.KIND.md"
        elif not (package.folder / "changelog.d" / file).read_text().strip():
            yield f"changelog.d/{file} is empty"
    releases = re.findall(r"(?m)^## (\S+)", package.changelog)
    if releases and releases[0] != str(package.version):
        yield f"version {package.version}, CHANGELOG.md has {releases[0]}"
    if not releases and not package.fragments:
        yield "neither CHANGELOG.md nor changelog.d says what it holds"


def _licence_problems(root: Path, package: Package) -> Iterator[str]:
    """Each package is published with a copy, because an archive cannot hold a link out of it."""
    copy = package.folder / "LICENSE"
    if not copy.exists() or copy.read_bytes() != (root / "LICENSE").read_bytes():
        yield "LICENSE is not a copy of the one in the root"
    if not package.project.get("license"):
        yield "pyproject.toml names no license"


def _python_problems(root: Path, package: Package) -> Iterator[str]:
    """What an index shows of a package is what its tests run on."""
    lines = package.project.get("classifiers", [])
    named = [line.removeprefix(_PYTHON) for line in lines if line.startswith(_PYTHON)]
    wanted = package.project.get("requires-python", "")
    lowest = min(map(Version, named), default=None)
    if wanted != f">={lowest}":
        yield f"requires-python is {wanted!r}, the lowest Python of its classifiers is {lowest}"
    for python in sorted(set(named) - _tested_pythons(root)):
        yield f"has a classifier for Python {python}, on which hatch.toml runs no tests"


def _page_problems(package: Package) -> Iterator[str]:
    """What an index has to show of a package."""
    for key in ("description", "readme", "authors", "keywords", "classifiers"):
        if not package.project.get(key):
            yield f"pyproject.toml has no {key}, which an index shows"


def _tested_pythons(root: Path) -> set[str]:
    matrix = tomllib.loads((root / "hatch.toml").read_text())["envs"]["hatch-test"]["matrix"]
    return {python for part in matrix for python in part["python"]}


def _range_problems(package: Package, packages: Mapping[str, Package]) -> Iterator[str]:
    for req in package.siblings:
        version = packages[req.name].version
        if not req.specifier:
            yield f"{package.name}: wants any {req.name}; say from which version on, and before which"
        elif not req.specifier.contains(version, prereleases=True):
            yield f"{package.name}: wants {req}, the repository has {version}"


def _tag_problems(tag: str, packages: Mapping[str, Package]) -> Iterator[str]:
    """A tag releases its package's version, with its changes in the changelog."""
    name, _, text = tag.rpartition("-v")
    if name not in packages:
        yield f"{tag}: there is no package {name!r}; tags are <package>-v<version>"
        return
    package = packages[name]
    if text != str(package.version):
        yield f"{tag}: {name} has version {package.version}"
    if not _is_version(text) or notes_of(package.changelog, Version(text)) is None:
        yield f"{tag}: CHANGELOG.md has no {text}; `release:release {name}` writes it"


def _is_version(text: str) -> bool:
    try:
        return bool(Version(text))
    except InvalidVersion:
        return False
