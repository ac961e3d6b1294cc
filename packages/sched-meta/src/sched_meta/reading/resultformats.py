"""Rows of results as text for files and other programs: TSV, CSV, JSON lines, GNU parallel's joblog."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from .results import OUTPUTS, JobLogLine

__all__ = ["TIMES", "as_csv", "as_joblog", "as_jsonl", "as_tsv", "iso_time"]

TIMES = frozenset({"queued", "submitted", "started", "ended"})
_OF_ANY_TEXT = frozenset({"reason", *OUTPUTS})
_ESCAPES = str.maketrans({"\\": r"\\", "\n": r"\n", "\t": r"\t", "\r": r"\r"})
_JOBLOG = ("Seq", "Host", "Starttime", "JobRuntime", "Send", "Receive", "Exitval", "Signal")

Rows = Iterable[Mapping[str, Any]]


def iso_time(at: float) -> str:
    """Return a time in ISO 8601, as the clock here shows it, with its zone."""
    return datetime.fromtimestamp(at).astimezone().isoformat(timespec="milliseconds")


def as_tsv(rows: Rows, columns: Sequence[str]) -> Iterator[str]:
    r"""Yield lines of values between tabs; in texts of jobs \n, \t, \r and \\ are written so."""
    yield "\t".join(columns) + "\n"
    for row in rows:
        cells = [
            _cell(name, value).translate(_ESCAPES) if name in _OF_ANY_TEXT else _cell(name, value)
            for name, value in row.items()
        ]
        yield "\t".join(cells) + "\n"


def as_csv(rows: Rows, columns: Sequence[str]) -> Iterator[str]:
    """Yield lines of CSV (RFC 4180, but for line ends); quoted values may hold line ends."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")  # so that both are quoted in values
    writer.writerow(columns)
    yield _taken(text)
    for row in rows:
        writer.writerow([_cell(name, value) for name, value in row.items()])
        yield _taken(text)


def _taken(text: io.StringIO) -> str:
    line = text.getvalue()
    text.seek(0)
    text.truncate()
    return line.removesuffix("\r\n") + "\n"


def as_jsonl(rows: Rows) -> Iterator[str]:
    """Yield a JSON object a line; what is not known is null."""
    for row in rows:
        values = {
            name: iso_time(value) if name in TIMES and value is not None else value
            for name, value in row.items()
        }
        yield json.dumps(values) + "\n"


def as_joblog(log: Iterable[JobLogLine]) -> Iterator[str]:
    """Yield the lines of a joblog that `parallel --resume` and `--retry-failed` read."""
    yield "\t".join((*_JOBLOG, "Command")) + "\n"
    for line in log:
        yield f"{line}\n"


def _cell(name: str, value: Any) -> str:
    if value is None:
        return ""
    return iso_time(value) if name in TIMES else str(value)
