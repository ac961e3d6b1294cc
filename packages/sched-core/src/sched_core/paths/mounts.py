"""Which folders of the driver's side the jobs see, and where."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from zlib import crc32

from sched_core.errors import OptionError

from . import _lexical
from .spec import SpecPath

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._path import StrPath, TwoSidedPath

DEFAULT_MOUNTED_ROOT = "/mnt/disks"
"""Below it a mount is put whose specification does not say where."""

_NAMED = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=(.*)", re.DOTALL)
_FLAGS = {"ro": True, "rw": False}
_EXAMPLES = "write '/host/dir:/job/dir', 'gs://bucket/dir:/job/dir' (':ro' at the end: read-only)"
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class Mount:
    """A folder or bucket of the driver's side that jobs find at `target`.

    `name`, where there is one, is an environment variable of the job that holds `target`.
    """

    source: str
    target: str
    name: str | None = None
    read_only: bool = False

    @property
    def path(self) -> SpecPath:
        """The mount's root, as both sides see it."""
        return SpecPath(self.source, self.target)

    def resolved(self, directory: str) -> Mount:
        """The mount with a relative source made absolute, as one below that directory."""
        if "://" in self.source or self.source.startswith(("/", "~")):
            return replace(self, source=os.path.expanduser(self.source))
        return replace(self, source=os.path.normpath(f"{directory}/{self.source}"))

    def environment(self) -> dict[str, str]:
        """What a job's environment must hold because of the mount."""
        return {} if self.name is None else {self.name: self.target}


def parse_mount(spec: str) -> Mount:
    """The mount that a user's text describes.

    `SOURCE:TARGET`, with `:ro` or `:rw` at the end if need be, or `NAME=SOURCE`, which is mounted
    at `DEFAULT_MOUNTED_ROOT/NAME` unless a target follows. SOURCE is a local path or a URL of a
    bucket, kept as given; TARGET is absolute.

    Raises OptionError for a text that is neither, or without a target.
    """
    source, target, name, read_only = _split(spec)
    if target is None:
        raise OptionError(f"mount {spec!r} has no path for the jobs; {_EXAMPLES}")
    return _mount(spec, source, target, name, read_only)


