"""What jobs write, as a terminal may be shown it: colours, but nothing that moves its cursor."""

from __future__ import annotations

import re

__all__ = ["TerminalText"]

_KEPT = rb"\x1b\[[0-9;:]{0,32}m"
_HARMFUL = re.compile(_KEPT + rb"|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\xc2[\x80-\x9f]")
_BEGUN = re.compile(rb"(?:\x1b(?:\[[0-9;:]{0,32})?|\xc2)\Z")
_RESET = b"\x1b[0m"


class TerminalText:
    """Takes text piece by piece; a `?` stands for each control character that it leaves out."""

    def __init__(self) -> None:
        self._begun = b""
        self._colored = False

    def take(self, piece: bytes) -> bytes:
        """Return what of the text may be shown by now."""
        text = self._begun + piece
        begun = _BEGUN.search(text)
        self._begun = begun[0] if begun else b""
        return _HARMFUL.sub(self._harmless, text[: len(text) - len(self._begun)])

    def end(self) -> bytes:
        """Return the rest; colours end with it."""
        rest = _HARMFUL.sub(self._harmless, self._begun)
        self._begun = b""
        return rest + (_RESET if self._colored else b"")

    def _harmless(self, match: re.Match[bytes]) -> bytes:
        if not match[0].startswith(b"\x1b["):
            return b"?"
        self._colored = True
        return match[0]
