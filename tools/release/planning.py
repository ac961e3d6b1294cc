"""Which packages are released, as what, and why. It reads nothing but what it is given."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from packaging.requirements import Requirement
from packaging.version import Version

from .history import Past
from .versions import following, level_for, next_version
from .workspace import Package, notes_of, range_of

__all__ = ["Plan", "RangeChange", "Release", "make_plan"]


@dataclass(frozen=True, slots=True)
class RangeChange:
    """A package has to want another range of a sibling, whose new version leaves the present one."""

    package: str
    sibling: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Release:
    """A package gets a version and a tag."""

    package: Package
    before: Version | None
    after: Version
    why: str
    is_written: bool = False
    """A commit has it already, and only the tag is missing."""

    @property
    def tag(self) -> str:
        return self.package.tag(self.after)


@dataclass(slots=True)
class Plan:
    """The releases, each after those that it needs."""

    releases: list[Release] = field(default_factory=list)
    ranges: list[RangeChange] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """What a maintainer should know."""
    problems: list[str] = field(default_factory=list)
    """What has to be put right before anything is released."""


def make_plan(
    packages: Mapping[str, Package],
    past: Mapping[str, Past],
    *,
    chosen: Collection[str] = (),
    wanted: Mapping[str, str] | None = None,
) -> Plan:
    """Plan the release of the chosen packages, or of all that have changed.

    Those that have to follow a sibling are released, too. `wanted` has a version or a level (patch,
    minor, major) for packages whose fragments are not to decide.
    """
    plan = Plan()
    versions = {name: package.version for name, package in packages.items()}
    for name, package in packages.items():
        ranges = [_follow(package, req, versions[req.name]) for req in package.siblings]
        follows = [change for change in dict.fromkeys(ranges) if change]
        plan.ranges += follows
        is_chosen = name in (chosen or packages) or name in (wanted or {})
        release = _decide(plan, package, past[name], follows, is_chosen, (wanted or {}).get(name))
        if release:
            versions[name] = release.after
            plan.releases.append(release)
    _look_for_unreleased(plan, past)
    return plan


def _follow(package: Package, req: Requirement, version: Version) -> RangeChange | None:
    if req.specifier.contains(version, prereleases=True):
        return None
    return RangeChange(package.name, req.name, range_of(req), following(version))


def _decide(
    plan: Plan,
    package: Package,
    past: Past,
    follows: list[RangeChange],
    is_chosen: bool,
    wanted: str | None,
) -> Release | None:
    last, version = past.last, package.version
    if last and version < last:
        plan.problems.append(f"{package.name}: version {version} is below the last tag's, {last}")
        return None
    if last is None or version > last:
        return (
            _first(plan, package, last, wanted, has_to_follow=bool(follows)) if is_chosen else None
        )
    reasons = _reasons(package, follows)
    if not (reasons or wanted) or not (is_chosen or follows):
        _note_what_stays(plan, package, past, is_chosen)
        return None
    kinds = package.kinds | ({"changed"} if follows else set())
    after = next_version(version, wanted or level_for(kinds, version))
    if after <= last:
        plan.problems.append(f"{package.name}: {after} is not above the last release, {last}")
    return Release(package, last, after, ", ".join([*reasons, *_asked(wanted)]))


def _first(
    plan: Plan, package: Package, last: Version | None, wanted: str | None, *, has_to_follow: bool
) -> Release:
    """The version that stands in pyproject.toml has no tag yet."""
    after = next_version(package.version, wanted) if wanted else package.version
    if after < package.version:
        plan.problems.append(
            f"{package.name}: {after} is below the version of pyproject.toml, {package.version}"
        )
    is_written = notes_of(package.changelog, after) is not None
    if is_written and has_to_follow:
        plan.problems.append(
            f"{package.name}: {after} is written, but wants a sibling that is no longer; tag it first"
        )
    why = "a commit has it, the tag is missing" if is_written else "first release"
    if last and not is_written:
        why = "the version of pyproject.toml"
    return Release(package, last, after, ", ".join([why, *_asked(wanted)]), is_written)


def _reasons(package: Package, follows: list[RangeChange]) -> list[str]:
    counts = [(kind, _count(package, kind)) for kind in ("removed", "changed", "added", "fixed")]
    told = [f"{number} {kind}" for kind, number in counts if number]
    return [*told, *sorted({f"follows {change.sibling}" for change in follows})]


def _count(package: Package, kind: str) -> int:
    return sum(f".{kind}." in name for name in package.fragments)


def _asked(wanted: str | None) -> list[str]:
    return [f"{wanted} was asked for"] if wanted else []


def _note_what_stays(plan: Plan, package: Package, past: Past, is_chosen: bool) -> None:
    if past.changed and not package.fragments:
        plan.notes.append(
            f"{package.name}: changed since {package.tag(package.version)}"
            f" without a fragment, such as {past.changed[0]}; write one, or ask for"
            f" --set {package.name}=patch"
        )
    elif package.fragments and not is_chosen:
        plan.notes.append(f"{package.name}: has changes, and is not released now")


def _look_for_unreleased(plan: Plan, past: Mapping[str, Past]) -> None:
    """A release wants siblings that people can install."""
    released = {name: set(known.versions) for name, known in past.items()}
    for release in plan.releases:
        released[release.package.name].add(release.after)
    changed = {(change.package, change.sibling): change.after for change in plan.ranges}
    for release in plan.releases:
        package = release.package
        for req in package.siblings:
            spec = changed.get((package.name, req.name), range_of(req))
            if not any(Requirement(f"x{spec}").specifier.contains(v) for v in released[req.name]):
                told = f"{package.name}: no release of {req.name} is in {spec}"
                if req in package.required:
                    plan.problems.append(f"{told}; release {req.name}, too")
                else:
                    plan.notes.append(f"{told}; an extra does not install until there is one")
