"""What SpecPath and MountedPath share as files: asynchronous access, in worker threads."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, Protocol, overload

from . import _lexical
from ._cloud import CloudFiles
from ._local import LocalFiles
from ._path import TwoSidedPath

if TYPE_CHECKING:
    import os
    from collections.abc import AsyncIterator, Callable
    from typing import IO, Self, TypeVar, TypeVarTuple

    from _typeshed import OpenBinaryMode, OpenTextMode
    from anyio import AsyncFile

    from ._path import StrPath

    Arguments = TypeVarTuple("Arguments")
    Result = TypeVar("Result")


class Files(Protocol):
    """Blocking operations on one kind of storage, by the text of a path."""

    def exists(self, path: str) -> bool: ...
    def is_file(self, path: str) -> bool: ...
    def is_dir(self, path: str) -> bool: ...
    def mkdir(self, path: str, mode: int, parents: bool, exist_ok: bool) -> None: ...
    def rmtree(self, path: str, missing_ok: bool) -> None: ...
    def names(self, path: str) -> list[str]: ...
    def stat(self, path: str, follow_symlinks: bool) -> os.stat_result: ...
    def open(
        self,
        path: str,
        mode: str,
        buffering: int,
        encoding: str | None,
        errors: str | None,
        newline: str | None,
    ) -> IO[Any]: ...
    def read_bytes(self, path: str) -> bytes: ...
    def write_bytes(self, path: str, data: bytes) -> int: ...
    def unlink(self, path: str, missing_ok: bool) -> None: ...
    def rename(self, path: str, target: str) -> None: ...


_LOCAL = LocalFiles()


class FilePath(TwoSidedPath):
    """A path with the operations of `anyio.Path` on what lies there."""

    __slots__ = ()

    @property
    def _files(self) -> Files:
        return CloudFiles(self._origin) if _lexical.is_cloud(self._path) else _LOCAL

    async def exists(self) -> bool:
        """Whether something is there; a folder of a bucket is there while it holds an object."""
        return await _in_thread(self._files.exists, self._path)

    async def is_file(self) -> bool:
        """Whether a regular file is there, links followed."""
        return await _in_thread(self._files.is_file, self._path)

    async def is_dir(self) -> bool:
        """Whether a folder is there, links followed."""
        return await _in_thread(self._files.is_dir, self._path)

    async def mkdir(self, mode: int = 0o777, parents: bool = False, exist_ok: bool = False) -> None:
        """Create the folder; in a bucket, which has none, nothing is created.

        `mode` is that of the last folder, less the umask. Raises FileExistsError, unless
        `exist_ok` and it is a folder, and FileNotFoundError without its parent, unless `parents`.
        """
        await _in_thread(self._files.mkdir, self._path, mode, parents, exist_ok)

    async def rmtree(self, *, missing_ok: bool = False) -> None:
        """Remove the folder with all it holds; a link is refused, and links inside are not followed.

        Raises FileNotFoundError, unless `missing_ok`, and NotADirectoryError.
        """
        await _in_thread(self._files.rmtree, self._path, missing_ok)

    async def iterdir(self) -> AsyncIterator[Self]:
        """The paths in the folder, in no order; the list is read whole, at once."""
        for name in await _in_thread(self._files.names, self._path):
            yield self / name

    async def stat(self, *, follow_symlinks: bool = True) -> os.stat_result:
        """Size, times and mode; of an object in a bucket, the size and the time of its last change."""
        return await _in_thread(self._files.stat, self._path, follow_symlinks)

    @overload
    async def open(
        self,
        mode: OpenBinaryMode,
        buffering: int = ...,
        encoding: str | None = ...,
        errors: str | None = ...,
        newline: str | None = ...,
    ) -> AsyncFile[bytes]: ...

    @overload
    async def open(
        self,
        mode: OpenTextMode = ...,
        buffering: int = ...,
        encoding: str | None = ...,
        errors: str | None = ...,
        newline: str | None = ...,
    ) -> AsyncFile[str]: ...

    async def open(
        self,
        mode: str = "r",
        buffering: int = -1,
        encoding: str | None = None,
        errors: str | None = None,
        newline: str | None = None,
    ) -> AsyncFile[Any]:
        """Open as the built-in `open` does, as `async with await path.open() as file`.

        Text is UTF-8 unless `encoding` says otherwise. What is written to an object in a bucket
        appears there when the file is closed; mode "x" is no lock there.
        """
        if "b" not in mode:
            encoding = encoding or "utf-8"
        arguments = (mode, buffering, encoding, errors, newline)
        from anyio import wrap_file

        return wrap_file(await _in_thread(self._files.open, self._path, *arguments))

    async def read_bytes(self) -> bytes:
        """The whole content."""
        return await _in_thread(self._files.read_bytes, self._path)

    async def read_text(self, encoding: str | None = None, errors: str | None = None) -> str:
        r"""The whole content as text, UTF-8 by default; every kind of line end reads as '\n'."""
        reader = io.TextIOWrapper(io.BytesIO(await self.read_bytes()), encoding or "utf-8", errors)
        return reader.read()

    async def write_bytes(self, data: bytes) -> int:
        """Replace the content; returns the number of bytes."""
        return await _in_thread(self._files.write_bytes, self._path, bytes(data))

    async def write_text(
        self, data: str, encoding: str | None = None, errors: str | None = None
    ) -> int:
        """Replace the content by text, UTF-8 by default; returns the number of characters."""
        await self.write_bytes(data.encode(encoding or "utf-8", errors or "strict"))
        return len(data)

    async def unlink(self, missing_ok: bool = False) -> None:
        """Remove the file or link. Raises FileNotFoundError unless `missing_ok`."""
        await _in_thread(self._files.unlink, self._path, missing_ok)

    async def rename(self, target: StrPath | TwoSidedPath) -> Self:
        """Move the file to `target`, replacing a file that is there, and return its new path.

        In a bucket this copies and removes, and folders cannot be moved. Raises OSError between a
        bucket and this machine.
        """
        new = target if isinstance(target, type(self)) else type(self)(target)
        files = self._files if self.is_cloud() else new._files
        await _in_thread(files.rename, self._path, new._path)
        return new


async def _in_thread(function: Callable[[*Arguments], Result], *arguments: *Arguments) -> Result:
    # On first use: anyio is half of the time that importing this package may take.
    from anyio import to_thread

    return await to_thread.run_sync(function, *arguments)
