"""Charts as shapes in a square of 100 by 100, which the page stretches, with words around it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from ..wording import count_jobs
from .data import Report, state_of
from .statistics import Histogram, Kind, average_over_time, count_over_time, histogram
from .words import memory_text, span

__all__ = ["Chart", "distributions", "jobs_over_time", "throughput", "waiting_over_time"]

_PARTS, _FEWEST = 120, 8
_RATES = ((1.0, "a second"), (60.0, "a minute"), (3600.0, "an hour"), (86400.0, "a day"))


@dataclass(frozen=True, slots=True)
class Bar:
    """A rectangle that stands on `bottom`, and what is said of it."""

    x: float
    width: float
    bottom: float
    height: float
    kind: str
    title: str


@dataclass(frozen=True, slots=True)
class Area:
    """What lies under a line: the shape, as SVG writes paths."""

    path: str
    kind: str


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart, or only words where nothing is known."""

    title: str
    words: str
    """What it shows, in a sentence."""
    top: str = ""
    """What the upper edge stands for."""
    ticks: tuple[str, ...] = ()
    """What the lower edge stands for, at equal distances."""
    bars: tuple[Bar, ...] = ()
    areas: tuple[Area, ...] = ()
    legend: tuple[tuple[str, str], ...] = field(default=())
    """Kind and words."""

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to draw."""
        return not self.bars and not self.areas


def distributions(report: Report) -> list[Chart]:
    """How long attempts took and waited, and what they used."""
    attempts = report.all_attempts
    return [
        _distribution("Running time", [a.wall for a in attempts], "time"),
        _distribution("Waiting time", [a.waited for a in attempts], "time"),
        _distribution("CPU time", [a.cpu for a in attempts], "time"),
        _distribution("Memory at most", [a.max_rss for a in attempts], "memory"),
    ]


def _distribution(title: str, values: Sequence[float | None], kind: Kind) -> Chart:
    found = histogram((value for value in values if value is not None), kind)
    if found is None:
        return Chart(title, "not known: nobody told it for any job")
    words = span if kind == "time" else memory_text
    known, told = found.spread, len(values)
    sentence = (
        f"median {words(known.median)}, 95% at most {words(known.p95)}, most {words(known.most)}"
    )
    if known.count < told:
        sentence += f"; known for {known.count:,} of {told:,} attempts"
    if found.bins_grow:
        sentence += "; to the right, bars stand for more and more"
    edges = found.edges
    middle = [words(edges[len(edges) // 2])] if len(edges) % 2 else []
    ticks = (words(edges[0]), *middle, words(edges[-1]))
    highest = f"{max(found.bins):,}"
    return Chart(title, sentence, highest, ticks, tuple(_histogram_bars(found, words)))


def _histogram_bars(found: Histogram, words: Callable[[float], str]) -> Iterator[Bar]:
    highest, width = max(found.bins), 100 / len(found.bins)
    for number, count in enumerate(found.bins):
        if count:
            ends = f"{words(found.edges[number])} to {words(found.edges[number + 1])}"
            height = max(100 * count / highest, 1.0)
            title = f"{ends}: {count:,}"
            yield Bar(number * width, width * 0.92, 0.0, height, "plain", title)


# --- over time -----------------------------------------------------------------------------------


def jobs_over_time(report: Report) -> Chart:
    """How many jobs ran, and how many waited, at any time."""
    started = [a for a in report.all_attempts if a.started is not None]
    spans = [(a.started or 0.0, report.end_of(a)) for a in started]
    running = average_over_time(spans, report.begun, report.until, _PARTS)
    ran_on_average = sum(end - start for start, end in spans) / (report.took or 1.0)
    title = "Running jobs"
    if not spans or not report.took:
        return Chart(title, "nothing has run yet")
    top = max(1.0, *running)
    words = f"on average {ran_on_average:,.1f} jobs ran at a time, {max(running):,.0f} at most"
    areas = (Area(_path(running, top), "running"),)
    return Chart(title, words, f"{top:,.0f}", _time_ticks(report), areas=areas)


def waiting_over_time(report: Report) -> Chart:
    """How many jobs waited at any time."""
    spans = [
        (a.queued, a.started if a.started is not None else report.until)
        for a in report.all_attempts
        if a.queued is not None and (a.started is not None or not a.status.final)
    ]
    waiting = average_over_time(spans, report.begun, report.until, _PARTS)
    title = "Waiting jobs"
    if not spans or not report.took or not max(waiting):
        return Chart(title, "no job had to wait")
    top = max(1.0, *waiting)
    words = f"up to {count_jobs(round(max(waiting)))} waited for a place"
    areas = (Area(_path(waiting, top), "waiting"),)
    return Chart(title, words, f"{top:,.0f}", _time_ticks(report), areas=areas)


def _path(values: Sequence[float], top: float) -> str:
    """A staircase, closed along the lower edge."""
    width = 100 / len(values)
    points = [f"M0 100V{_number(100 - 100 * values[0] / top)}"]
    for number, value in enumerate(values):
        height = _number(100 - 100 * value / top)
        points.append(f"V{height}H{_number((number + 1) * width)}")
    return "".join([*points, "V100Z"])


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _time_ticks(report: Report) -> tuple[str, ...]:
    return tuple(span(report.took * share) for share in (0.0, 0.25, 0.5, 0.75, 1.0))


def throughput(report: Report) -> Chart:
    """How many jobs ended, well or not, over time."""
    title = "Jobs that ended"
    ended = [(a.ended, state_of(a) == "finished") for a in report.last_attempts if a.ended]
    if not ended or not report.took:
        return Chart(title, "none has ended yet")
    parts = min(max(len(ended) // 2, _FEWEST), _PARTS // 2)
    finished, others = (
        count_over_time((at for at, ok in ended if ok is well), report.begun, report.until, parts)
        for well in (True, False)
    )
    highest = max(a + b for a, b in zip(finished, others, strict=True))
    rate, unit = _rate(len(ended) / report.took)
    words = f"{rate:,.3g} jobs {unit} on average"
    bars = _stacked(finished, others, highest, report.took / parts)
    legend = (("finished", "finished"), ("failed", "failed or killed"))
    top = f"{highest:,} in {span(report.took / parts)}"
    return Chart(title, words, top, _time_ticks(report), tuple(bars), legend=legend)


def _rate(a_second: float) -> tuple[float, str]:
    for seconds, unit in _RATES:
        if a_second * seconds >= 1:
            return a_second * seconds, unit
    return a_second * 86400, "a day"


def _stacked(
    finished: Sequence[int], others: Sequence[int], highest: int, seconds: float
) -> Iterator[Bar]:
    width = 100 / len(finished)
    for number, (well, badly) in enumerate(zip(finished, others, strict=True)):
        low, high = 100 * well / highest, 100 * badly / highest
        title = f"from {span(number * seconds)} on: {well:,} finished, {badly:,} did not"
        if well:
            yield Bar(number * width, width * 0.92, 0.0, low, "finished", title)
        if badly:
            yield Bar(number * width, width * 0.92, low, high, "failed", title)
