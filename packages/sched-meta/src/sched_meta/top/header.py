"""The lines above the lists: how far a run is, in colours of the terminal's own."""

from __future__ import annotations

from rich.text import Text

from ..wording import duration, pace
from .model import Counts, Tab
from .pace import sparkline

__all__ = ["bar", "pace_line", "states_line", "tabs_line"]

STYLES = {
    "finished": "green",
    "failed": "bold red",
    "killed": "magenta",
    "interrupted": "magenta",
    "running": "bold yellow",
    "waiting": "",
}
# Without colours the parts of the bar still differ.
_FILLING = {
    "finished": "█",
    "failed": "▓",
    "killed": "▓",
    "interrupted": "▓",
    "running": "▒",
    "waiting": "░",
}


def bar(counts: Counts, width: int) -> Text:
    """A bar with a part for each state, and how much is done."""
    share = counts.done / counts.total if counts.total else 0.0
    # 100% is all of it.
    words = f" {int(100 * share):3d}%  {counts.done:,}/{counts.total:,} done"
    room = max(1, width - len(words))
    text, begin, number = Text(), 0, 0
    for state, filling in _FILLING.items():
        number += counts.states[state]
        end = round(room * number / counts.total) if counts.total else 0
        text.append(filling * (end - begin), STYLES[state])
        begin = end
    text.append("░" * (room - begin))
    return text.append(words)


def states_line(counts: Counts) -> Text:
    """How many jobs there are of each state."""
    text = Text()
    for state, number in counts.states.items():
        if number or state in ("finished", "failed", "running", "waiting"):
            text.append("  " if text else "")
            text.append(f"{number:,} {state}", STYLES[state] if number else "dim")
    return text


def pace_line(counts: Counts, *, driven: bool) -> Text:
    """How jobs have ended lately, and how long it will take."""
    if counts.pace is None:
        return Text("no job has ended yet")
    text = Text(sparkline(counts.pace.ends), "cyan")
    words = (
        f" {pace(counts.pace.rate)} in {'' if driven else 'its last '}{_span(counts.pace.seconds)}"
    )
    text.append(words)
    if counts.seconds_left:
        text.append(f", {duration(round(counts.seconds_left))} left", "bold")
    return text


def _span(seconds: int) -> str:
    return duration(float(seconds))


def tabs_line(counts: Counts, chosen: Tab) -> Text:
    """The lists, with the keys that show them."""
    text = Text()
    for number, tab in enumerate(Tab, 1):
        name = (
            f" {number} {tab} {counts.of(tab):,} "
            if tab is not Tab.SLOWEST
            else f" {number} {tab} "
        )
        text.append(name, "reverse bold" if tab is chosen else "")
    return text
