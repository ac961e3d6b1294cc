"""What jobs write, as a terminal may be shown it: colours, but nothing that moves its cursor."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

__all__ = ["TerminalText", "shown"]

_COLOR = rb"\x1b\[[0-9;:]{0,32}m"
# What turns the direction of all that follows would have a line read as another one.
_TURNS = rb"\xe2\x80[\xaa-\xae]|\xe2\x81[\xa6-\xa9]"
_CHARACTERS = (
    rb"(?:\xc2[\xa0-\xbf]|[\xc3-\xdf][\x80-\xbf]"
    rb"|[\xe0\xe1\xe3-\xef][\x80-\xbf]{2}|\xe2(?!\x80[\xaa-\xae]|\x81[\xa6-\xa9])[\x80-\xbf]{2}"
    rb"|[\xf0-\xf4][\x80-\xbf]{3})+"
)
# A byte of 80 to 9f that is no part of a character steers terminals of one byte a character.
_CONTROL = rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\xc2[\x80-\x9f]|[\x80-\x9f]"
_PARTS = re.compile(
    rb"(" + _COLOR + rb")|" + _CHARACTERS + rb"|(" + _TURNS + rb"|" + _CONTROL + rb")"
)
_BEGUN = re.compile(
    rb"(?:\x1b(?:\[[0-9;:]{0,32})?|[\xc2-\xdf]|[\xe0-\xef][\x80-\xbf]?|[\xf0-\xf4][\x80-\xbf]{0,2}|\r)\Z"
)
_RETURN = re.compile(rb"\r(?!\n)")
_RESET = b"\x1b[0m"


class TerminalText:
    """Takes text piece by piece; a `?` stands for each control character that it leaves out.

    With `tagged` nothing is written over what stands at the beginning of a line.
    """

    def __init__(self, *, tagged: bool = False) -> None:
        self._begun = b""
        self._colored = False
        self._tagged = tagged

    def take(self, piece: bytes) -> bytes:
        """Return what of the text may be shown by now."""
        text = self._begun + piece
        begun = _BEGUN.search(text)
        self._begun = begun[0] if begun else b""
        return self._harmless(text[: len(text) - len(self._begun)])

    def end(self) -> bytes:
        """Return the rest; colours end with it."""
        rest = self._harmless(self._begun)
        self._begun = b""
        return rest + (_RESET if self._colored else b"")

    def _harmless(self, text: bytes) -> bytes:
        text = _PARTS.sub(self._shown, text)
        return _RETURN.sub(b"?", text) if self._tagged else text

    def _shown(self, match: re.Match[bytes]) -> bytes:
        color, harmful = match.groups()
        self._colored = self._colored or color is not None
        return b"?" if harmful is not None else match[0]


def shown(pieces: Iterable[bytes], *, tagged: bool = False) -> Iterator[bytes]:
    """Yield the whole text as a terminal may be shown it."""
    text = TerminalText(tagged=tagged)
    for piece in pieces:
        yield text.take(piece)
    yield text.end()
