"""Objects in buckets, through cloudpathlib. Everything here blocks: it is called in worker threads.

Reading and writing go through a temporary file and not through cloudpathlib's cache, which grows
with each file, and refuses when the clocks of the bucket and of this machine disagree.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NoReturn

from sched_core.errors import SchedError

from ._lexical import is_cloud

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudpathlib import CloudPath


class CloudSupportMissing(SchedError, ImportError):
    """A path in a bucket was used and what talks to that kind of bucket is not installed."""


class NotALocalPath(SchedError, TypeError):
    """A path in a bucket was used where the operating system needs a file of its own."""


def as_cloud_path(path: object) -> CloudPath | None:
    """`path`, if it is one of cloudpathlib's, without importing cloudpathlib for the question."""
    # Another thread may be just importing it: then nobody can have one of its paths yet.
    kind = getattr(sys.modules.get("cloudpathlib"), "CloudPath", None)
    return path if kind is not None and isinstance(path, kind) else None


class CloudFiles:
    """The operations of a path on the objects of a bucket.

    `origin` is a path of the same kind of bucket whose client is used; None means the default
    client of cloudpathlib.
    """

    __slots__ = ("_origin",)

    def __init__(self, origin: CloudPath | None) -> None:
        self._origin = origin

    def exists(self, path: str) -> bool:
        return self._at(path).exists()

    def is_file(self, path: str) -> bool:
        return self._at(path).is_file()

    def is_dir(self, path: str) -> bool:
        return self._at(path).is_dir()

    def mkdir(self, path: str, mode: int, parents: bool, exist_ok: bool) -> None:
        # There are no folders in a bucket: an object's name brings its own.
        if not exist_ok and self.exists(path):
            raise FileExistsError(errno.EEXIST, "There are objects already", path)

    def rmtree(self, path: str, missing_ok: bool) -> None:
        target = self._at(path)
        if target.is_dir():
            target.rmtree()
        elif target.is_file():
            raise NotADirectoryError(errno.ENOTDIR, "Not a folder of objects", path)
        elif not missing_ok:
            _raise_missing(path)

    def names(self, path: str) -> list[str]:
        target = self._at(path)
        if target.is_file():
            raise NotADirectoryError(errno.ENOTDIR, "Not a folder of objects", path)
        # A mount marks a folder by an object of the folder's own name, which is none of what it holds.
        own = str(target).rstrip("/")
        names = [child.name for child in target.iterdir() if str(child).rstrip("/") != own]
        if not names and not target.exists():
            _raise_missing(path)
        return names

    def stat(self, path: str, follow_symlinks: bool) -> os.stat_result:
        target = self._at(path)
        if target.is_file():
            facts = target.stat()
            return _stat_result(stat.S_IFREG | 0o666, facts.st_size, facts.st_mtime)
        if not target.is_dir():
            _raise_missing(path)
        return _stat_result(stat.S_IFDIR | 0o777, 0, 0)

    def open(
        self,
        path: str,
        mode: str,
        buffering: int,
        encoding: str | None,
        errors: str | None,
        newline: str | None,
    ) -> IO[Any]:
        return self._at(path).open(
            mode,
            buffering,
            encoding,
            errors,
            newline,
            force_overwrite_from_cloud=True,
            force_overwrite_to_cloud=True,
        )

    def read_bytes(self, path: str) -> bytes:
        target = self._at(path)
        self._require_file(target)
        with _scratch_file() as scratch:
            target.download_to(scratch)
            return scratch.read_bytes()

    def write_bytes(self, path: str, data: bytes) -> int:
        target = self._at(path)
        if target.is_dir():
            raise IsADirectoryError(errno.EISDIR, "A folder of objects", path)
        with _scratch_file() as scratch:
            scratch.write_bytes(data)
            target.upload_from(scratch, force_overwrite_to_cloud=True)
        return len(data)

    def unlink(self, path: str, missing_ok: bool) -> None:
        target = self._at(path)
        if not missing_ok or target.is_dir():
            self._require_file(target)
        target.unlink(missing_ok)

    def rename(self, path: str, target: str) -> None:
        source = self._at(path)
        self._require_file(source)
        source.rename(self._at(target))

    def _require_file(self, target: CloudPath) -> None:
        if target.is_file():
            return
        if target.is_dir():
            raise IsADirectoryError(errno.EISDIR, "A folder of objects", str(target))
        _raise_missing(str(target))

    def _at(self, path: str) -> CloudPath:
        if not is_cloud(path):
            raise OSError(errno.EXDEV, "Not in a bucket: read and write instead of moving", path)
        origin = self._origin
        if origin is not None and path.startswith(origin.cloud_prefix):
            return type(origin)(path, client=origin.client)
        return _new_cloud_path(path)


def _new_cloud_path(path: str) -> CloudPath:
    scheme = path.partition(":")[0]
    hint = f"{path} needs what talks to {scheme}://: pip install 'sched-core[{scheme}]'"
    try:
        import cloudpathlib
    except ImportError as error:
        raise CloudSupportMissing(hint) from error
    try:
        found: CloudPath = cloudpathlib.CloudPath(path)  # type: ignore[abstract]  # it is a factory
    except ImportError as error:  # cloudpathlib without that provider's SDK
        raise CloudSupportMissing(hint) from error
    return _with_credentials(found)


def _with_credentials(path: CloudPath) -> CloudPath:
    """Return a path of Google's with a client that has credentials, unless the user has chosen one:
    cloudpathlib's own would go on as a stranger without them, and be refused.
    """
    import cloudpathlib

    chosen = vars(cloudpathlib.GSClient).get("_default_client")
    if type(path) is not cloudpathlib.GSPath or chosen is not None:
        return path
    from .google import path_client

    return cloudpathlib.GSPath(str(path), client=path_client())


@contextmanager
def _scratch_file() -> Iterator[Path]:
    import tempfile

    with tempfile.TemporaryDirectory(prefix="sched-") as folder:
        yield Path(folder, "content")


def _stat_result(mode: int, size: int, modified: float) -> os.stat_result:
    return os.stat_result((mode, 0, 0, 1, 0, 0, size, modified, modified, modified))


def _raise_missing(path: str) -> NoReturn:
    raise FileNotFoundError(errno.ENOENT, "No such object", path)
