"""How records become bytes and come back. Text keeps bytes that are not UTF-8 (surrogateescape)."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from ..errors import RunCorrupt

__all__ = ["MALFORMED", "dump", "dump_lines", "load", "load_lines"]

_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=True, check_circular=False).encode

MALFORMED = (KeyError, IndexError, TypeError, ValueError, OverflowError, AttributeError)
"""What comes of a record, which is JSON, but none that sched has written."""

_UNREADABLE = (ValueError, RecursionError)
"""What json raises for anything but JSON, also where it is nested too deeply."""


def dump(record: dict[str, Any]) -> bytes:
    """Return a record as one JSON text, ASCII only."""
    return _encode(record).encode("ascii") + b"\n"


def dump_lines(records: Iterable[dict[str, Any]]) -> bytes:
    """Return records as JSON lines."""
    return "".join([f"{_encode(record)}\n" for record in records]).encode("ascii")


def load(data: bytes, source: str) -> dict[str, Any]:
    """Read one record. Raises RunCorrupt, naming `source`, for anything else."""
    try:
        record = json.loads(data)
    except _UNREADABLE as error:
        raise RunCorrupt(f"{source} cannot be read: {error}") from None
    if not isinstance(record, dict):
        raise RunCorrupt(f"{source} cannot be read: it holds no JSON object")
    return record


def load_lines(data: bytes, source: str) -> list[dict[str, Any]]:
    """Read JSON lines; a last line that was cut short (a full disk, a crash) was never said."""
    lines = data.split(b"\n")
    lines.pop()
    whole = _load_together(lines)
    if whole is not None:
        return whole
    return [load(line, f"{source}, line {number}") for number, line in enumerate(lines, 1) if line]


def _load_together(lines: list[bytes]) -> list[dict[str, Any]] | None:
    """Read good lines, in half the time; None where one of them has to be found and named."""
    try:
        records = json.loads(b"[%b]" % b",".join(lines))
    except _UNREADABLE:
        return None
    good = len(records) == len(lines) and all(type(record) is dict for record in records)
    return records if good else None
