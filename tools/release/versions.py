"""How versions go on, and which ranges of them packages want of each other."""

from __future__ import annotations

import re
from collections.abc import Collection

from packaging.version import InvalidVersion, Version

__all__ = ["LEVELS", "bumped", "following", "level_for", "next_version", "with_range"]

LEVELS = ("patch", "minor", "major")


def level_for(kinds: Collection[str], version: Version) -> str:
    """Return what changes of these kinds raise (SemVer 2).

    Before 1.0 the second number is what promises: there a change that may break raises it, and one
    that cannot raises the third.
    """
    if version.major == 0:
        return "minor" if {"removed", "changed"} & set(kinds) else "patch"
    if "removed" in kinds:
        return "major"
    return "minor" if {"added", "changed"} & set(kinds) else "patch"


def bumped(version: Version, level: str) -> Version:
    major, minor, patch = version.major, version.minor, version.micro
    if level == "major":
        return Version(f"{major + 1}.0.0")
    return Version(f"{major}.{minor + 1}.0" if level == "minor" else f"{major}.{minor}.{patch + 1}")


def next_version(version: Version, wanted: str) -> Version:
    """Return the version that a level or a version means. Raises ValueError if it is neither."""
    if wanted in LEVELS:
        return bumped(version, wanted)
    try:
        return Version(wanted)
    except InvalidVersion:
        raise ValueError(f"{wanted!r} is no version and none of {', '.join(LEVELS)}") from None


def following(version: Version) -> str:
    """Return the range that begins with a version and ends before the next that may break."""
    lowest = str(version).removesuffix(".0") if version.micro == 0 else str(version)
    end = f"0.{version.minor + 1}" if version.major == 0 else str(version.major + 1)
    return f">={lowest},<{end}"


def with_range(pyproject: str, sibling: str, wanted: str) -> str:
    """Return the text of a pyproject.toml that wants another range of a sibling."""
    requirement = rf'"({re.escape(sibling)}(?:\[[^\]]*\])?)\s*[<>=!~][^";]*'
    return re.sub(requirement, rf'"\1{wanted}', pyproject)
