"""Files of this machine. Everything here blocks: it is called in worker threads."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import IO, Any


class LocalFiles:
    """The operations of a path on files that the operating system knows."""

    __slots__ = ()

    def exists(self, path: str) -> bool:
        return os.path.exists(path)

    def is_file(self, path: str) -> bool:
        return os.path.isfile(path)

    def is_dir(self, path: str) -> bool:
        return os.path.isdir(path)

    def mkdir(self, path: str, mode: int, parents: bool, exist_ok: bool) -> None:
        Path(path).mkdir(mode, parents, exist_ok)

    def rmtree(self, path: str, missing_ok: bool) -> None:
        import shutil

        if os.path.islink(path):
            raise NotADirectoryError(errno.ENOTDIR, "Cannot remove a symbolic link's tree", path)
        try:
            shutil.rmtree(path)
        except FileNotFoundError:
            if not missing_ok or os.path.lexists(path):
                raise

    def names(self, path: str) -> list[str]:
        return os.listdir(path)

    def stat(self, path: str, follow_symlinks: bool) -> os.stat_result:
        return os.stat(path, follow_symlinks=follow_symlinks)

    def open(
        self,
        path: str,
        mode: str,
        buffering: int,
        encoding: str | None,
        errors: str | None,
        newline: str | None,
    ) -> IO[Any]:
        return open(path, mode, buffering, encoding, errors, newline)

    def read_bytes(self, path: str) -> bytes:
        return Path(path).read_bytes()

    def write_bytes(self, path: str, data: bytes) -> int:
        return Path(path).write_bytes(data)

    def unlink(self, path: str, missing_ok: bool) -> None:
        Path(path).unlink(missing_ok)

    def rename(self, path: str, target: str) -> None:
        os.rename(path, target)
