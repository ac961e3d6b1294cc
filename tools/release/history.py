"""What git knows: tags, what has changed since, and a copy of a commit to work in."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from packaging.version import InvalidVersion, Version

from .workspace import Package

__all__ = ["Git", "Past", "Refused", "past_of"]


class Refused(Exception):
    """What was asked for cannot be done; the message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Past:
    """What was released of a package, and what is new since the last time."""

    versions: tuple[Version, ...] = ()
    """The versions that have a tag, the highest last."""
    changed: tuple[str, ...] = ()
    """The files of its source that differ from the last release's."""

    @property
    def last(self) -> Version | None:
        return self.versions[-1] if self.versions else None


@dataclass(frozen=True, slots=True)
class Git:
    """A working tree."""

    root: Path

    def __call__(self, *arguments: str, given: str | None = None) -> str:
        """Run git and return what it prints, without white space around it. Raises Refused if it fails."""
        command = ["git", "-C", str(self.root), *arguments]
        done = subprocess.run(command, input=given, capture_output=True, text=True, check=False)
        if done.returncode:
            raise Refused(f"git {arguments[0]}: {done.stderr.strip() or done.stdout.strip()}")
        return done.stdout.strip()

    def tags(self) -> list[str]:
        return self("tag", "--list").splitlines()

    def changed(self, since: str, *paths: str) -> tuple[str, ...]:
        """The files below the paths that are not as they were."""
        names = self("diff", "--name-only", since, "HEAD", "--", *paths)
        return tuple(names.splitlines())

    @contextmanager
    def copy(self) -> Iterator[Git]:
        """Lend a working tree of the current commit, which is removed at the end: what is done there
        counts only once a branch takes it over.
        """
        with TemporaryDirectory(prefix="sched-release-") as folder:
            tree = Path(folder, "tree")
            self("worktree", "add", "--quiet", "--detach", str(tree))
            try:
                yield Git(tree)
            finally:
                self("worktree", "remove", "--force", str(tree))


def past_of(git: Git, package: Package) -> Past:
    versions = sorted(_versions(package.name, git.tags()))
    if not versions:
        return Past()
    folder = package.folder.relative_to(git.root)
    source = (f"{folder}/src", f"{folder}/pyproject.toml")
    return Past(tuple(versions), git.changed(package.tag(versions[-1]), *source))


def _versions(name: str, tags: list[str]) -> Iterator[Version]:
    for tag in tags:
        start, _, version = tag.rpartition("-v")
        if start == name:
            try:
                yield Version(version)
            except InvalidVersion:
                raise Refused(f"the tag {tag} names no version: remove it") from None
