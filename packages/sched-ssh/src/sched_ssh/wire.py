"""What driver and agent say to each other: fields that NUL ends down, lines up. Pure."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

from sched_core import AttemptId, Failure
from sched_core.text.usage import UNKNOWN, Usage, parse_usage

__all__ = [
    "Done",
    "Ended",
    "Gone",
    "Hello",
    "Message",
    "Root",
    "SlotDied",
    "Started",
    "Told",
    "Trouble",
    "command",
    "opening",
    "parse_message",
    "request",
    "run_folder",
    "script",
]


@dataclass(frozen=True, slots=True)
class Hello:
    """Who the agent is, and what its host has."""

    pid: int
    ticks: int
    boot: str
    cores: int
    memory: int
    cards: int
    bash: tuple[int, int]
    host: str


@dataclass(frozen=True, slots=True)
class Root:
    """Where the run's folder is on the host."""

    shared: bool
    path: str


@dataclass(frozen=True, slots=True)
class Started:
    """A command has started."""

    attempt: AttemptId
    leader: int


@dataclass(frozen=True, slots=True)
class Ended:
    """An attempt has ended, and is recorded; `records` are the contents of RECORDS where they came."""

    attempt: AttemptId
    rc: int
    failure: Failure | None
    records: Sequence[bytes | None] = ()
    used: Usage = UNKNOWN


@dataclass(frozen=True, slots=True)
class Gone:
    """An attempt's processes are gone, and there is no record."""

    attempt: AttemptId


@dataclass(frozen=True, slots=True)
class SlotDied:
    """The shell of a slot is gone."""

    slot: int


_MOST_CORES = 1 << 16
_ESCAPED = {"0": "\0", "d": "\x1d", "e": "\x1e", "f": "\x1f"}
State = Literal["none", "fence", "running", "gone", "ended", "foreign"]


@dataclass(frozen=True, slots=True)
class Told:
    """What is known of an attempt."""

    attempt: AttemptId
    state: State
    rc: int | None
    failure: Failure | None


@dataclass(frozen=True, slots=True)
class Done:
    """The request of that number is done."""

    number: int


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why the agent cannot go on."""

    text: str


Message = Hello | Root | Started | Ended | Gone | SlotDied | Told | Done | Trouble


def parse_message(line: bytes) -> Message:
    """Read one line. Raises ValueError for what no agent says."""
    try:
        return _parse(line)
    except (ValueError, IndexError, KeyError):
        raise ValueError(f"the agent says {line[:200]!r}") from None


def _parse(line: bytes) -> Message:
    word, _, rest = line.decode("utf-8", "surrogateescape").partition(" ")
    words = rest.split(" ")
    match word:
        case "S":
            return Started(_attempt(words), int(words[2]))
        case "E":
            told, *records = rest.split("\x1f")
            words = [*told.split(" "), "", ""]
            return Ended(
                _attempt(words),
                int(words[2]),
                _failure(words[3]),
                tuple(map(_record, records)),
                parse_usage(words[4]),
            )
        case "a":
            rc = None if words[3] == "-" else int(words[3])
            return Told(_attempt(words), _state(words[2]), rc, _failure(words[4]))
        case "done":
            return Done(int(rest))
        case "G":
            return Gone(_attempt(words))
        case "D":
            return SlotDied(int(rest))
        case "root":
            return Root(words[0] == "1", rest[2:])
        case "error":
            return Trouble(rest)
        case "hello":
            major, minor = words[6].split(".")
            pid, ticks, cores, kib, cards = (int(words[i]) for i in (0, 1, 3, 4, 5))
            bash = (int(major), int(minor))
            return Hello(pid, ticks, words[2], _checked(cores), kib << 10, cards, bash, words[7])
    raise ValueError(word)


def _checked(cores: int) -> int:
    if not 0 < cores <= _MOST_CORES:
        raise ValueError(cores)  # there is to be a place for each
    return cores


def _attempt(words: list[str]) -> AttemptId:
    return AttemptId(int(words[0]), int(words[1]))


def _record(text: str) -> bytes | None:
    if text == "\x1d":
        return None
    first, *rest = text.replace("\x1e", "\n").split("\x1d")
    whole = first + "".join([_ESCAPED[part[0]] + part[1:] for part in rest])
    return whole.encode("utf-8", "surrogateescape")


def _failure(word: str) -> Failure | None:
    return Failure(word) if word not in ("", "-") else None


def _state(word: str) -> State:
    for state in ("none", "fence", "running", "gone", "ended", "foreign"):
        if word == state:
            return state
    raise ValueError(f"the agent knows no state {word!r}")


def request(name: str, *fields: object, lists: Iterable[object] | None = None) -> bytes:
    """Return a request; `lists` are the fields of a list that an empty one ends."""
    parts = [name, *fields, *(lists or ())]
    if lists is not None:
        parts.append("")
    return b"".join([os.fsencode(str(part)) + b"\0" for part in parts])


def run_folder(run: str) -> str:
    """Return the name of the run's folder on hosts that do not share the driver's disk."""
    return f"sched-{run}"


def command(*arguments: str) -> str:
    """Return the command that runs a script given on stdin: one that any login shell understands.

    The arguments are words without anything to quote; all else goes through stdin, where nobody
    who lists processes can see it.
    """
    # --norc: the login shell has run .bashrc already.
    return " ".join(["""bash --norc -pc 'IFS= read -rd "" s; eval "$s"' sched""", *arguments])


def opening(text: bytes) -> bytes:
    """Return a script as that command reads it."""
    return text + b"\0"


@cache
def script(name: str) -> bytes:
    """Return one of this package's scripts."""
    return files(__package__).joinpath(f"{name}.bash").read_bytes()
