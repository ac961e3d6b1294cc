"""What to ask for the next time, from what was used this time."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from sched_core.model.units import format_time

from ..wording import count_of
from .data import Report
from .statistics import Spread, spread
from .usage import Usage
from .words import cores, memory_text, span

__all__ = ["Advice", "advice_on", "memory_option", "time_option"]

_ENOUGH = 5
"""Attempts of which the usage must be known before anything is concluded from it."""
_MARGIN = 1.25
_TIME_MARGIN = 2.0
_WASTE = 0.6
"""Nothing is said to who needs more than that of what was asked for."""
_SHORT = 5.0
_MANY = 100

_MIB, _GIB = 1 << 20, 1 << 30
_MEMORY_STEPS = ((_GIB, 128 * _MIB), (2 * _GIB, 512 * _MIB), (16 * _GIB, _GIB), (0, 4 * _GIB))
_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_TIMES = (
    *(minutes * _MINUTE for minutes in (1, 2, 5, 10, 15, 20, 30, 45)),
    *(hours * _HOUR for hours in (1, 2, 3, 4, 6, 8, 12)),
)


@dataclass(frozen=True, slots=True)
class Advice:
    """Something to do otherwise: why, and the option to type."""

    topic: str
    text: str
    option: str = ""


def advice_on(report: Report, found: Sequence[Usage]) -> list[Advice]:
    """Return what may be worth changing, resource by resource; nothing where all is well."""
    advice = [piece for usage in found for piece in _on_usage(usage)]
    return advice + list(_on_short_jobs(report))


def _on_usage(usage: Usage) -> Iterator[Advice]:
    if usage.ran_out:
        yield _RAN_OUT[usage.resource](usage)
    elif usage.used and usage.used.count >= _ENOUGH:
        yield from _RULES[usage.resource](usage.asked, usage.used)


def _ran_out_of_memory(usage: Usage) -> Advice:
    attempts = count_of(usage.ran_out, "attempt")
    if usage.asked is None:
        text = f"{attempts} ran out of memory, and none was asked for"
        return Advice("memory", text, "--memory 4G,8G,16G")
    steps = ",".join(memory_option(usage.asked * factor) for factor in (1, 2, 4))
    text = f"{attempts} ran out of {memory_text(usage.asked)}; let only those have more"
    return Advice("memory", text, f"--memory {steps}")


def _ran_out_of_time(usage: Usage) -> Advice:
    limit = usage.asked or (usage.used.most if usage.used else _HOUR)
    steps = f"{format_time(limit)},{time_option(limit * 4)}"
    text = f"{count_of(usage.ran_out, 'attempt')} ran into the limit of {span(limit)};"
    return Advice("time", f"{text} let only those have more", f"--time {steps}")


def _on_memory(asked: float | None, used: Spread) -> Iterator[Advice]:
    enough, usual = _memory(used.most * _MARGIN), _memory(used.p99 * _MARGIN)
    if asked is None or enough > asked * _WASTE:
        return
    steps = _option(usual) if usual == enough else f"{_option(usual)},{_option(enough)}"
    text = f"asked {memory_text(asked)}, {_in_words(used, memory_text)}"
    yield Advice("memory", text, f"--memory {steps}")


def _on_time(asked: float | None, used: Spread) -> Iterator[Advice]:
    enough = _time(used.most * _TIME_MARGIN)
    if asked is not None and enough <= asked * _WASTE:
        text = f"asked {span(asked)}, {_in_words(used, span)}"
        yield Advice("time", text, f"--time {format_time(enough)}")


def _on_cpus(asked: float | None, used: Spread) -> Iterator[Advice]:
    needed, usual = _whole_cores(used.p99, 0.1), _whole_cores(used.median, 0.3)
    if asked is not None and needed <= asked * _WASTE:
        text = f"asked {asked:g}, {_in_words(used, cores)}"
        yield Advice("cpus", text, f"--cpus {needed}")
    elif usual > (asked or 1):
        asked_for = "not asked for" if asked is None else f"asked {asked:g}"
        text = f"{asked_for}, half of the jobs used {cores(used.median)} or more: they compete"
        yield Advice("cpus", text, f"--cpus {usual}")


_RULES: dict[str, Callable[[float | None, Spread], Iterator[Advice]]] = {
    "cpus": _on_cpus,
    "memory": _on_memory,
    "time": _on_time,
}
_RAN_OUT: dict[str, Callable[[Usage], Advice]] = {
    "memory": _ran_out_of_memory,
    "time": _ran_out_of_time,
}


def _on_short_jobs(report: Report) -> Iterator[Advice]:
    walls = spread(a.wall for a in report.all_attempts if a.wall is not None)
    if walls is None or walls.count < _MANY or walls.median >= _SHORT:
        return
    if report.run.scheduler == "local":
        return  # a job costs little there
    text = f"half of the jobs took {span(walls.median)} or less:"
    yield Advice("length", f"{text} the scheduler has less to do if each job takes several inputs")


def _in_words(used: Spread, words: Callable[[float], str]) -> str:
    if words(used.p99) == words(used.most):
        return f"{used.count:,} jobs used at most {words(used.most)}"
    return f"99% of the jobs used at most {words(used.p99)}, the most was {words(used.most)}"


def _whole_cores(number: float, tolerance: float) -> int:
    return max(1, math.ceil(number - tolerance))


def memory_option(size: float) -> str:
    """An amount for --memory that is at least `size` bytes, and as people write it."""
    return _option(_memory(size))


def _option(size: int) -> str:
    return f"{size // _GIB}G" if size % _GIB == 0 else f"{size // _MIB}M"


def _memory(size: float) -> int:
    step = next(step for below, step in _MEMORY_STEPS if size <= below or not below)
    return max(1, math.ceil(size / step)) * step


def time_option(seconds: float) -> str:
    """A limit for --time that is at least so many seconds, and as people write it."""
    return format_time(_time(seconds))


def _time(seconds: float) -> int:
    rounded = next((time for time in _TIMES if time >= seconds), None)
    return rounded or math.ceil(seconds / _DAY) * _DAY
