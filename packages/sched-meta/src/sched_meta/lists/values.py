"""The sources of values behind a command: `:::`, `:::+`, `::::` and `::::+`."""

from __future__ import annotations

import itertools
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import prod

from sched_core.errors import OptionError

__all__ = ["Sources", "read_bytes", "split_command"]

_MARKS = frozenset({":::", ":::+", "::::", "::::+"})


@dataclass(frozen=True, slots=True)
class _Source:
    mark: str
    values: list[str]


class Sources:
    """Rows of values: each source multiplies the rows, and a `+` source goes along with the last."""

    names: Sequence[str] = ()

    def __init__(self, sources: Sequence[_Source] = ()) -> None:
        self.width = len(sources)
        self._groups = _groups(sources)

    def __len__(self) -> int:
        return prod(len(group[0]) for group in self._groups)

    def rows(self) -> Iterator[tuple[str, ...]]:
        """Yield the rows in GNU parallel's order: the last source changes fastest."""
        for parts in itertools.product(*(list(zip(*g, strict=True)) for g in self._groups)):
            yield tuple(itertools.chain.from_iterable(parts))


def split_command(
    words: Sequence[str], read: Callable[[str], bytes] | None = None
) -> tuple[list[str], Sources]:
    """Part what stands behind `--` into the command and its sources of values.

    Raises OptionError where a source is empty, cannot be read or has no partner.
    """
    command = list(itertools.takewhile(lambda word: word not in _MARKS, words))
    sources: list[_Source] = []
    rest = list(words[len(command) :])
    while rest:
        mark = rest.pop(0)
        given = list(itertools.takewhile(lambda word: word not in _MARKS, rest))
        del rest[: len(given)]
        sources += _sources(mark, given, read or read_bytes)
    return command, Sources(sources)


def read_bytes(name: str) -> bytes:
    """Return what a file holds, `-` being standard input. Raises OptionError where it cannot."""
    if name == "-":
        return sys.stdin.buffer.read()
    try:
        with open(name, "rb") as file:
            return file.read()
    except OSError as error:
        raise OptionError(f"cannot read {name}: {error.strerror}") from None


def _sources(mark: str, given: list[str], read: Callable[[str], bytes]) -> list[_Source]:
    if not given:
        raise OptionError(f"{mark} has no {'files' if '::::' in mark else 'values'} behind it")
    if mark.startswith("::::"):
        return [_Source(mark, _lines(name, read(name))) for name in given]
    return [_Source(mark, given)]


def _lines(name: str, content: bytes) -> list[str]:
    if b"\0" in content:
        raise OptionError(f"{name} holds NUL bytes: a file of values is text, one value a line")
    lines = [os.fsdecode(line.removesuffix(b"\r")) for line in content.split(b"\n")]
    if not lines[-1]:
        lines.pop()
    if not lines:
        raise OptionError(f"{name} is empty: a file of values holds one value a line")
    return lines


def _groups(sources: Sequence[_Source]) -> list[list[list[str]]]:
    groups: list[list[list[str]]] = []
    for source in sources:
        if not source.mark.endswith("+"):
            groups.append([source.values])
            continue
        if not groups:
            raise OptionError(
                f"{source.mark} goes along with a source before it, and there is none"
            )
        partner = groups[-1][0]
        # GNU parallel drops what is left over; jobs that vanish unseen help nobody.
        if len(partner) != len(source.values):
            raise OptionError(
                f"{source.mark} has {len(source.values)} values and the source it goes along with"
                f" has {len(partner)}: they must be as many"
            )
        groups[-1].append(source.values)
    return groups
