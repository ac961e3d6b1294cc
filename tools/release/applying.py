"""A plan carried out: versions, ranges, changelogs and a commit in a copy; then the branch and the tags."""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import date
from pathlib import Path

from packaging.version import Version

from .history import Git, Refused
from .planning import Plan, Release
from .versions import with_range
from .workspace import Package, notes_of, read_packages

__all__ = ["add_tags", "commit", "push_commands", "take_over", "write"]


def write(root: Path, plan: Plan, today: date) -> None:
    """Write all that the plan changes into a working tree."""
    known = {r.package.name for r in plan.releases if r.before}
    for change in plan.ranges:
        pyproject = root / "packages" / change.package / "pyproject.toml"
        pyproject.write_text(with_range(pyproject.read_text(), change.sibling, change.after))
        if change.package in known:
            _tell_of_range(root, change.package, change.sibling, change.after)
    for release in plan.releases:
        if not release.is_written:
            _set_version(root / "packages" / release.package.name, release.after)
            _write_changelog(root, release, today)


def _tell_of_range(root: Path, package: str, sibling: str, wanted: str) -> None:
    folder = root / "packages" / package / "changelog.d"
    folder.mkdir(exist_ok=True)  # git has none that is empty
    (folder / f"+{sibling}.changed.md").write_text(f"Needs {sibling}{wanted}.\n")


def _set_version(folder: Path, version: Version) -> None:
    file = folder / "pyproject.toml"
    text, count = re.subn(
        r'(?m)^version = "[^"]*"$', f'version = "{version}"', file.read_text(), count=1
    )
    if not count:
        raise Refused(f"{file} has no line that begins with version =")
    file.write_text(text)


def _write_changelog(root: Path, release: Release, today: date) -> None:
    where = ["--config", "pyproject.toml", "--dir", f"packages/{release.package.name}"]
    what = ["--version", str(release.after), "--date", today.isoformat(), "--yes"]
    command = [sys.executable, "-m", "towncrier", "build", *where, *what]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Refused(f"towncrier: {done.stderr.strip()}")


def commit(copy: Git, plan: Plan) -> None:
    """Commit what was written, if anything was."""
    copy("add", "--all", "packages")
    if copy("status", "--porcelain"):
        written = [f"{r.package.name} {r.after}" for r in plan.releases if not r.is_written]
        copy("commit", "--quiet", "--message", f"Release {', '.join(written)}")


def take_over(git: Git, copy: Git) -> None:
    """Have the branch go on with the copy's commit: it does wholly, or not at all."""
    git("merge", "--quiet", "--ff-only", copy("rev-parse", "HEAD"))


def add_tags(git: Git, plan: Plan) -> None:
    """Tag each release where its changelog was written, which may be some commits ago."""
    packages = read_packages(git.root)
    for release in plan.releases:
        package = packages[release.package.name]
        notes = notes_of(package.changelog, release.after) or ""
        message = f"{package.name} {release.after}\n\n{notes}\n"
        where = _commit_of(git, package, release.after)
        annotated = ("--annotate", "--cleanup=verbatim", "--file=-")
        git("tag", *annotated, release.tag, where, given=message)


def _commit_of(git: Git, package: Package, version: Version) -> str:
    path = (package.folder / "CHANGELOG.md").relative_to(git.root)
    return git("log", "-1", "--format=%H", f"-S## {version} (", "--", str(path))


def push_commands(git: Git, plan: Plan) -> list[str]:
    """What makes the releases public. One tag each: GitHub starts nothing for more than three at once."""
    branch = git("branch", "--show-current") or "HEAD"
    remotes = git("remote").splitlines()
    remote = remotes[0] if len(remotes) == 1 else "origin"
    return [f"git push {remote} {name}" for name in (branch, *(r.tag for r in plan.releases))]
