"""What the kernel asks of the mount. The names are those of FUSE."""

from __future__ import annotations

import errno
import itertools
import os
import shutil
import stat
import threading
import time
from collections.abc import Callable

from .gcsfuse_drafts import Draft, Drafts
from .gcsfuse_tree import Status, Tree, failure

__all__ = ["Operations"]

_PLENTY = 1 << 30


class Operations:
    """Files are uploaded whole, and there is nothing that Cloud Storage has not: no hard links, no
    modes, no atomic rename, no exclusive create among clients.
    """

    use_ns = True
    """Times are in nanoseconds: a word of mfusepy's."""

    def __init__(self, tree: Tree, ready: Callable[[], None]) -> None:
        self._tree = tree
        self._settings = tree.settings
        self._drafts = Drafts(tree)
        self._handles: dict[int, Draft | int] = {}
        """Drafts, and descriptors of what is only read."""
        self._numbers = itertools.count(1)
        self._lock = threading.RLock()
        self._ready = ready

    def init(self, path: str) -> None:
        self._ready()

    def getattr(self, path: str | None, handle: int | None = None) -> dict[str, int]:
        name = _name(path)
        with self._lock:
            if draft := self._drafts.dirty(name):
                return self._attributes(Status(False, draft.size, time.time_ns()))
        status = self._tree.status(name)
        if status is None:
            raise failure(errno.ENOENT, name)
        return self._attributes(status)

    def _attributes(self, status: Status) -> dict[str, int]:
        kind = stat.S_IFDIR if status.folder else stat.S_IFREG
        mode = self._settings.dir_mode if status.folder else self._settings.file_mode
        return {
            "st_mode": kind | mode,
            "st_nlink": 1,
            "st_uid": self._settings.uid,
            "st_gid": self._settings.gid,
            "st_size": status.size,
            "st_blocks": -(-status.size // 512),
            "st_atime": status.modified,
            "st_mtime": status.modified,
            "st_ctime": status.modified,
        }

    def readdir(self, path: str, handle: int) -> list[str]:
        with self._lock:
            names = self._tree.names(_name(path)) | self._drafts.new_in(_name(path))
        return [".", "..", *sorted(names)]

    def statfs(self, path: str) -> dict[str, int]:
        room = dict.fromkeys(("f_blocks", "f_bfree", "f_bavail", "f_files", "f_ffree"), _PLENTY)
        return {"f_bsize": 4096, "f_frsize": 4096, "f_namemax": 255, **room}

    def mkdir(self, path: str, mode: int) -> None:
        self._tree.make_folder(_name(path))

    def rmdir(self, path: str) -> None:
        with self._lock:
            if self._drafts.new_in(_name(path)):
                raise failure(errno.ENOTEMPTY, path)
        self._tree.remove_folder(_name(path))

    def create(self, path: str, mode: int) -> int:
        with self._lock:
            draft = self._drafts.begin(_name(path))
            number = self._opened(draft)
        if self._settings.create_empty:
            self._drafts.upload(draft)
        return number

    def open(self, path: str, flags: int) -> int:
        name = _name(path)
        with self._lock:
            if flags & os.O_ACCMODE == os.O_RDONLY:
                draft = self._drafts.dirty(name)
                return self._opened(draft or os.open(self._tree.path(name), os.O_RDONLY))
            return self._opened(self._drafts.change(name, keep=not flags & os.O_TRUNC))

    def _opened(self, what: Draft | int) -> int:
        number = next(self._numbers)
        self._handles[number] = what
        if isinstance(what, Draft):
            what.handles += 1
        return number

    def read(self, path: str | None, size: int, offset: int, handle: int) -> bytes:
        opened = self._handles[handle]
        descriptor = opened.descriptor if isinstance(opened, Draft) else opened
        return os.pread(descriptor, size, offset)

    def write(self, path: str | None, content: bytes, offset: int, handle: int) -> int:
        return self._written(handle).write(content, offset)

    def _written(self, handle: int) -> Draft:
        opened = self._handles[handle]
        if not isinstance(opened, Draft):
            raise failure(errno.EBADF, "")
        return opened

    def truncate(self, path: str, size: int, handle: int | None = None) -> None:
        with self._lock:
            draft = self._drafts.change(_name(path), keep=size > 0)
            draft.truncate(size)
            if draft.handles:
                return
            draft.handles += 1
        try:
            self._drafts.upload(draft)
        finally:
            self._left(draft)

    def flush(self, path: str | None, handle: int) -> None:
        """Upload at a close, which learns whether it went well."""
        opened = self._handles[handle]
        if isinstance(opened, Draft):
            self._drafts.upload(opened)

    def fsync(self, path: str | None, datasync: int, handle: int) -> None:
        self.flush(path, handle)

    def release(self, path: str | None, handle: int) -> None:
        opened = self._handles.pop(handle)
        if isinstance(opened, Draft):
            self._left(opened)
        else:
            os.close(opened)

    def _left(self, draft: Draft) -> None:
        with self._lock:
            draft.handles -= 1
            self._drafts.leave(draft)

    def unlink(self, path: str) -> None:
        name = _name(path)
        with self._lock:
            if not self._drafts.drop(name):
                self._tree.remove(name)

    def rename(self, old: str, new: str) -> None:
        """Copy and remove. A folder would be many of these, which gcsfuse refuses."""
        source, target = _name(old), _name(new)
        with self._lock:
            status, draft = self._tree.status(source), self._drafts.dirty(source)
        if status and status.folder:
            raise failure(errno.EMFILE, source)
        if draft:
            self._drafts.upload(draft)
        self._copy(source, target)
        self._tree.pass_time(self._settings.rename_time)
        self.unlink(old)

    def _copy(self, source: str, target: str) -> None:
        staged = self._tree.folder.staged()
        shutil.copyfile(self._tree.path(source), staged)
        with self._lock, self._tree.folder.locked():
            self._drafts.drop(target)
            self._tree.put(staged, target)

    def chmod(self, path: str | None, mode: int) -> None:
        """Do nothing: all files have one mode."""

    def chown(self, path: str | None, uid: int, gid: int) -> None:
        """Do nothing: all files have one owner."""

    def utimens(self, path: str | None, times: tuple[int, int] | None = None) -> None:
        """Do nothing: a time is no content, and is only kept beside it."""


def _name(path: str | None) -> str:
    """Return the object's name of a path; an unlinked file has none."""
    if path is None:
        raise failure(errno.ENOENT, "")
    return path.strip("/")
