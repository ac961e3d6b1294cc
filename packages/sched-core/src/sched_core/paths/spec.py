"""One file, two names: the driver's and the job's."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from ._files import FilePath

if TYPE_CHECKING:
    from ._path import StrPath, TwoSidedPath


class SpecPath(FilePath):
    """A path as the driver sees it, that knows where the job finds the same file.

    `path` is local or in a bucket (`gs://`, `s3://`, `az://`), kept as given: relative paths are
    not resolved, '~' is a name like any other. `mounted` is the job's path, by default the same.
    A `MountedPath` gives its own `spec`, a `CloudPath` of cloudpathlib brings its client.

    What is derived (`/`, `parent`, `with_name` ...) changes both sides alike. Two paths are equal
    when they are of one class and both sides are. Its methods for files are those of
    `anyio.Path`; they work in threads, on asyncio and trio.

    Raises OptionError for a URL of another kind or without a bucket.
    """

    __slots__ = ()
    _of_driver: ClassVar[bool] = True

    def __init__(self, path: StrPath | TwoSidedPath, mounted: StrPath | None = None) -> None:
        super().__init__(path, mounted)

    @property
    def mounted(self) -> MountedPath:
        """The path of the same file as the job sees it; its `spec` leads back."""
        return MountedPath._of(self._twin or self._path, self._path, self._origin)

    def __repr__(self) -> str:
        twin = "" if self._twin is None else f", mounted={self._twin!r}"
        return f"{type(self).__name__}({self._path!r}{twin})"


class MountedPath(FilePath):
    """A path as the job sees it, that knows where the driver finds the same file.

    `spec` is the driver's path, by default the same. The methods for files act on the job's path
    and so belong into code that runs inside the job; elsewhere use those of `spec`.
    """

    __slots__ = ()
    _of_driver: ClassVar[bool] = False

    def __init__(self, path: StrPath | TwoSidedPath, spec: StrPath | None = None) -> None:
        super().__init__(path, spec)

    @property
    def spec(self) -> SpecPath:
        """The path of the same file as the driver sees it; its `mounted` leads back."""
        return SpecPath._of(self._twin or self._path, self._path, self._origin)

    def __repr__(self) -> str:
        twin = "" if self._twin is None else f", spec={self._twin!r}"
        return f"{type(self).__name__}({self._path!r}{twin})"
