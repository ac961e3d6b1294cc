"""A plan as a maintainer reads it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from .planning import Plan, Release
from .workspace import Package, notes_of

__all__ = ["shown"]


def shown(plan: Plan, written: Mapping[str, Package], push: list[str]) -> str:
    """Return all that a plan does. `written` has the packages as they then are."""
    if not plan.releases:
        return "\n".join(["Nothing to release.", *plan.notes])
    parts = [
        ["Releases, in this order:", *(f"  {_line(release)}" for release in plan.releases)],
        ["Ranges:", *_ranges(plan)] if plan.ranges else [],
        *(_changes(release, written) for release in plan.releases),
        ["To know:", *(f"  {note}" for note in plan.notes)] if plan.notes else [],
        ["Then, by hand, each after the workflow before it has ended:", *(f"  {c}" for c in push)],
        ["To undo it, as long as nothing is pushed:", *(f"  {c}" for c in _undo(plan))],
    ]
    return "\n\n".join("\n".join(part) for part in parts if part)


def _line(release: Release) -> str:
    before = f"{release.before} -> " if release.before else ""
    return f"{release.package.name} {before}{release.after}: {release.why}; tag {release.tag}"


def _ranges(plan: Plan) -> Iterator[str]:
    for change in plan.ranges:
        yield f"  {change.package}: {change.sibling}{change.before} -> {change.after}"


def _changes(release: Release, written: Mapping[str, Package]) -> list[str]:
    name = release.package.name
    notes = notes_of(written[name].changelog, release.after) or ""
    return [f"{name}, CHANGELOG.md:", *(f"  {line}".rstrip() for line in notes.splitlines())]


def _undo(plan: Plan) -> Iterator[str]:
    yield f"git tag --delete {' '.join(release.tag for release in plan.releases)}"
    if not all(release.is_written for release in plan.releases):
        yield "git reset --keep HEAD~1"
