"""Reading files of jobs, wherever their run lies. Everything here blocks."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from sched_core.ports.plain import open_plain

from ..wording import plain

if TYPE_CHECKING:
    from sched_core.ports import Entry

    from .runfolder import RunFolder

__all__ = ["chunks", "contents", "last_line", "last_line_of_each", "last_lines"]

_CHUNK = 1 << 18
_LINE = 1024
"""Bytes that are looked at for a line."""
_LONGEST_LINE = 200
# What bash puts before `gzp: not found`, and tells nobody anything.
_OF_THE_WRAPPER = re.compile(r"\A/.*/\.sched/recorder-[0-9a-f]+\.bash: line \d+: (?:exec: )?")
# What bash adds to `cannot execute binary file: Exec format error`.
_SAYS_NOTHING = re.compile(_OF_THE_WRAPPER.pattern + r".*: Success\s*\Z")
_AT_ONCE = 8
"""Questions to a store far away that are asked side by side."""


def chunks(folder: RunFolder, path: str) -> Iterator[bytes]:
    """Yield the content of a file piece by piece. Raises OSError."""
    if folder.in_bucket:
        yield folder.files.read(path)
        return
    try:
        yield from _chunks_of_file(path)
    except FileNotFoundError:
        if (packed := folder.files.packed_pieces(path)) is None:
            raise
        yield from packed


def _chunks_of_file(path: str) -> Iterator[bytes]:
    with open(path, "rb", buffering=0, opener=open_plain) as file:
        while chunk := file.read(_CHUNK):
            yield chunk


def contents(folder: RunFolder, paths: Sequence[str]) -> Iterator[bytes | None]:
    """Yield the content of each file, None where there is none. Raises OSError.

    In a bucket all are asked for at once; of this machine no two are held in memory.
    """
    at_once = len(paths) if folder.in_bucket else 1
    for first in range(0, len(paths), at_once or 1):
        yield from folder.files.read_many(paths[first : first + at_once])


def last_line_of_each(folder: RunFolder, paths: Sequence[str]) -> list[str]:
    """Return the last line of each file that is not blank, '' where there is none."""
    return [folder.redact(_last_line(end)) for end in _ends(folder, paths, 4 * _LINE)]


def last_line(folder: RunFolder, path: str) -> str:
    """Return the last line of a file that is not blank, '' where there is none."""
    return last_line_of_each(folder, [path])[0]


def last_lines(folder: RunFolder, path: str, most: int) -> list[str]:
    """Return up to that many lines from the end of a file, none where it cannot be read."""
    (end,) = _ends(folder, [path], _LINE * most)
    return [folder.redact(line) for line in _lines(end)[-most:]]


def _ends(folder: RunFolder, paths: Sequence[str], most: int) -> list[bytes]:
    """Return up to that many bytes from the end of each file, none where it cannot be read."""
    if not paths:
        return []
    known: dict[str, Entry] = {}
    with contextlib.suppress(OSError):
        known = folder.files.checksums(paths)

    def end(path: str) -> bytes:
        entry = known.get(path)
        if entry is None or not entry.size:
            return b""
        with contextlib.suppress(OSError):
            return folder.files.read_from(path, max(0, entry.size - most))
        return b""

    if not folder.in_bucket:
        return [end(path) for path in paths]
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(pool.map(end, paths))


def _last_line(end: bytes) -> str:
    for line in reversed(_lines(end)[-4:]):
        if line.strip() and not _SAYS_NOTHING.search(line):
            return plain(_OF_THE_WRAPPER.sub("", line.strip()))[:_LONGEST_LINE]
    return ""


def _lines(text: bytes) -> list[str]:
    return text.decode(errors="replace").splitlines()
