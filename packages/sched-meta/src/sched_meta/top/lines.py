"""The end of what a job writes, as lines that a terminal can show."""

from __future__ import annotations

import codecs
from collections import deque

from ..wording import plain

__all__ = ["LastLines"]

_MOST = 2000
_LONGEST = 2000
"""Characters of a line; a file need not have any line ends."""


class LastLines:
    """Takes bytes as they come, and keeps the last lines."""

    def __init__(self) -> None:
        self._lines: deque[str] = deque(maxlen=_MOST)
        self._open = ""
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode

    def feed(self, piece: bytes) -> None:
        """Take the next bytes; what ends in the middle of a character or a line waits for the rest."""
        *whole, rest = (self._open + self._decode(piece)).split("\n")
        self._lines.extend(map(_shown, whole))
        self._open = _latest(rest)[-_LONGEST:]

    def lines(self) -> list[str]:
        """Return the lines, the one that has not ended yet included."""
        return [*self._lines, _shown(self._open)] if self._open else list(self._lines)


def _latest(line: str) -> str:
    """What stands on a line that a program writes over again and again, such as a progress bar."""
    return line[line.rstrip("\r").rfind("\r") + 1 :]


def _shown(line: str) -> str:
    return plain(_latest(line).rstrip("\r").expandtabs()[:_LONGEST])
