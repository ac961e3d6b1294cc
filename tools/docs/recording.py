"""Types commands into a shell on a terminal, and keeps what is seen there from moment to moment."""

from __future__ import annotations

import os
import pty
import select
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Frame", "Line", "Span", "record"]

# What is typed stands out, and what is printed does not.
_PLAIN = "\033[0m"
_PROMPT = r"\[\033[1;32m\]$\[\033[0;1m\] "


@dataclass(frozen=True, slots=True)
class Span:
    """Text of one look. `colour` is a name such as `red`, or `default`."""

    text: str
    colour: str = "default"
    bold: bool = False


Line = tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Frame:
    """What the terminal showed, and for how many seconds."""

    lines: tuple[Line, ...]
    seconds: float


def record(
    commands: Sequence[str],
    folder: Path,
    environment: Mapping[str, str],
    *,
    columns: int = 80,
    rows: int = 25,
    pause: float = 1.6,
) -> list[Frame]:
    """Type the commands one after the other; return what is seen, with a pause after each."""
    with closing(_Terminal(folder, environment, columns, rows)) as terminal:
        frames = [*terminal.until_prompt()]
        for command in commands:
            frames += terminal.typed(command)
            frames += terminal.until_prompt()
            frames.append(Frame(terminal.lines(), pause))
    return frames


class _Terminal:
    def __init__(
        self, folder: Path, environment: Mapping[str, str], columns: int, rows: int
    ) -> None:
        import pyte

        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        size = {"COLUMNS": str(columns), "LINES": str(rows)}
        self._pid, self._there = pty.fork()
        if not self._pid:
            os.chdir(folder)
            own = {"TERM": "xterm-256color", "PS1": _PROMPT, "PS0": _PLAIN, "HISTFILE": ""}
            os.execvpe("bash", ["bash", "--norc", "--noprofile"], {**environment, **own, **size})
        _resize(self._there, columns, rows)

    def typed(self, command: str) -> Iterator[Frame]:
        """Type a command, a few letters at a time, as a person would."""
        for place in range(0, len(command), 3):
            os.write(self._there, command[place : place + 3].encode())
            self._read(0.05)
            yield Frame(self.lines(), 0.09)
        os.write(self._there, b"\n")

    def until_prompt(self) -> Iterator[Frame]:
        """Look until the shell waits for the next command."""
        before, since = self.lines(), time.monotonic()
        while self._read(0.1) or not self._waits():
            if (lines := self.lines()) != before:
                now = time.monotonic()
                yield Frame(before, now - since)
                before, since = lines, now

    def lines(self) -> tuple[Line, ...]:
        return tuple(
            _line(self._screen.buffer[y], self._screen.columns) for y in range(self._screen.lines)
        )

    def close(self) -> None:
        """Hang up: the shell ends, and so does what it runs, if a recording was broken off."""
        os.close(self._there)
        os.waitpid(self._pid, 0)

    def _read(self, seconds: float) -> bool:
        """Take what comes within that time; return whether anything did."""
        if not select.select([self._there], [], [], seconds)[0]:
            return False
        self._stream.feed(os.read(self._there, 65536))
        return True

    def _waits(self) -> bool:
        cursor = self._screen.cursor
        line = self._screen.display[cursor.y]
        return line[: cursor.x] == "$ " and not line[cursor.x :].strip()


def _resize(terminal: int, columns: int, rows: int) -> None:
    import termios

    termios.tcsetwinsize(terminal, (rows, columns))


def _line(cells: Any, columns: int) -> Line:
    spans: list[Span] = []
    for x in range(columns):
        cell = cells[x]
        if spans and (spans[-1].colour, spans[-1].bold) == (cell.fg, cell.bold):
            spans[-1] = Span(spans[-1].text + cell.data, cell.fg, cell.bold)
        else:
            spans.append(Span(cell.data, cell.fg, cell.bold))
    if spans[-1].colour == "default":
        spans[-1] = Span(spans[-1].text.rstrip(), spans[-1].colour, spans[-1].bold)
    return tuple(span for span in spans if span.text)
