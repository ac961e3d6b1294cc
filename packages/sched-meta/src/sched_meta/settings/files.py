"""Which files of settings are in effect: the user's, and the project's."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sched_core.errors import OptionError

__all__ = ["FILE_NAME", "FoundFile", "find_files", "project_file", "user_file"]

FILE_NAME = "sched.toml"


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file of settings that is there."""

    path: Path
    content: bytes | None
    """None where the file is not to be trusted."""
    distrust: str = ""
    """Why it is not, and what to do."""

    def __str__(self) -> str:
        here = self.path.parent == Path.cwd()
        return self.path.name if here else str(self.path)


def user_file() -> Path | None:
    """Return where the user's own settings are kept, whether they are there or not; None for a user
    without a home.
    """
    import platformdirs

    try:
        folder = platformdirs.user_config_path("sched")
    except RuntimeError:  # neither HOME nor an account, as in some containers
        return None
    return folder / FILE_NAME if folder.is_absolute() else None


def project_file(folder: Path) -> Path | None:
    """Return the file of the folder, or of the nearest one above that has one."""
    candidates = (place / FILE_NAME for place in (folder, *folder.parents))
    return next((path for path in candidates if path.is_file()), None)


def find_files() -> list[FoundFile]:
    """Return the user's file and that of the current folder's project, as far as they are there.

    Raises OptionError for one that cannot be read.
    """
    return [_open(path) for path in dict.fromkeys(_paths())]


def _paths() -> Iterator[Path]:
    user = user_file()
    if user and user.is_file():
        yield user
    if project := project_file(Path.cwd()):
        yield project


def _open(path: Path) -> FoundFile:
    try:
        with path.open("rb") as file:
            distrust = _distrust(path, os.fstat(file.fileno()))
            return FoundFile(path, None if distrust else file.read(), distrust)
    except OSError as error:
        raise OptionError(f"cannot read {path}: {error.strerror}") from None


def _distrust(path: Path, info: os.stat_result) -> str:
    """Say why a file is not read: what it says is run (on-finish, options), as this user."""
    if info.st_uid in (0, os.geteuid()):
        if not info.st_mode & stat.S_IWOTH:
            return ""
        return (
            f"{path} is not read: anybody may write to it, and it could name commands to run;"
            " see what it says, then chmod o-w"
        )
    return (
        f"{path} is not read: it belongs to {_owner(info.st_uid)}, and could name commands to run;"
        " if you trust it, put a copy of your own in its place"
    )


def _owner(uid: int) -> str:
    import pwd

    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"
