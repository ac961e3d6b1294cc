"""TOML with the lines of its keys, and errors that say what to write instead. Pure text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sched_core.errors import OptionError

__all__ = ["Document", "parse_document"]

KeyPath = tuple[str, ...]

_PART = r"""(?:"(?:[^"\\]|\\.)*"|'[^']*'|[\w-]+)"""
_DOTTED = rf"{_PART}(?:\s*\.\s*{_PART})*"
_HEADER = re.compile(rf"\s*\[\s*({_DOTTED})\s*\]")
_KEY = re.compile(rf"\s*({_DOTTED})\s*=")
_PLACE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)\Z")
_UNQUOTED = re.compile(r"\s*([\w.-]+\s*=)\s*([^\s\"'\[{#=][^\"'#]*?)\s*(?:#.*)?")
_VALUE = re.compile(r"true|false|[+-]?\d+(?:\.\d+)?")


@dataclass(frozen=True, slots=True)
class Document:
    """A file of TOML: its data, and where each key stands."""

    name: str
    data: Mapping[str, Any]
    lines: Mapping[KeyPath, int]

    def where(self, *keys: str) -> str:
        """Return the place of a key, or of the table that holds it, as people read it."""
        for length in range(len(keys), 0, -1):
            if line := self.lines.get(keys[:length]):
                return f"{self.name}, line {line}"
        return self.name


def parse_document(content: bytes, name: str) -> Document:
    """Read TOML. Raises OptionError, which tells the line, and where it can, what to write."""
    import tomllib

    text = _decode(content, name)
    try:
        data = tomllib.loads(text + "\n")  # else an error in the last line tells no place
    except tomllib.TOMLDecodeError as error:
        raise OptionError(_explain(str(error), text, name)) from None
    except RecursionError:
        raise OptionError(f"{name}: no TOML that can be read: it is nested too deeply") from None
    return Document(name, data, _lines(text))


def _decode(content: bytes, name: str) -> str:
    try:
        return content.removeprefix(b"\xef\xbb\xbf").decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise OptionError(f"{name}, line {line}: no UTF-8, which TOML has to be") from None


def _explain(message: str, text: str, name: str) -> str:
    place = _PLACE.search(message)
    what = message[: place.start()] if place else message
    if not place or not place[1]:
        return f"{name}: no TOML: {what} at the end of the file"
    number = int(place[1])
    rows = text.split("\n")
    row = rows[number - 1] if number <= len(rows) else ""
    return f"{name}, line {number}, column {place[2]}: no TOML: {what}{_correction(row)}"


def _correction(row: str) -> str:
    """What the row may have meant: mostly, a text without quotes."""
    match = _UNQUOTED.fullmatch(row.rstrip("\r"))
    if not match or _VALUE.fullmatch(match[2]):
        return ""
    return f'; write {match[1]} "{match[2]}"'


def _lines(text: str) -> dict[KeyPath, int]:
    found: dict[KeyPath, int] = {}
    table: KeyPath = ()
    for number, row in enumerate(text.split("\n"), 1):
        if match := _HEADER.match(row):
            table = _parts(match[1])
            path = table
        elif match := _KEY.match(row):
            path = (*table, *_parts(match[1]))
        else:
            continue
        for part in _prefixes(path):
            found.setdefault(part, number)
    return found


def _prefixes(path: KeyPath) -> Iterator[KeyPath]:
    return (path[:length] for length in range(1, len(path) + 1))


def _parts(dotted: str) -> KeyPath:
    return tuple(part.strip("\"'") for part in re.findall(_PART, dotted))
