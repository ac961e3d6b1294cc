"""Be a user without rights: run as root, in namespaces of mounts and of processes, of its own.

    unshare --mount --pid --fork --kill-child --mount-proc python unprivileged.py HOME FOLDERS -- COMMAND

What is mounted here, and what the command starts, is seen by nobody else and ends with it.
"""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

_NOT_READ = (".git", "__pycache__", ".mypy_cache", ".pytest_cache", ".ruff_cache")
USER, UID, SUBUIDS = "sched-tester", 61234, 700000


def main(home: Path, folders: Sequence[Path], command: Sequence[str]) -> None:
    where = Path.cwd()
    for folder in (home, home / "run", home / "tmp"):
        folder.mkdir(mode=0o700)
        os.chown(folder, UID, UID)
    _have_user(home)
    _have_fuse(home.with_name("dev"))
    _show(folders, home.with_name("shown"))
    who = [f"--reuid={UID}", f"--regid={UID}", "--clear-groups", "--inh-caps=-all"]
    os.chdir(where)
    # Below an init: of processes in the background, which engines have, nobody else would take the end.
    os.execvp("catatonit", ["catatonit", "--", "setpriv", *who, "--", *command])


def _have_user(home: Path) -> None:
    """Make the user known here, with a range of users of its own for what is in containers."""
    etc = home.with_name("etc")
    subprocess.run(["cp", "-a", "/etc", etc], check=True)
    for name, line in {
        "passwd": f"{USER}:x:{UID}:{UID}::{home}:/bin/bash",
        "group": f"{USER}:x:{UID}:",
        "subuid": f"{USER}:{SUBUIDS}:65536",
        "subgid": f"{USER}:{SUBUIDS}:65536",
    }.items():
        with (etc / name).open("a") as file:
            file.write(f"{line}\n")
    _mount("--bind", etc, "/etc")


def _have_fuse(dev: Path) -> None:
    """Let everybody mount images, as on most machines: Apptainer does so for what it has fetched."""
    fuse = Path("/dev/fuse")
    if not fuse.exists():
        return
    dev.mkdir()
    _mount("-t", "tmpfs", "tmpfs", dev)
    os.mknod(dev / "fuse", stat.S_IFCHR, fuse.stat().st_rdev)
    (dev / "fuse").chmod(0o666)
    _mount("--bind", dev / "fuse", fuse)


def _show(folders: Sequence[Path], aside: Path) -> None:
    """Let everybody read the folders, where they are: they may lie in root's own."""
    sources = []
    for number, folder in enumerate(folders):
        sources.append(source := aside / str(number))
        if _is_readable(folder):
            source.mkdir(parents=True)
            _mount("--bind", folder, source)
        else:
            shutil.copytree(
                folder, source, symlinks=True, ignore=shutil.ignore_patterns(*_NOT_READ)
            )
            subprocess.run(["chmod", "--recursive", "a+rX", source], check=True)
    for folder, source in sorted(zip(folders, sources, strict=True)):
        while (closed := _closed(folder)) is not None:
            _mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", closed)
        folder.mkdir(parents=True, exist_ok=True)
        _mount("--bind", source, folder)


def _closed(folder: Path) -> Path | None:
    """Return the first folder on the way there that others may not enter."""
    for path in reversed(folder.parents):
        if path.exists() and not path.stat().st_mode & 0o001:
            return path
    return None


def _is_readable(folder: Path) -> bool:
    for path, inner, names in os.walk(folder):
        inner[:] = [name for name in inner if name not in _NOT_READ]
        if os.stat(path).st_mode & 0o005 != 0o005:
            return False
        if not all(os.lstat(os.path.join(path, name)).st_mode & 0o004 for name in names):
            return False
    return True


def _mount(*words: str | Path) -> None:
    subprocess.run(["mount", *map(str, words)], check=True)


if __name__ == "__main__":
    bound = sys.argv.index("--")
    main(Path(sys.argv[1]), [Path(path) for path in sys.argv[2:bound]], sys.argv[bound + 1 :])
