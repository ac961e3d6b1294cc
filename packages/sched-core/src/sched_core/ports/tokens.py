"""Where the drivers of one user on one machine see each other's tokens: names in a folder."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import time
from collections.abc import Collection, Iterable
from contextlib import suppress
from typing import Protocol

from .cache import cache_folder
from .identity import DriverIdentity

__all__ = ["FolderTokens", "MemoryTokens", "Tokens", "tokens_folder"]

_UNUSED = 86400.0
"""Seconds after which a folder is removed in which nothing was created: its endpoint is not asked."""


class Tokens(Protocol):
    """Names of which each can be taken once. The calls block."""

    def names(self) -> Collection[str]:
        """Return what is taken. Raises OSError where that cannot be known."""
        ...

    def take(self, name: str) -> bool:
        """Take a name; False where somebody else has it. Raises OSError."""
        ...

    def remove(self, names: Iterable[str]) -> None:
        """Forget names that nobody takes any more."""
        ...


class MemoryTokens:
    """Tokens that only this process knows of."""

    def __init__(self) -> None:
        self._taken: dict[str, object] = {}

    def names(self) -> Collection[str]:
        """Return what is taken."""
        return list(self._taken)

    def take(self, name: str) -> bool:
        """Take a name, from any thread; False where it is taken."""
        mine = object()
        return self._taken.setdefault(name, mine) is mine

    def remove(self, names: Iterable[str]) -> None:
        """Forget names."""
        for name in names:
            self._taken.pop(name, None)


class FolderTokens:
    """Tokens that are empty files of one endpoint's folder, which only the user can reach.

    Creating a file exclusively is the one step that counts, so that no lock is held by a process that
    is stopped or dies, on whatever file system. Raises OSError where the folder is not the user's own.
    """

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._ready = False

    def names(self) -> Collection[str]:
        """Return what is taken."""
        self._prepare()
        try:
            return os.listdir(self._folder)
        except FileNotFoundError:  # removed as one that was not used
            self._ready = False
            self._prepare()
            return ()

    def take(self, name: str) -> bool:
        """Create the file of that name; False where it is there."""
        self._prepare()
        how = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC
        try:
            os.close(os.open(f"{self._folder}/{name}", how, 0o600))
        except FileExistsError:
            return False
        return True

    def remove(self, names: Iterable[str]) -> None:
        """Remove files; another driver may do so, too."""
        for name in names:
            with suppress(FileNotFoundError):
                os.unlink(f"{self._folder}/{name}")

    def _prepare(self) -> None:
        if self._ready:
            return
        boot, base = os.path.dirname(self._folder), cache_folder()
        _check_cache(base)
        _make_above(base)
        for folder in (os.path.dirname(boot), boot, self._folder):
            _make_own(folder)
        _tidy(boot)
        self._ready = True


def tokens_folder(endpoint: str, identity: DriverIdentity) -> str:
    """Return the folder of an endpoint's tokens: another one on each machine and after each boot, as
    the clocks differ which they go by. A home may be seen by many machines.
    """
    digest = hashlib.sha256(os.fsencode(endpoint)).hexdigest()[:16]
    kind = "".join(c for c in endpoint.partition(" ")[0] if c.isalnum())
    boot = f"{os.path.basename(identity.host)}.{identity.boot_id}"
    return f"{cache_folder()}/rates/{boot}/{kind}-{digest}"


def _check_cache(folder: str) -> None:
    """Raise PermissionError where the cache is another user's, as with a HOME that was kept: nothing
    of ours must lie there. Raises FileNotFoundError where there is none, as without HOME and account.
    """
    if not os.path.isabs(folder):
        raise FileNotFoundError("there is no home; set XDG_CACHE_HOME to a folder of yours")
    while not os.path.exists(folder):
        folder = os.path.dirname(folder)
    if os.stat(folder).st_uid != os.geteuid():
        raise PermissionError(f"{folder} belongs to somebody else")


def _make_above(folder: str) -> None:
    """Make a folder and its missing parents, whatever the umask: nobody else may put ours aside."""
    if not os.path.isdir(folder):
        _make_above(os.path.dirname(folder))
        with suppress(FileExistsError):
            os.mkdir(folder, 0o700)


def _make_own(folder: str) -> None:
    """Make a folder that nobody else can reach. Raises PermissionError where it is not one."""
    with suppress(FileExistsError):
        os.mkdir(folder, 0o700)
    found = os.lstat(folder)
    own = stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid()
    if not own or found.st_mode & 0o077:
        raise PermissionError(f"{folder} must be a folder of yours that nobody else can reach")


def _tidy(boot: str) -> None:
    """Remove the folders of endpoints that are not asked any more, and of this machine's other boots."""
    machine = os.path.basename(boot).rpartition(".")[0]
    everything = os.path.dirname(boot)
    others = [name for name in os.listdir(everything) if name.rpartition(".")[0] == machine]
    for path in [*(f"{everything}/{name}" for name in others), *_folders_of(boot)]:
        with suppress(FileNotFoundError):
            if path != boot and time.time() - os.lstat(path).st_mtime > _UNUSED:
                shutil.rmtree(path, ignore_errors=True)


def _folders_of(boot: str) -> list[str]:
    return [f"{boot}/{name}" for name in os.listdir(boot)]
