"""The driver's write-ahead log: segments of JSON lines, each written once and whole.

A segment is `<epoch>-<number>.jsonl`. Many small ones are merged into one, whose first line says
from which number on it stands for them and how many lines it has, so that a reader never counts a
record twice, nor loses one, whatever moment it comes at.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from ..ports.files import Files
from .layout import Layout
from .reader import SegmentRead
from .records import dump_lines
from .summary import Summarizer

__all__ = ["Journal"]

MERGE_AT = 32
"""Segments of a size that become one of the next size: at most a few dozen files a run."""

_KEPT = 1 << 16
"""Bytes of a segment, at most, that are kept in memory until it is merged, and not read again."""


class _Segment(NamedTuple):
    """A segment that was written."""

    holds: SegmentRead
    body: bytes | None
    """Its lines without a header; None where they are too many to be kept."""

    @classmethod
    def of(cls, holds: SegmentRead, body: bytes) -> _Segment:
        holds.add(body)
        return cls(holds, body if len(body) <= _KEPT else None)


class Journal:
    """Collects entries and writes them out a segment at a time.

    `add`, `take` and `put_back` belong to the loop's thread; `write` blocks: offload it, one call
    at a time.
    """

    def __init__(
        self,
        files: Files,
        layout: Layout,
        epoch: int,
        summarizer: Summarizer | None = None,
    ) -> None:
        """Write the segments of that epoch, and have them summed up."""
        self._files = files
        self._layout = layout
        self._epoch = epoch
        self._summarizer = summarizer
        self._entries: list[dict[str, Any]] = []
        self._number = 0
        # For each size, every segment of that size.
        self._sizes: list[list[_Segment]] = [[]]
        self._replaced: list[str] = []

    @property
    def pending(self) -> bool:
        """Whether there are entries that nobody took yet."""
        return bool(self._entries)

    def add(self, entry: dict[str, Any]) -> None:
        """Keep an entry for the next `take`; until then it may still be changed."""
        self._entries.append(entry)

    def take(self) -> list[dict[str, Any]]:
        """Return the entries to be written now."""
        entries, self._entries = self._entries, []
        return entries

    def put_back(self, entries: list[dict[str, Any]]) -> None:
        """Keep entries that could not be written."""
        self._entries[:0] = entries

    def write(self, entries: list[dict[str, Any]]) -> None:
        """Make the entries safe, as one segment. Raises OSError."""
        if entries:
            body = dump_lines(entries)
            number = self._write(body)
            self._sizes[0].append(_Segment.of(self._holds(number, number, 0), body))
            if self._summarizer is not None:
                self._summarizer.take(entries, len(body))
            self._merge()
            self._sum_up()

    def close(self) -> None:
        """Have whoever only looks at the run find all that it tells in its summary."""
        self._sum_up(last=True)

    def _sum_up(self, *, last: bool = False) -> None:
        if self._summarizer is not None and self._summarizer.is_due(last=last):
            self._summarizer.write(self._written())

    def _holds(self, number: int, first: int, header: int) -> SegmentRead:
        return SegmentRead(self._epoch, number, first, header)

    def _written(self) -> Iterator[SegmentRead]:
        """What the segments of this driver hold, in their order."""
        return (segment.holds for size in reversed(self._sizes) for segment in size)

    def _write(self, data: bytes) -> int:
        # A number is used once: what could not be written may be there all the same.
        number, self._number = self._number, self._number + 1
        if not self._files.create(self._layout.segment(self._epoch, number), data):
            raise FileExistsError(f"{self._layout.segment(self._epoch, number)} is there already")
        return number

    def _merge(self) -> None:
        size = 0
        while len(self._sizes[size]) >= MERGE_AT:
            if size + 1 == len(self._sizes):
                self._sizes.append([])
            merged = self._merge_segments(self._sizes[size])
            self._sizes[size + 1].append(merged)
            self._sizes[size] = []
            # A removal that fails may have been done all the same: nothing is read from these again.
            self._files.remove_many(self._replaced)
            self._replaced = []
            size += 1

    def _merge_segments(self, segments: list[_Segment]) -> _Segment:
        paths = [self._layout.segment(*segment.holds.key) for segment in segments]
        first = segments[0].holds.first
        body = b"".join(self._bodies(segments, paths))
        header = dump_lines([{"merged_from": first, "lines": body.count(b"\n")}])
        number = self._write(header + body)
        self._replaced += paths
        return _Segment.of(self._holds(number, first, len(header)), body)

    def _bodies(self, segments: list[_Segment], paths: list[str]) -> list[bytes]:
        pairs = zip(segments, paths, strict=True)
        return [
            _without_header(self._files.read(path)) if segment.body is None else segment.body
            for segment, path in pairs
        ]


def _without_header(data: bytes) -> bytes:
    return data.partition(b"\n")[2] if data.startswith(b'{"merged_from":') else data
