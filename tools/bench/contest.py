"""What several programs have taken for the same on one engine, beside each other."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

from .figures import Figure, unavailable
from .measuring import Failed

__all__ = [
    "CPU_TARGET",
    "RATIO_TARGET",
    "Entry",
    "Sample",
    "Took",
    "beside",
    "figures_of",
    "take",
]

RATIO_TARGET = 1.15
"""How many times longer than by hand ours may take."""
CPU_TARGET = 1.0
"""Milliseconds of CPU that our driver may use for a job."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One round: seconds of wall time, of the driver's CPU where it has one, and calls by tool."""

    seconds: float
    cpu: float | None = None
    calls: Mapping[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Entry:
    """One program, and its rounds."""

    name: str
    jobs: int
    note: str = ""
    samples: list[Sample] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    """What was said in the rounds that failed."""

    @property
    def each(self) -> tuple[float, ...]:
        """Milliseconds a job, by round."""
        return tuple(sample.seconds / self.jobs * 1e3 for sample in self.samples)

    @property
    def cpu(self) -> tuple[float, ...]:
        """Milliseconds of the driver's CPU a job, by round."""
        return tuple(s.cpu / self.jobs * 1e3 for s in self.samples if s.cpu is not None)

    @property
    def calls(self) -> dict[str, float]:
        """How often each tool was called in a round, on average."""
        total: Counter[str] = Counter()
        for sample in self.samples:
            total.update(sample.calls)
        return {tool: count / len(self.samples) for tool, count in total.most_common()}


Took = tuple[float, float | None]
"""Seconds of wall time, and of the driver's CPU."""


def take(entry: Entry, act: Callable[[], Took], calls: Callable[[], Mapping[str, int]]) -> None:
    """Let a program run for one round."""
    try:
        seconds, cpu = act()
    except (Failed, OSError) as error:
        print(f"  {entry.name} failed: {error}", file=sys.stderr)
        entry.failures.append(str(error))
    else:
        entry.samples.append(Sample(seconds, cpu, calls()))


def figures_of(
    case: str,
    hand: Entry,
    ours: Entry,
    others: Sequence[Entry] = (),
    *,
    judged: bool,
    ratio: float | None = RATIO_TARGET,
    cpu: float | None = CPU_TARGET,
) -> list[Figure]:
    """Return the rows: each program, what it takes beside the one by hand, and our driver's CPU."""
    rows = [_row(case, hand), _row(case, ours)]
    if hand.samples and ours.samples:
        rows.append(_ratio(case, ours, hand, ratio, judged=judged))
    if ours.cpu:
        rows.append(_cpu(case, ours, cpu, judged=judged))
    for other in others:
        rows += beside(case, other, hand)
    return rows


def beside(
    case: str, entry: Entry, hand: Entry, ratio: float | None = None, *, judged: bool = True
) -> list[Figure]:
    """Return the rows of one more program, set beside the one by hand."""
    rows = [_row(case, entry)]
    if hand.samples and entry.samples:
        rows.append(_ratio(case, entry, hand, ratio, judged=judged))
    if entry.cpu:
        rows.append(_cpu(case, entry))
    return rows


def _row(case: str, entry: Entry) -> Figure:
    if not entry.samples:
        return unavailable(case, entry.name, ", ".join(set(entry.failures)))
    words = [f"{entry.jobs} jobs, median of {len(entry.samples)}", *filter(None, [entry.note])]
    words += [f"another round: {said}" for said in entry.failures]
    return Figure(
        case=case,
        what=entry.name,
        value=median(entry.each),
        unit="ms a job",
        samples=entry.each,
        note="; ".join([*words, _said(entry.calls)]),
    )


def _said(calls: Mapping[str, float]) -> str:
    return ", ".join(f"{count:.0f} {tool}" for tool, count in calls.items()) or "no calls"


def _ratio(
    case: str, entry: Entry, hand: Entry, target: float | None = None, *, judged: bool = True
) -> Figure:
    return Figure(
        case=case,
        what=f"{entry.name} / {hand.name}",
        value=median(entry.each) / median(hand.each),
        target=target,
        judged=judged,
        note=f"of medians, in turn; of the best {min(entry.each) / min(hand.each):.2f}",
    )


def _cpu(case: str, entry: Entry, target: float | None = None, *, judged: bool = True) -> Figure:
    return Figure(
        case=case,
        what=f"driver CPU, {entry.name}",
        value=median(entry.cpu),
        unit="ms a job",
        target=target,
        judged=judged,
        samples=entry.cpu,
        note="without the tools that it runs",
    )
