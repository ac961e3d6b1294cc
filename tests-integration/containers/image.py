"""An image made of nothing: busybox and bash, each without libraries."""

from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
from pathlib import Path

from ..daemons import need_installed

__all__ = ["archive_of", "make_tree"]

_FOLDERS = "bin dev etc home/job proc root sys tmp usr/bin var/tmp".split()
_PASSWD = """\
root:x:0:0:root:/root:/bin/sh
job:x:1000:1000:job:/home/job:/bin/bash
nobody:x:65534:65534:nobody:/:/bin/sh
"""
_GROUP = "root:x:0:\njob:x:1000:\nnogroup:x:65534:\n"


def make_tree(tree: Path) -> None:
    """Make the image's files. Raises EngineMissing where one of the programs is missing."""
    need_installed(**{"bash-static": "bash-static", "busybox": "busybox-static"})
    for folder in _FOLDERS:
        (tree / folder).mkdir(parents=True)
    for folder in ("tmp", "var/tmp"):
        (tree / folder).chmod(0o1777)
    busybox = str(shutil.which("busybox"))
    shutil.copy(busybox, tree / "bin/busybox")
    tools = subprocess.run([busybox, "--list"], capture_output=True, text=True, check=True)
    for tool in tools.stdout.split():
        if tool != "busybox":
            os.symlink("busybox", tree / "bin" / tool)
    (tree / "bin/bash").unlink(missing_ok=True)
    shutil.copy(str(shutil.which("bash-static")), tree / "bin/bash")
    os.symlink("/bin/env", tree / "usr/bin/env")
    (tree / "etc/passwd").write_text(_PASSWD)
    (tree / "etc/group").write_text(_GROUP)
    for name in ("hosts", "resolv.conf"):
        (tree / "etc" / name).touch()
    if not os.geteuid():
        os.chown(tree / "home/job", 1000, 1000)


def archive_of(tree: Path) -> Path:
    """Return an archive of the tree, for engines that import one."""
    archive = tree.with_suffix(".tar")
    with tarfile.open(archive, "w") as tar:
        tar.add(tree, ".", filter=_as_of_root)
    return archive


def _as_of_root(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 1000 if entry.name == "./home/job" else 0
    entry.uname = entry.gname = ""
    return entry
