"""The runs under ./sched-runs, the newest first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static

from ..reading.runfolder import RUNS
from ..wording import clock
from .base import Key, LookingScreen
from .columns import Column, columns_of, line, titles
from .header import STYLES
from .runscreen import RunScreen
from .runslook import RunLine, RunsLook
from .view import LinesView

__all__ = ["RunsScreen"]

_INTERVAL = 1.0
_FIELDS = (
    ("RUN", False),
    ("STATE", False),
    ("DONE", True),
    ("FAILED", True),
    ("DRIVER", False),
    ("BEGUN", False),
)


class RunsScreen(LookingScreen[list[RunLine]]):
    """Shows how far all the runs are."""

    KEYS: ClassVar[Sequence[Key]] = (
        Key("Enter", "open", "the run: its jobs, and how far they are"),
        Key("?", "help"),
        Key("q", "quit", "runs go on"),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q,escape", "quit", show=False),
        Binding("question_mark,h", "help", show=False),
    ]

    def __init__(self) -> None:
        """List the runs."""
        super().__init__()
        self._columns: tuple[Column, ...] = ()

    def compose(self) -> ComposeResult:
        """Make the lines."""
        yield Static(id="title", markup=False)
        yield Static(id="columns", markup=False)
        yield LinesView(id="runs", has_cursor=True)
        yield Static(id="note", markup=False)
        yield Static(id="keys", markup=False)

    def on_mount(self) -> None:
        """Begin to look."""
        self.query_one(LinesView).focus()
        self.put("title", Text(f" ./{RUNS}: reading ..."))
        self.look_with(RunsLook(self.seen), lambda: _INTERVAL)

    def paint_picture(self, picture: list[RunLine]) -> None:
        """Show the runs."""
        self.put("title", Text(f" ./{RUNS}: {len(picture):,} run{'s' * (len(picture) != 1)}"))
        self._columns = columns_of(_FIELDS, [_cells(run) for run in picture], 0)
        self.put("columns", titles(self._columns, self.query_one(LinesView).room))
        self.query_one(LinesView).show(len(picture), self._run_line)

    def _run_line(self, number: int, width: int) -> Text:
        assert self.picture is not None
        run = self.picture[number]
        return Text(line(self._columns, _cells(run), width), STYLES.get(run.state, ""))

    def on_lines_view_opened(self, event: LinesView.Opened) -> None:
        """Show the run."""
        if self.picture:
            self.app.push_screen(RunScreen(self.picture[event.number].folder))

    def action_quit(self) -> None:
        """Leave."""
        self.app.exit(return_code=0)


def _cells(run: RunLine) -> tuple[str, ...]:
    return (
        run.folder.path.rpartition("/")[2],
        run.state,
        f"{run.done:,}/{run.total:,}",
        f"{run.failed:,}" if run.failed else "-",
        run.driver or "-",
        clock(run.begun),
    )
