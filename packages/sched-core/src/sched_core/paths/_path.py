"""What SpecPath and MountedPath share as texts: a path, and its twin on the other side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from . import _lexical
from ._cloud import NotALocalPath, as_cloud_path

if TYPE_CHECKING:
    import os
    from collections.abc import Callable
    from typing import Self, TypeAlias, TypeVarTuple

    from cloudpathlib import CloudPath

    StrPath: TypeAlias = str | bytes | os.PathLike[str] | os.PathLike[bytes] | CloudPath
    Arguments = TypeVarTuple("Arguments")


class TwoSidedPath:
    """One file as one side sees it, and where the other side finds the same file.

    A run of 100,000 jobs holds a path a job, so nothing is kept but text: `_path`, `_twin` (the
    other side's, None where both are the same) and `_origin`, shared by all derived paths, whose
    client reaches the bucket.
    """

    __slots__ = ("_origin", "_path", "_twin")

    _path: str
    _twin: str | None
    _origin: CloudPath | None
    _of_driver: ClassVar[bool]  # which of the two sides `_path` is

    def __init__(self, path: StrPath | TwoSidedPath, twin: StrPath | None = None) -> None:
        ours, theirs, self._origin = self._sides(path)
        if twin is not None:
            theirs = str(twin) if isinstance(twin, TwoSidedPath) else self._sides(twin)[0]
        self._path = _lexical.normalise(ours)
        normal = None if theirs is None else _lexical.normalise(theirs)
        self._twin = normal if normal != self._path else None

    @classmethod
    def _of(cls, path: str, twin: str | None, origin: CloudPath | None) -> Self:
        """A path of texts that are normal already."""
        self = object.__new__(cls)
        self._path = path
        self._twin = twin if twin != path else None
        self._origin = origin
        return self

    def __str__(self) -> str:
        return self._path

    def __fspath__(self) -> str:
        if _lexical.is_cloud(self._path):
            raise NotALocalPath(
                f"{self._path} is in a bucket and no file of this machine: use its methods "
                "(open, read_bytes, ...), or '.mounted' for where the job finds it"
            )
        return self._path

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self._path == other._path and self._twin == other._twin

    def __hash__(self) -> int:
        return hash((self._path, self._twin))

    def __lt__(self, other: object) -> bool:
        if not isinstance(other, type(self)):
            return NotImplemented
        return (self._path, self._twin or "") < (other._path, other._twin or "")

    def __reduce__(self) -> tuple[Callable[..., Self], tuple[str, str | None]]:
        # Without the client: like cloudpathlib's own, a path that travelled uses the default one.
        return type(self), (self._path, self._twin)

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self

    @property
    def name(self) -> str:
        """The last component; empty for a root and for a bucket."""
        return _lexical.split(self._path)[1].name

    @property
    def stem(self) -> str:
        """The last component without its suffix."""
        return _lexical.split(self._path)[1].stem

    @property
    def suffix(self) -> str:
        """The last component's part from its last dot on, or an empty string."""
        return _lexical.split(self._path)[1].suffix

    @property
    def parts(self) -> tuple[str, ...]:
        """The components; the first of a path in a bucket is the bucket, as in 'gs://bucket'."""
        return _lexical.parts(self._path)

    @property
    def parent(self) -> Self:
        """The folder that holds this path, on both sides.

        Where one side is at its root, it is the path itself: the sides stay in step. A path does
        not know where its mount begins: beyond there the two sides' parents are different folders.
        """
        up = self._both(_lexical.parent)
        if up._path == self._path or (self._twin is not None and up._twin == self._twin):
            return self
        return up

    def is_absolute(self) -> bool:
        """Whether the path starts at a root or in a bucket."""
        return _lexical.starts_afresh(self._path)

    def is_cloud(self) -> bool:
        """Whether this side's path is in a bucket (`gs://`, `s3://`, `az://`)."""
        return _lexical.is_cloud(self._path)

    def is_mounted(self) -> bool:
        """Whether the driver and the job see the file under different paths."""
        return self._twin is not None

    def __truediv__(self, segment: StrPath | TwoSidedPath) -> Self:
        try:
            return self.joinpath(segment)
        except NotALocalPath:
            raise
        except TypeError:
            return NotImplemented

    def joinpath(self, *segments: StrPath | TwoSidedPath) -> Self:
        """The path with `segments` appended, on both sides.

        As in pathlib an absolute segment (or one in a bucket) starts afresh: the result is that
        segment, mounted only if the segment itself is.
        """
        path, twin, origin = self._path, self._twin, self._origin
        for segment in segments:
            ours, theirs, found = self._sides(segment)
            if twin is not None or theirs is not None:
                twin = _lexical.join(path if twin is None else twin, theirs or ours)
            path = _lexical.join(path, ours)
            origin = found or origin
        return self._of(path, twin, origin)

    def with_name(self, name: str) -> Self:
        """The path with another last component, on both sides.

        Raises ValueError where a side has no last component, or `name` is none.
        """
        return self._both(_lexical.with_name, name)

    def with_stem(self, stem: str) -> Self:
        """The path with another last component but the same suffix, on both sides."""
        return self._both(_lexical.with_stem, stem)

    def with_suffix(self, suffix: str) -> Self:
        """The path with another suffix (with its dot; an empty one removes it), on both sides."""
        return self._both(_lexical.with_suffix, suffix)

    def _both(self, change: Callable[[str, *Arguments], str], *arguments: *Arguments) -> Self:
        twin = None if self._twin is None else change(self._twin, *arguments)
        return self._of(change(self._path, *arguments), twin, self._origin)

    @classmethod
    def _sides(cls, path: StrPath | TwoSidedPath) -> tuple[str, str | None, CloudPath | None]:
        """Texts of any path: as this class's side sees it, as the other does, and its client."""
        if isinstance(path, TwoSidedPath):
            if path._of_driver == cls._of_driver:
                return path._path, path._twin, path._origin
            return path._twin or path._path, path._path, path._origin
        cloud = as_cloud_path(path)
        if cloud is not None:
            return str(cloud), None, cloud
        return _lexical.decode(path), None, None
