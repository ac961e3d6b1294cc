"""The mount as a process: shows ROOT/BUCKET at a mount point, as gcsfuse would. It prints a line
once it is mounted, takes changed settings line by line, and ends with its standard input.

    python -m gbatch.gcsfuse_server ROOT BUCKET MOUNTPOINT SETTINGS
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
from pathlib import Path

import mfusepy  # type: ignore[import-untyped]  # it has no types

from .gcsfuse_operations import Operations
from .gcsfuse_settings import Settings
from .gcsfuse_tree import Tree
from .storage_folder import Folder


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _listen(tree: Tree) -> None:
    """Take settings until there are no more to come; libfuse unmounts at a signal."""
    for line in sys.stdin:
        tree.settings.change(json.loads(line))
        _say("ok")
    tree.ending.set()
    os.kill(os.getpid(), signal.SIGTERM)


def _mount(operations: Operations, mountpoint: str) -> None:
    try:
        mfusepy.FUSE(
            operations,
            mountpoint,
            foreground=True,
            fsname="gcsfuse",
            allow_other=True,
            default_permissions=True,
            hard_remove=True,  # an open file that is removed would be renamed, which is a copy
            attr_timeout=0,
            entry_timeout=0,
            negative_timeout=0,
        )
    except RuntimeError as ended:  # how it says that a signal ended it
        if ended.args != (8,):
            raise


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("root", type=Path)
    parser.add_argument("bucket")
    parser.add_argument("mountpoint")
    parser.add_argument("settings")
    options = parser.parse_args()
    settings = Settings()
    settings.change(json.loads(options.settings))
    tree = Tree(Folder(options.root), options.bucket, settings)
    threading.Thread(target=_listen, args=(tree,), daemon=True).start()
    _mount(Operations(tree, lambda: _say("mounted")), options.mountpoint)


if __name__ == "__main__":
    main()