class MountTable:
    """The mounts of a run, in the order in which they were added."""

    def __init__(self) -> None:
        self._mounts: list[Mount] = []
        self._roots: dict[str, SpecPath] = {}  # by target; they know how to reach their bucket

    def copy(self) -> MountTable:
        """The same mounts in a table of their own."""
        table = MountTable()
        table._mounts, table._roots = list(self._mounts), dict(self._roots)
        return table

    def __iter__(self) -> Iterator[Mount]:
        return iter(self._mounts)

    def __len__(self) -> int:
        return len(self._mounts)

    def add(self, spec: StrPath | TwoSidedPath | Mount, mounted: StrPath | None = None) -> SpecPath:
        """Mount a folder and return its root, as the driver and the jobs see it.

        `spec` is a text as `parse_mount` takes it, or a path or URL alone, which is mounted at
        `mounted`; without that, where it is mounted already, or else at a name of its own below
        `DEFAULT_MOUNTED_ROOT`. A path that is no text, and each with `mounted`, is taken as it
        stands, whatever colons it holds.

        Raises OptionError for a bad text, and where the target or the name is another mount's.
        """
        mount, root = self._resolve(spec, mounted)
        self._check_name(mount)
        for position, present in enumerate(self._mounts):
            if present.target == mount.target:
                self._mounts[position] = _same(present, mount)
                return self._roots[mount.target]
        self._mounts.append(mount)
        self._roots[mount.target] = root
        return root

    def map_path(self, path: StrPath | TwoSidedPath) -> SpecPath | None:
        """`path` with its mounted side, by the mount nearest to it; None where jobs cannot see it.

        Paths are compared by their text: mount absolute paths to find absolute ones. One that
        climbs out of a mount by '..' is not in it, nor is one that another mount hides from the
        job. A path that is mounted already is returned as it is.
        """
        given = SpecPath(path)
        if given.is_mounted():
            return given
        text = str(given)
        for mount in sorted(self._mounts, key=lambda mount: -len(mount.source)):
            rest = _lexical.below(text, mount.source)
            if rest is not None and not self._hidden(mount, rest):
                return self._roots[mount.target] / rest
        return None

    def environment(self) -> dict[str, str]:
        """The environment variables of the named mounts, with the paths that jobs see."""
        return {name: path for mount in self for name, path in mount.environment().items()}

    def _resolve(
        self, spec: StrPath | TwoSidedPath | Mount, mounted: StrPath | None
    ) -> tuple[Mount, SpecPath]:
        if isinstance(spec, Mount):
            return spec, spec.path
        if mounted is not None or not isinstance(spec, str):
            root = SpecPath(spec, mounted)
            target = str(root.mounted) if root.is_mounted() or mounted is not None else None
            name, read_only = None, False
        else:
            source, target, name, read_only = _split(spec)
            root = SpecPath(source)
        target = target or self._default_target(str(root), read_only)
        mount = _mount(str(root), str(root), target, name, read_only)
        return mount, root._of(mount.source, mount.target, root._origin)

    def _default_target(self, source: str, read_only: bool) -> str:
        for mount in self._mounts:
            if (mount.source, mount.read_only) == (source, read_only):
                return mount.target
        name = _UNSAFE.sub("-", SpecPath(source).parts[-1].rpartition("/")[2]).strip(".-") or "root"
        target = f"{DEFAULT_MOUNTED_ROOT}/{name}"
        if any(mount.target == target for mount in self._mounts):
            # Not a counter: the same source should come back to the same place in the next run.
            target += f"-{crc32(os.fsencode(source)):08x}"
        return target

    def _check_name(self, new: Mount) -> None:
        for old in self._mounts:
            if new.name is not None and old.name == new.name and old.target != new.target:
                raise OptionError(f"{new.name!r} stands for the mount of {old.source!r} already")

    def _hidden(self, mount: Mount, rest: str) -> bool:
        seen = _lexical.join(mount.target, rest)
        return any(
            len(other.target) > len(mount.target) and _lexical.below(seen, other.target) is not None
            for other in self._mounts
        )


def _same(old: Mount, new: Mount) -> Mount:
    """The one mount that both are, or an error where they differ."""
    if (old.source, old.read_only) != (new.source, new.read_only):
        raise OptionError(
            f"{new.source!r} cannot be mounted at {new.target!r}: {old.source!r} is mounted there"
            f"{' read-only' if old.read_only else ''}; give it another target"
        )
    if old.name and new.name and old.name != new.name:
        raise OptionError(f"the mount at {new.target!r} is called {old.name!r} already")
    return replace(old, name=old.name or new.name)


def _split(spec: str) -> tuple[str, str | None, str | None, bool]:
    """Source, target, name and whether it is read-only, as far as `spec` tells them."""
    named = _NAMED.fullmatch(spec)
    name, rest = (named[1], named[2]) if named else (None, spec)
    start, colon, flag = rest.rpartition(":")
    read_only = False
    if colon and flag in _FLAGS:
        read_only, rest = _FLAGS[flag], start
    # The last ':/' starts the target, unless it is that of 'gs://'.
    at = rest.rfind(":/")
    if at < 0 or rest.startswith("//", at + 1):
        source, target = rest, f"{DEFAULT_MOUNTED_ROOT}/{name}" if name else None
    else:
        source, target = rest[:at], rest[at + 1 :]
    if not source:
        raise OptionError(f"mount {spec!r} names nothing to mount; {_EXAMPLES}")
    return source, target, name, read_only


def _mount(spec: str, source: str, target: str, name: str | None, read_only: bool) -> Mount:
    if not target.startswith("/") or ".." in target.split("/"):
        raise OptionError(f"mount {spec!r}: the jobs' path {target!r} must be absolute")
    if ":" in target:
        raise OptionError(f"mount {spec!r}: {target!r} is no path and flag; the flags are ro, rw")
    if not target.strip("/."):
        raise OptionError(f"mount {spec!r} would hide the whole file system of the job")
    return Mount(str(SpecPath(source)), _lexical.normalise(target), name, read_only)
