"""The driver's write-ahead log: segments of JSON lines, each written once and whole.

A segment is `<epoch>-<number>.jsonl`. Many small ones are merged into one, whose first line says
from which number on it stands for them and how many lines it has, so that a reader never counts a
record twice, nor loses one, whatever moment it comes at.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ..ports.files import Files
from .layout import Layout
from .records import dump_lines, load_lines

__all__ = ["Journal", "read_journal"]

MERGE_AT = 32
"""Segments of a size that become one of the next size: at most a few dozen files a run."""

_SEGMENT = re.compile(r"(\d+)-(\d+)\.jsonl")


class Journal:
    """Collects entries and writes them out a segment at a time.

    `add`, `take` and `put_back` belong to the loop's thread; `write` blocks: offload it, one call
    at a time.
    """

    def __init__(self, files: Files, layout: Layout, epoch: int) -> None:
        """Write the segments of that epoch."""
        self._files = files
        self._layout = layout
        self._epoch = epoch
        self._entries: list[dict[str, Any]] = []
        self._number = 0
        # For each size the first and the own number of every segment of that size.
        self._sizes: list[list[tuple[int, int]]] = [[]]

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
            number = self._write(dump_lines(entries))
            self._sizes[0].append((number, number))
            self._merge()

    def _write(self, data: bytes) -> int:
        number = self._number
        if not self._files.create(self._layout.segment(self._epoch, number), data):
            raise FileExistsError(f"{self._layout.segment(self._epoch, number)} is there already")
        self._number += 1
        return number

    def _merge(self) -> None:
        size = 0
        while len(self._sizes[size]) >= MERGE_AT:
            if size + 1 == len(self._sizes):
                self._sizes.append([])
            self._sizes[size + 1].append(self._merge_segments(self._sizes[size]))
            self._sizes[size] = []
            size += 1

    def _merge_segments(self, segments: list[tuple[int, int]]) -> tuple[int, int]:
        paths = [self._layout.segment(self._epoch, own) for _, own in segments]
        first = segments[0][0]
        body = b"".join([_without_header(self._files.read(path)) for path in paths])
        header = {"merged_from": first, "lines": body.count(b"\n")}
        number = self._write(dump_lines([header]) + body)
        for path in paths:
            self._files.remove(path)
        return first, number


def _without_header(data: bytes) -> bytes:
    return data.partition(b"\n")[2] if data.startswith(b'{"merged_from":') else data


def read_journal(files: Files, layout: Layout) -> Iterator[dict[str, Any]]:
    """Return every record of the run in the order in which it was added.

    A driver may be writing and merging meanwhile.
    """
    while True:
        try:
            return iter(_read_once(files, layout))
        except FileNotFoundError:
            # A merge has just removed what was listed: its result is there now.
            if not files.exists(layout.journal):
                raise


def _read_once(files: Files, layout: Layout) -> list[dict[str, Any]]:
    matches = [_SEGMENT.fullmatch(name) for name in files.names(layout.journal)]
    keys = sorted(((int(m[1]), int(m[2])) for m in matches if m), reverse=True)
    kept: list[list[dict[str, Any]]] = []
    replaced = (-1, 0)
    for epoch, number in keys:
        if epoch == replaced[0] and number >= replaced[1]:
            continue
        path = layout.segment(epoch, number)
        records = load_lines(files.read(path), path)
        if records and "merged_from" in records[0]:
            header = records.pop(0)
            if len(records) < header["lines"]:
                continue  # cut short by its driver's death: what it was to replace is still there
            replaced = (epoch, int(header["merged_from"]))
        kept.append(records)
    return [record for records in reversed(kept) for record in records]
