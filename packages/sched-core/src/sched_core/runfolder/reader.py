"""Reads the journal's segments while a driver writes and merges them, each record once."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NamedTuple
from zlib import crc32

from ..errors import RunCorrupt
from ..ports.files import Files
from .layout import Layout
from .records import MALFORMED, load_lines

__all__ = ["JournalReader", "News", "SegmentRead", "read_journal", "segment_key"]

_NAME = re.compile(r"([1-9][0-9]*)-(0|[1-9][0-9]*)\.jsonl", re.ASCII)
_MERGED = b'{"merged_from":'

_Key = tuple[int, int]
"""Epoch and number: the order in which segments were begun."""


class News(NamedTuple):
    """What a look at the journal found."""

    records: list[dict[str, Any]]
    """In the order in which they were added."""
    anew: bool
    """Whether they are all records of the run, in place of those that were read before."""


class _Changed(Exception):
    """What was read before is not what the journal now has in its place."""


@dataclass(slots=True)
class SegmentRead:
    """What a segment holds, which stands for itself and those before it from `first` on."""

    epoch: int
    number: int
    first: int
    header: int
    """The size of its first line, where that is none of the records."""
    size: int = 0
    checksum: int = 0

    @property
    def key(self) -> _Key:
        return self.epoch, self.number

    @property
    def end(self) -> int:
        return self.header + self.size

    def covers(self, key: _Key) -> bool:
        return self.epoch == key[0] and self.first <= key[1] <= self.number

    def add(self, body: bytes) -> None:
        self.size += len(body)
        self.checksum = crc32(body, self.checksum)


class _Segment(NamedTuple):
    """A segment as it lies there: its body is what the header leaves, up to its last whole line."""

    key: _Key
    first: int
    header: int
    body: bytes
    torn: bool
    """It is being written, or its driver died at that: nothing of it is to be used."""

    def replaces(self, key: _Key) -> bool:
        return self.key[0] == key[0] and self.first <= key[1] < self.key[1]


class JournalReader:
    """Tells what is new in a run's journal. Its calls block."""

    def __init__(self, files: Files, layout: Layout, known: Iterable[SegmentRead] = ()) -> None:
        """Read from the beginning, or what is new to one who knows what these segments hold."""
        self._files = files
        self._layout = layout
        self._known = list(known)
        self._began = bool(self._known)
        self._useless: set[_Key] = set()
        self._may_grow = False

    @property
    def known(self) -> Sequence[SegmentRead]:
        """What was read, in the order of the segments; those that were merged are one."""
        return self._known

    def read_new(self, names: Iterable[str] | None = None) -> News:
        """Return the records that were added since the last call; `names` is what the journal holds,
        for a caller who has just listed it.

        A driver may be writing and merging meanwhile. Raises OSError, FileNotFoundError where there
        is no journal, and RunCorrupt for what no driver has written.
        """
        while True:
            anew = not self._began
            try:
                records = self._read(names)
            except _Changed:
                self._forget()
            except FileNotFoundError:
                # A merge has just removed what was listed: its result is there now.
                if not self._files.exists(self._layout.journal):
                    raise
            else:
                self._began = True
                return News(records, anew)
            names = None

    def _forget(self) -> None:
        self._began = self._may_grow = False
        self._known = []
        self._useless = set()

    def _read(self, names: Iterable[str] | None) -> list[dict[str, Any]]:
        keys = self._listed(self._files.names(self._layout.journal) if names is None else names)
        rest = self._rest_of_last()
        new = [key for key in keys if not self._knows(key)]
        if self._known and new and new[0] < self._known[-1].key:
            raise _Changed  # a listing had missed it, or an earlier driver was not dead yet
        segments = self._segments(new)
        records = self._take_rest(rest)
        for segment in segments:
            if not segment.torn:
                records += self._take(segment)
            elif segment.key != keys[-1]:
                self._useless.add(segment.key)
        return records

    def _listed(self, names: Iterable[str]) -> list[_Key]:
        return sorted(key for key in map(segment_key, names) if key is not None)

    def _knows(self, key: _Key) -> bool:
        return key in self._useless or any(read.covers(key) for read in reversed(self._known))

    def _rest_of_last(self) -> bytes:
        """What the last segment has got since it was read: it may have been seen half written."""
        if not self._known or not self._may_grow:
            return b""
        last = self._known[-1]
        with suppress(FileNotFoundError):  # what it was merged into will be found
            return self._files.read_from(self._layout.segment(*last.key), last.end)
        return b""

    def _segments(self, keys: list[_Key]) -> list[_Segment]:
        """Read segments but for those that a later one stands for, in their order."""
        found: list[_Segment] = []
        newest_first = keys[::-1]
        paths = [self._layout.segment(*key) for key in newest_first]
        contents = self._files.read_many(paths)
        for key, path, data in zip(newest_first, paths, contents, strict=True):
            if any(later.replaces(key) for later in found if not later.torn):
                continue
            if data is None:
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
            found.append(_segment(key, path, data))
        return found[::-1]

    def _take_rest(self, rest: bytes) -> list[dict[str, Any]]:
        self._may_grow = bool(rest)
        body = _whole_lines(rest)
        if not body:
            return []
        last = self._known[-1]
        last.add(body)
        return load_lines(body, self._layout.segment(*last.key))

    def _take(self, segment: _Segment) -> list[dict[str, Any]]:
        replaced = [read for read in self._known if segment.replaces(read.key)]
        new = _beyond(segment.body, replaced)
        self._known = [read for read in self._known if not segment.replaces(read.key)]
        self._known.append(SegmentRead(*segment.key, segment.first, segment.header))
        self._known[-1].add(segment.body)
        self._may_grow = True
        return load_lines(new, self._layout.segment(*segment.key))


def segment_key(name: str) -> tuple[int, int] | None:
    """Return epoch and number of the segment that is called so; None for any other file."""
    match = _NAME.fullmatch(name)
    return (int(match[1]), int(match[2])) if match else None


def _segment(key: _Key, path: str, data: bytes) -> _Segment:
    body = _whole_lines(data)
    if not body.startswith(_MERGED):
        return _Segment(key, key[1], 0, body, torn=not body)
    head, _, body = body.partition(b"\n")
    (header,) = load_lines(head + b"\n", path)
    try:
        first, lines = int(header["merged_from"]), int(header["lines"])
    except MALFORMED as error:
        raise RunCorrupt(f"{path} cannot be read: {error!r} is missing or wrong") from None
    return _Segment(key, first, len(head) + 1, body, torn=body.count(b"\n") < lines)


def _whole_lines(data: bytes) -> bytes:
    return data[: data.rfind(b"\n") + 1]


def _beyond(body: bytes, parts: list[SegmentRead]) -> bytes:
    """What a body holds beyond the parts of it that were read already."""
    begin = 0
    for part in parts:
        if crc32(body[begin : begin + part.size]) != part.checksum:
            raise _Changed  # what a driver could not write, as it thought, was there and was read
        begin += part.size
    return body[begin:]


def read_journal(files: Files, layout: Layout) -> Iterator[dict[str, Any]]:
    """Return every record of the run in the order in which it was added.

    A driver may be writing and merging meanwhile.
    """
    return iter(JournalReader(files, layout).read_new().records)
