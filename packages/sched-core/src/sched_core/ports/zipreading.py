"""Reading the directory of a zip, and single files of it, without an object for each of its files.

The standard library's ZipFile makes all of them before it gives one: for the tens of thousands of small
files in an archive that takes longer than all else. Format: PKWARE's APPNOTE.TXT, sections 4.3 and 4.5.3.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator
from typing import NamedTuple

__all__ = [
    "BadArchive",
    "Part",
    "Record",
    "content",
    "directory",
    "name_of",
    "parse_record",
    "records",
]

Part = Callable[[int, int], bytes]
"""Reads from an offset on up to that many bytes of the archive."""

_END = struct.Struct("<4s4H2LH")
_END_64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR = struct.Struct("<4sLQL")
_RECORD = struct.Struct("<4s6H3L5H2L")
_LENGTH, _LENGTHS = struct.Struct("<H"), struct.Struct("<3H")
_LOCAL = struct.Struct("<4s5H3L2H")
_FIELD = struct.Struct("<2H")
_TAIL = _END_64.size + _LOCATOR.size + _END.size
_STORED, _DEFLATED = 0, 8
_ENCRYPTED = 1
_IN_FIELD = 0xFFFFFFFF
_PIECE = 1 << 18
_ROOM = 512
"""Bytes that a file's name and fields take up in front of it, as a rule."""


class BadArchive(ValueError):
    """It is no zip, or not as sched writes them."""


class Record(NamedTuple):
    """What the directory says of a file."""

    method: int
    crc: int
    packed: int
    """Bytes in the archive."""
    size: int
    offset: int
    comment: bytes


def directory(part: Part, size: int) -> bytes:
    """Return the directory of an archive of that size. Raises BadArchive."""
    tail = part(max(0, size - _TAIL), _TAIL)
    if len(tail) < _END.size or tail[-_END.size :][:4] != b"PK\5\6":
        raise BadArchive("its end is missing")
    *_, length, offset, _ = _END.unpack(tail[-_END.size :])
    if len(tail) == _TAIL and tail[_END_64.size :][:4] == b"PK\6\7" and tail[:4] == b"PK\6\6":
        *_, length, offset = _END_64.unpack(tail[: _END_64.size])
    found = part(offset, length) if offset + length <= size else b""
    if len(found) != length:
        raise BadArchive("its directory is cut short")
    return found


def records(data: bytes) -> Iterator[tuple[bytes, int]]:
    """Yield name and position of each record of a directory. Raises BadArchive."""
    position = 0
    while position < len(data):
        if data[position : position + 4] != b"PK\1\2" or position + _RECORD.size > len(data):
            raise BadArchive("its directory makes no sense")
        name, extra, comment = _LENGTHS.unpack_from(data, position + 28)
        start = position + _RECORD.size
        yield data[start : start + name], position
        position = start + name + extra + comment


def name_of(data: bytes, position: int) -> str:
    """Return the name in the record at that position; what is no text in it is replaced."""
    start = position + _RECORD.size
    (length,) = _LENGTH.unpack_from(data, position + 28)
    return data[start : start + length].decode("utf-8", "replace")


def parse_record(data: bytes, position: int) -> Record:
    """Read the record at that position of a directory. Raises BadArchive."""
    fields = _RECORD.unpack_from(data, position)
    flags, method, crc, packed, size = fields[3], fields[4], *fields[7:10]
    name, extra, comment, offset = *fields[10:13], fields[16]
    start = position + _RECORD.size + name
    wide = _wide(data[start : start + extra], [size, packed, offset])
    if flags & _ENCRYPTED or method not in (_STORED, _DEFLATED):
        raise BadArchive("a file in it is encrypted, or compressed in another way")
    text = data[start + extra : start + extra + comment]
    return Record(method, crc, wide[1], wide[0], wide[2], text)


def _wide(extra: bytes, numbers: list[int]) -> list[int]:
    """Return the numbers, those from the zip64 field that have no room in the record."""
    found = _field(extra, 1)
    for place, number in enumerate(numbers):
        if number == _IN_FIELD and found:
            numbers[place], found = int.from_bytes(found[:8], "little"), found[8:]
    return numbers


def _field(extra: bytes, wanted: int) -> bytes:
    while len(extra) >= _FIELD.size:
        kind, length = _FIELD.unpack_from(extra)
        if kind == wanted:
            return extra[_FIELD.size : _FIELD.size + length]
        extra = extra[_FIELD.size + length :]
    return b""


def content(part: Part, record: Record) -> Iterator[bytes]:
    """Yield the content of a file piece by piece; never more than the directory says it has.

    Raises BadArchive, at its end where the sum is not the one that it should be.
    """
    size = crc = 0
    for piece in _inflated(part, record) if record.method == _DEFLATED else _raw(part, record):
        size += len(piece)
        crc = zlib.crc32(piece, crc)
        if size > record.size:
            break
        yield piece
    if size != record.size or crc != record.crc:
        raise BadArchive("a file in it is not what was packed")


def _raw(part: Part, record: Record) -> Iterator[bytes]:
    head = part(record.offset, _LOCAL.size + _ROOM + min(record.packed, _PIECE))
    if head[:4] != b"PK\3\4" or len(head) < _LOCAL.size:
        raise BadArchive("a file in it is not where it should be")
    name, extra = _LOCAL.unpack_from(head)[-2:]
    start = _LOCAL.size + name + extra
    piece = head[start : start + record.packed]
    left = record.packed - len(piece)
    at = record.offset + start + len(piece)
    while piece:
        yield piece
        piece = part(at, min(left, _PIECE)) if left else b""
        at, left = at + len(piece), left - len(piece)


def _inflated(part: Part, record: Record) -> Iterator[bytes]:
    inflate = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        for piece in _raw(part, record):
            rest = piece
            while rest and not inflate.eof:
                yield inflate.decompress(rest, _PIECE)
                rest = inflate.unconsumed_tail
        yield inflate.flush()
    except zlib.error as error:
        raise BadArchive(str(error)) from None
