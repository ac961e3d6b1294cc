"""What the journal tells, in short, beside it: so that a run of many jobs is looked at in no time.

The journal stays the only truth. A summary names the segments that it was made of, and is believed
as long as they are what the journal begins with; what it holds beyond them is read as ever. Whoever
acts on a run reads all of its journal.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import astuple
from typing import Any
from zlib import crc32

from ..errors import RunCorrupt
from ..ports.files import Entry, Files
from .layout import SUMMARY, Layout
from .reader import JournalReader, SegmentRead, read_journal, segment_key
from .records import MALFORMED, dump, load
from .state import replay
from .tally import Inexact, Tally

__all__ = ["Summarizer", "read_tally"]

_VERSION = 1
_LEAST = 1 << 20
"""Bytes of records that are read as they are: a run with fewer of them has no summary."""
_MOST_TOLD = 10_000
"""Jobs that have failed or are at work; a run with more of them gets no summary any more."""


class Summarizer:
    """Writes summaries of a journal that grows: seldom enough that they cost next to nothing.

    Its calls block, one at a time.
    """

    def __init__(
        self, files: Files, layout: Layout, tally: Tally, earlier: Sequence[SegmentRead]
    ) -> None:
        """Begin with what earlier drivers have left: their segments, and the tally of these."""
        self._files = files
        self._layout = layout
        self._tally: Tally | None = tally
        self._earlier = earlier
        self._size = self._unsaid = sum(read.size for read in earlier)
        self._next = _LEAST

    def take(self, entries: Iterable[Mapping[str, Any]], size: int) -> None:
        """Take what was added to the journal, and how many bytes that are."""
        self._size += size
        self._unsaid += size
        if self._tally is not None:
            try:
                self._tally.take(entries)
            except Inexact:
                self._tally = None
            else:
                if self._tally.told > _MOST_TOLD:
                    self._tally = None  # it would take up as much as what it stands for

    def is_due(self, *, last: bool = False) -> bool:
        """Tell whether enough was added since the last summary; in the end, whether anything was."""
        if self._tally is None or self._size < _LEAST:
            return False
        return self._unsaid > 0 if last else self._unsaid >= self._next

    def write(self, own: Iterable[SegmentRead]) -> None:
        """Write a summary of the journal; `own` are the segments that are not earlier drivers'.

        Never essential: one that cannot be written costs its readers time.
        """
        if self._tally is None:
            return
        data = _dump([*self._earlier, *own], self._tally)
        # Whoever reads it has to read what was added since, too: that is not to take much longer.
        self._unsaid, self._next = 0, max(_LEAST, 2 * len(data))
        with suppress(OSError):
            self._files.write(self._layout.summary, data)


def _dump(known: Sequence[SegmentRead], tally: Tally) -> bytes:
    segments = [astuple(read) for read in known]
    body = dump({"version": _VERSION, "segments": segments, "jobs": tally.to_json()})
    return b"%08x\n" % crc32(body) + body


def _load(data: bytes, source: str) -> tuple[list[SegmentRead], Tally] | None:
    """Return what a summary is made of; None for one that is damaged, or of another version."""
    head, _, body = data.partition(b"\n")
    if head != b"%08x" % crc32(body):
        return None
    try:
        record = load(body, source)
        if record["version"] != _VERSION:
            return None
        known = [SegmentRead(*segment) for segment in record["segments"]]
        return known, Tally.from_json(record["jobs"])
    except (RunCorrupt, Inexact, *MALFORMED):
        return None


def read_tally(files: Files, layout: Layout) -> Tally:
    """Return what the journal tells of the run's jobs, in short. Blocks.

    A driver may be writing meanwhile. Raises OSError, RunCorrupt.
    """
    try:
        return _read(files, layout)
    except Inexact:
        return Tally.of(replay(read_journal(files, layout)).values())


def _read(files: Files, layout: Layout) -> Tally:
    names = files.names(layout.journal)
    summed, tally = _read_summary(files, layout) if SUMMARY in names else ([], Tally())
    entries = files.entries(layout.journal) if summed else {}
    reader = JournalReader(files, layout, summed)
    records, anew = reader.read_new(names)
    if not anew and not _are_there(summed, reader.known, entries):
        records, anew = JournalReader(files, layout).read_new()
    if anew:
        tally = Tally()
    tally.take(records)
    return tally


def _read_summary(files: Files, layout: Layout) -> tuple[list[SegmentRead], Tally]:
    """Return the segments that are summed up, and what they tell; none without a good summary."""
    data = files.read_many([layout.summary])[0]
    found = None if data is None else _load(data, layout.summary)
    return ([], Tally()) if found is None else found


def _are_there(
    summed: Iterable[SegmentRead], known: Sequence[SegmentRead], entries: Mapping[str, Entry]
) -> bool:
    """Tell whether the segments that were summed up look as they did then; what they were merged into
    was compared with them, and is known in their place.
    """
    summary = entries.get(SUMMARY)
    if summary is None:
        return False
    found = {
        segment_key(name): entry.size
        for name, entry in entries.items()
        if entry.modified <= summary.modified
    }
    return all(found.get(read.key) == read.end for read in summed if read in known)
