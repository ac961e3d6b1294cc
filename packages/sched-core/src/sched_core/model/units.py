"""Amounts of memory and time as people write them."""

from __future__ import annotations

import math
import re
from datetime import timedelta
from decimal import ROUND_CEILING, Decimal
from typing import TypeVar

from sched_core.errors import OptionError

__all__ = ["format_memory", "format_size", "format_time", "parse_memory", "parse_time"]

_Number = TypeVar("_Number", int, float, Decimal)

_PREFIXES = "KMGTPE"

# One letter is binary, as in Slurm, Grid Engine and docker; with a B the SI standard holds.
_MEMORY_UNITS = (
    {"b": 1}
    | {letter.lower(): 1024**i for i, letter in enumerate(_PREFIXES, 1)}
    | {f"{letter}iB".lower(): 1024**i for i, letter in enumerate(_PREFIXES, 1)}
    | {f"{letter}B".lower(): 1000**i for i, letter in enumerate(_PREFIXES, 1)}
)
_MEMORY_EXAMPLES = "write for example '4 GiB', '500 MB'"

_TIME_UNITS = {
    "d": (86400, "d day days"),
    "h": (3600, "h hr hrs hour hours"),
    "m": (60, "m min mins minute minutes"),
    "s": (1, "s sec secs second seconds"),
}
_SECONDS = {name: size for size, names in _TIME_UNITS.values() for name in names.split()}
_TIME_EXAMPLES = "write for example '90m', '1h30m', '2-12:00:00'"

_NUMBER = r"[0-9]{1,30}(?:\.[0-9]{1,30})?|\.[0-9]{1,30}"
_AMOUNT = re.compile(rf"({_NUMBER})\s*([^\W\d_]*)")
_PLAIN = re.compile(_NUMBER)
_CLOCK = re.compile(
    r"(?:(?P<days>[0-9]{1,9})-)?(?P<hours>[0-9]{1,9})"
    r"(?::(?P<minutes>[0-5]?[0-9])(?::(?P<seconds>[0-5]?[0-9](?:\.[0-9]{1,9})?))?)?"
)


def parse_memory(value: float | str, name: str = "memory") -> int:
    """The number of bytes that `value` stands for, rounded up.

    A number is bytes. A text needs a unit: one letter is binary (`4G` and `4 GiB` are 4 * 2**30),
    with a B it is decimal (`4 GB` is 4 * 10**9); case and spaces do not matter.

    Raises OptionError, which calls the value `name`, for anything else and for what is not above 0.
    """
    if isinstance(value, str):
        return _memory_of_text(value, name)
    _positive(_number(value, name, _MEMORY_EXAMPLES), value, name)
    return math.ceil(value)


def _memory_of_text(value: str, name: str) -> int:
    text, sign = _unsigned(value)
    match = _AMOUNT.fullmatch(text)
    if match is None:
        raise _error(name, value, "is no amount", _MEMORY_EXAMPLES)
    number, unit = match.groups()
    if not unit:
        raise _error(name, value, "has no unit", _MEMORY_EXAMPLES)
    if unit.lower() not in _MEMORY_UNITS:
        raise _error(name, value, f"{unit!r} is no unit", _MEMORY_EXAMPLES)
    exact = _positive(sign * Decimal(number), value, name) * _MEMORY_UNITS[unit.lower()]
    return int(exact.to_integral_value(ROUND_CEILING))


def parse_time(value: float | str | timedelta, name: str = "time") -> float:
    """The seconds that `value` stands for.

    A number, also as text, is seconds. Texts are `90m`, `1h30m`, `2 days`, `1.5h`, the clock
    `HH:MM:SS`, and Slurm's `D-HH`, `D-HH:MM`, `D-HH:MM:SS`. `MM:SS` is refused, since half of the
    tools read it as `HH:MM`.

    Raises OptionError, which calls the value `name`, for anything else and for what is not above 0.
    """
    if isinstance(value, timedelta):
        return _positive(value.total_seconds(), value, name)
    if not isinstance(value, str):
        return _positive(_number(value, name, _TIME_EXAMPLES), value, name)
    text, sign = _unsigned(value)
    if _PLAIN.fullmatch(text):
        seconds = float(text)
    elif ":" in text or "-" in text:
        seconds = _time_of_clock(text, value, name)
    else:
        seconds = _time_of_units(text.lower(), value, name)
    return _positive(sign * seconds, value, name)


