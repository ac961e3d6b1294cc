"""Files for hosts that share no disk with the driver, packed and unpacked. Blocks: offload it."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import secrets
import stat
import tarfile
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import IO

from sched_core import OptionError

__all__ = ["Item", "Parcel", "check_staged", "pack", "unpack", "version_of"]

_IN_MEMORY = 1 << 24
_PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class Item:
    """A file or folder that goes up: its name in the run's folder there, and where it is here."""

    name: str
    source: str
    version: tuple[int, int] = (0, 0)
    """What it was before it was read: see version_of."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """An archive, and the digests of the files in it, by name."""

    archive: IO[bytes]
    digests: dict[str, str]


def check_staged(path: str) -> str:
    """Return the path in a plain form. Raises OptionError for one that cannot be staged."""
    plain = os.path.normpath(path)
    if os.path.isabs(plain) or plain == "." or plain.split(os.sep)[0] == "..":
        raise OptionError(
            f"{path!r} cannot be brought to a host without a shared disk: inputs and outputs are named "
            "relative to the folder in which the driver runs, and below it"
        )
    if "\0" in plain:
        raise OptionError(f"{path!r} is no name of a file")
    return plain


def version_of(path: str) -> tuple[int, int]:
    """Return a file's size and a number that is another one when it has changed, of a folder those of
    all that is in it. Raises OSError.
    """
    found = os.stat(path)
    if not stat.S_ISDIR(found.st_mode):
        return found.st_size, found.st_mtime_ns
    inner = [(name, *version_of(os.path.join(path, name))) for name in sorted(os.listdir(path))]
    return sum(size for _, size, _ in inner), hash(tuple(inner))


def pack(items: Iterable[Item]) -> Parcel:
    """Put files and folders into an archive. Raises OSError."""
    archive: IO[bytes] = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115  # returned
    digests: dict[str, str] = {}
    try:
        # GNU's format: every tar reads it, and names are plain bytes in it.
        with tarfile.open(
            fileobj=archive, mode="w", format=tarfile.GNU_FORMAT, dereference=True, bufsize=_PIECE
        ) as tar:
            for item in items:
                _add(tar, item, digests)
    except BaseException:
        archive.close()
        raise
    archive.seek(0)
    return Parcel(archive, digests)


def _add(tar: tarfile.TarFile, item: Item, digests: dict[str, str]) -> None:
    info = tar.gettarinfo(item.source, item.name)
    if info.islnk():  # a second name of what is in the archive already
        info.type, info.linkname = tarfile.REGTYPE, ""
        info.size = os.stat(item.source).st_size
    info.uid = info.gid = 0
    info.uname = info.gname = ""
    if info.isdir():
        tar.addfile(info)
        for name in sorted(os.listdir(item.source)):
            _add(tar, Item(f"{item.name}/{name}", f"{item.source}/{name}"), digests)
    elif info.isreg():
        with open(item.source, "rb") as file:
            reader = _Digesting(file, info.size)
            tar.addfile(info, reader)
        digests[item.name] = reader.hexdigest()
    else:
        raise OSError(f"{item.source} is neither a file nor a folder")


class _Digesting:
    """Reads a file of a known size, however it grows meanwhile, and digests it on the way."""

    def __init__(self, file: IO[bytes], size: int) -> None:
        self._file, self._left = file, size
        self._digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(self._left if size < 0 else min(size, self._left))
        self._left -= len(data)
        self._digest.update(data)
        return data

    def hexdigest(self) -> str:
        return self._digest.hexdigest()


def unpack(
    archive: IO[bytes], places: Mapping[str, str], digests: Mapping[str, str], mode: int
) -> set[str]:
    """Put what came into place; return the names of those that have arrived whole.

    `places` tells where each name goes, a folder with all that is in it; what was not asked for is
    left. `mode` is that of records, which are not executable; others keep theirs.
    """
    archive.seek(0)
    if not archive.read(1):
        return set()
    archive.seek(0)
    whole: set[str] = set()
    with tarfile.open(fileobj=archive, mode="r:", encoding="utf-8") as tar:
        for member in tar:
            root, target = _place(member.name, places)
            if target is None:
                continue
            if member.isdir():
                os.makedirs(target, exist_ok=True)
                whole.add(root)
            elif (member.isreg() and not member.issparse()) or member.islnk():
                digest = _extract(tar, member, target, mode)
                if root != member.name or digests.get(root, "-") in ("-", digest):
                    whole.add(root)
    return whole


def _place(name: str, places: Mapping[str, str]) -> tuple[str, str | None]:
    """Return what was asked for that the member belongs to, and where it goes, None for nowhere."""
    if ".." in name.split("/") or "\0" in name:
        return name, None
    root, rest = name, ""
    while root not in places:
        root, slash, last = root.rpartition("/")
        if not slash:
            return name, None
        rest = f"/{last}{rest}"
    return root, places[root] + rest


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    try:
        return tar.extractfile(member) or io.BytesIO()
    except (KeyError, RecursionError) as error:
        raise tarfile.ReadError(f"{member.name} is another name of nothing that came") from error


def _extract(tar: tarfile.TarFile, member: tarfile.TarInfo, target: str, mode: int) -> str:
    source = _content(tar, member)
    fresh = f"{target}.{secrets.token_hex(4)}"
    digest = hashlib.sha256()
    os.makedirs(os.path.dirname(target), exist_ok=True)
    descriptor = os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode | member.mode & 0o777)
    try:
        with open(descriptor, "wb") as file:
            while piece := source.read(_PIECE):
                digest.update(piece)
                file.write(piece)
        os.replace(fresh, target)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(fresh)
        raise
    return digest.hexdigest()