def _time_of_clock(text: str, value: str, name: str) -> float:
    match = _CLOCK.fullmatch(text)
    if match is None:
        raise _error(name, value, "is no time", _TIME_EXAMPLES)
    days, hours, minutes, seconds = match.groups()
    if days is None and seconds is None:
        raise _error(name, value, "may be hours or minutes", _TIME_EXAMPLES)
    if days is not None and int(hours) > 23:
        raise _error(name, value, "has a day of more than 24 hours", _TIME_EXAMPLES)
    whole = int(days or 0) * 86400 + int(hours) * 3600 + int(minutes or 0) * 60
    return whole + float(seconds or 0)


def _time_of_units(text: str, value: str, name: str) -> float:
    total, smallest, position = Decimal(0), math.inf, 0
    while position < len(text):
        match = _AMOUNT.match(text, position)
        if match is None:
            raise _error(name, value, "is no time", _TIME_EXAMPLES)
        number, unit = match.groups()
        if unit not in _SECONDS:
            raise _error(
                name, value, f"{unit!r} is no unit" if unit else "misses a unit", _TIME_EXAMPLES
            )
        if _SECONDS[unit] >= smallest:
            raise _error(name, value, "does not go from large units to small ones", _TIME_EXAMPLES)
        smallest = _SECONDS[unit]
        total += Decimal(number) * _SECONDS[unit]
        position = _skip_spaces(text, match.end())
    if not text:
        raise _error(name, value, "is empty", _TIME_EXAMPLES)
    return float(total)


def _skip_spaces(text: str, position: int) -> int:
    return len(text) - len(text[position:].lstrip())


def format_memory(size: int) -> str:
    """`size` bytes for people, as in '4 GiB', '1.5 GiB', '500 MB'; rounded to two decimals.

    Binary units are used unless only a decimal one is exact.
    """
    binary, exact = _in_unit(size, 1024, "{}iB")
    if exact:
        return binary
    decimal, exact = _in_unit(size, 1000, "{}B")
    return decimal if exact else binary


def format_size(size: int) -> str:
    """`size` bytes that were counted, as in '1.5 GiB': always in binary units, so that sizes compare."""
    return _in_unit(size, 1024, "{}iB")[0]


def _in_unit(size: int, base: int, unit: str) -> tuple[str, bool]:
    power = 0
    while size >= base ** (power + 1) and power < len(_PREFIXES):
        power += 1
    scale = base**power
    hundredths = round(size * 100 / scale)
    label = unit.format(_PREFIXES[power - 1]) if power else "B"
    return f"{_shortest(hundredths / 100, 2)} {label}", hundredths * scale == size * 100


def format_time(seconds: float) -> str:
    """`seconds` for people, as in '45s', '1h30m', '2d12h', '0.25s'; rounded to milliseconds."""
    if seconds < 0:
        return "-" + format_time(-seconds)
    rest = round(seconds * 1000)
    text = ""
    for unit, (size, _) in _TIME_UNITS.items():
        if unit == "s":
            break
        count, rest = divmod(rest, size * 1000)
        text += f"{count}{unit}" if count else ""
    return text + (f"{_shortest(rest / 1000, 3)}s" if rest or not text else "")


def _shortest(number: float, decimals: int) -> str:
    return f"{number:.{decimals}f}".rstrip("0").rstrip(".")


def _unsigned(value: str) -> tuple[str, int]:
    text = value.strip()
    return (text[1:].lstrip(), -1) if text.startswith("-") else (text, 1)


def _number(value: object, name: str, examples: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise OptionError(f"{name} {value!r} is neither a number nor a text; {examples}")
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _positive(number: _Number, value: object, name: str) -> _Number:
    if not (number > 0 and number != math.inf):
        raise OptionError(f"{name} {value!r} must be a number above 0")
    return number


def _error(name: str, value: str, problem: str, examples: str) -> OptionError:
    joint = ":" if problem.startswith("'") else ""
    return OptionError(f"{name} {value!r}{joint} {problem}; {examples}")
