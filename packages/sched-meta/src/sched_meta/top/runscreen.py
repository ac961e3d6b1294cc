"""A run: how far it is, and its jobs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Input, Static

from sched_core.runfolder import JobRecord

from ..reading.runfolder import RunFolder
from ..reading.runstatus import driver_in_words
from ..wording import count_jobs, plain
from . import actions
from .base import Key, LookingScreen
from .columns import line, titles
from .header import STYLES, bar, pace_line, states_line, tabs_line
from .jobscreen import JobScreen
from .model import Query, Tab
from .runlook import RunLook, RunPicture
from .table import Row
from .view import LinesView

__all__ = ["RunScreen"]

_INTERVAL = 0.5
_TABS = list(Tab)
_LIVING = ("running", "waiting", "interrupted")
_BAD = ("failed", "killed", "interrupted")


_ACTIONS = {
    "q": "back",
    "question_mark,h": "help",
    "slash": "filter",
    "k": "kill",
    "K": "kill_all",
    "r": "retry",
    "R": "retry_all",
    "f": "follow",
    "tab,right": "next_tab(1)",
    "shift+tab,left": "next_tab(-1)",
} | {str(key): f"tab('{tab}')" for key, tab in enumerate(_TABS, 1)}


class RunScreen(LookingScreen[RunPicture]):
    """Shows a run while it goes on."""

    KEYS: ClassVar[Sequence[Key]] = (
        Key("Enter", "open", "the job: its command, its attempts and what it writes"),
        Key("k", "kill", "the job, after a question; K all jobs"),
        Key("r", "retry", "the job, or all that failed alike; R all that failed"),
        Key("f", "follow", "what the job writes"),
        Key("/", "filter", "by a part of name or command; Esc shows all again"),
        Key("1-5", "lists", "also by Tab, Left and Right"),
        Key("?", "help"),
        Key("q", "back", "the run goes on, as it does at Ctrl-C"),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back(True)", show=False),
        # Others before any key that follows is looked at: who types fast is ahead of the screen.
        *(Binding(keys, action, show=False, priority=True) for keys, action in _ACTIONS.items()),
    ]

    def __init__(self, folder: RunFolder) -> None:
        """Show the run of a folder."""
        super().__init__()
        self._folder = folder
        self._look = RunLook(folder, self.seen)
        self._rows: Sequence[Row] = ()

    def compose(self) -> ComposeResult:
        """Make the lines."""
        for name in ("title", "driver", "bar", "states", "pace", "tabs", "columns"):
            yield Static(id=name, markup=False)
        yield LinesView(id="jobs", has_cursor=True)
        yield Static(id="note", markup=False)
        yield Input(id="filter", placeholder="part of a name or command", compact=True)
        yield Static(id="keys", markup=False)

    def on_mount(self) -> None:
        """Begin to look."""
        self.query_one(LinesView).focus()
        self.put("title", Text(f" {self._folder}: reading ..."))
        self.begin_to_look()

    def begin_to_look(self) -> None:
        """Have a thread look at the run."""
        self.look_with(self._look, lambda: self._folder.interval(_INTERVAL))

    # --- what is seen ------------------------------------------------------------------------------

    def paint_picture(self, picture: RunPicture) -> None:
        """Show the run."""
        run, width, counts = picture.view.run, self.size.width, picture.counts
        self.put("title", Text(f" {self._folder} on {plain(run.scheduler)}"))
        self.put("driver", Text(f" driver: {plain(driver_in_words(picture.view))}"))
        driven = picture.view.driver is not None
        self.put("bar", Text(" ").append_text(bar(counts, width - 2)))
        self.put("states", Text(" ").append_text(states_line(counts)))
        self.put("pace", Text(" ").append_text(pace_line(counts, driven=driven)))
        self._paint_tabs(picture)
        self._paint_jobs(picture)

    def _paint_tabs(self, picture: RunPicture) -> None:
        query, table = picture.table.query, picture.table
        text = tabs_line(picture.counts, query.tab)
        if query.text:
            text.append(f"  /{plain(query.text)}", "bold")
        self.put("tabs", text)
        self.put("columns", titles(table.columns, self.query_one(LinesView).room))

    def _paint_jobs(self, picture: RunPicture) -> None:
        """Show the list; the cursor stays on its job while the list changes around it."""
        view, chosen = self.query_one(LinesView), self._chosen()
        self._rows = picture.table.rows
        view.show(len(self._rows) + (picture.table.hidden > 0), self._row_line)
        if chosen and view.cursor:
            where = (n for n, row in enumerate(self._rows) if _same(row, chosen))
            view.move_to(next(where, view.cursor))

    def _row_line(self, number: int, width: int) -> Text:
        assert self.picture is not None
        table = self.picture.table
        if number == len(table.rows):
            return Text(f" and {count_jobs(table.hidden)} more; / finds them", "dim")
        row = table.rows[number]
        if not row.is_job:
            return Text(f" {row.cells[0]}", STYLES["failed"])
        style = _ROW_STYLES.get(row.state, "") if table.query.tab is Tab.ALL else ""
        return Text(line(table.columns, row.cells, width), style)

    def _chosen(self) -> Row | None:
        cursor = self.query_one(LinesView).cursor
        return self._rows[cursor] if cursor < len(self._rows) else None

    # --- keys --------------------------------------------------------------------------------------

    def action_back(self, keep_filter_first: bool = False) -> None:
        """Drop the filter, or leave the run."""
        if keep_filter_first and self._look.query.text:
            self.query_one(Input).value = ""
            return
        self.leave()

    def action_tab(self, tab: str) -> None:
        """Show another list."""
        self._ask_for(Query(Tab(tab), self._look.query.text))
        self.query_one(LinesView).cursor = 0

    def action_next_tab(self, step: int) -> None:
        """Show the list beside this one."""
        now = _TABS.index(self._look.query.tab)
        self.action_tab(_TABS[(now + step) % len(_TABS)])

    def action_filter(self) -> None:
        """Begin to type a filter."""
        typed = self.query_one(Input)
        typed.display = True
        self.set_focus(typed)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Let a filter have all keys but Escape."""
        return (action == "back" and bool(parameters)) or not self.query_one(Input).display

    def on_input_changed(self, event: Input.Changed) -> None:
        """Show only what has that in its name or command."""
        self._ask_for(Query(self._look.query.tab, event.value))

    def on_input_submitted(self, _: Input.Submitted) -> None:
        """Go back to the list."""
        self._end_typing()

    def on_key(self, event: events.Key) -> None:
        """Escape ends the filter, the arrow down leaves it as it is."""
        typed = self.query_one(Input)
        if not typed.display or event.key not in ("escape", "down"):
            return
        typed.value = "" if event.key == "escape" else typed.value
        self._end_typing()
        event.stop()
        event.prevent_default()

    def _end_typing(self) -> None:
        self.query_one(Input).display = False
        self.set_focus(self.query_one(LinesView))

    def _ask_for(self, query: Query) -> None:
        self._look.query = query
        self.look_now()

    def on_lines_view_opened(self, _: LinesView.Opened) -> None:
        """Show the job."""
        self._open()

    def action_follow(self) -> None:
        """Show the job."""
        self._open()

    def _open(self) -> None:
        row = self._chosen()
        if row and row.is_job:
            self.app.push_screen(JobScreen(self._folder, self._record(row.indexes[0]), row.state))
        elif row:
            self.query_one(LinesView).action_move(1)

    def _record(self, index: int) -> Callable[[], JobRecord]:
        def record() -> JobRecord:
            assert self.picture is not None
            return self.picture.view.jobs[index]

        return record

    def action_kill(self) -> None:
        """Kill the job under the cursor."""
        row = self._chosen()
        if row and row.state in _LIVING:
            index = row.indexes[0]
            self.ask(f"Kill job {index}?", lambda: actions.kill(self._folder, [index], self.tell))
        elif row:
            self.tell("only jobs that wait or run can be killed; the lists 1 and 3 have them")

    def action_kill_all(self) -> None:
        """Kill all jobs that have not ended."""
        if self.picture is None:
            return
        states = self.picture.counts.states
        left = sum(states[state] for state in _LIVING)
        if left:
            question = f"Kill all {count_jobs(left)} that wait or run?"
            self.ask(question, lambda: actions.kill(self._folder, None, self.tell))
        else:
            self.tell("all jobs have ended; there is nothing to kill")

    def action_retry(self) -> None:
        """Run the job under the cursor again, or all that failed alike."""
        row = self._chosen()
        if row and (row.state in _BAD or not row.is_job):
            what = f"job {row.indexes[0]}" if row.is_job else count_jobs(len(row.indexes))
            act = actions.retry
            self.ask(f"Run {what} again?", lambda: act(self._folder, row.indexes, self.tell))
        elif row:
            self.tell("only jobs that failed or were killed can be run again; list 2 has them")

    def action_retry_all(self) -> None:
        """Run all jobs again that failed or were killed."""
        if self.picture is None:
            return
        number = self.picture.counts.of(Tab.FAILED)
        if number:
            question = f"Run {count_jobs(number)} again that failed or were killed?"
            self.ask(question, lambda: actions.retry(self._folder, None, self.tell))
        else:
            self.tell("no job failed or was killed; there is nothing to run again")


_ROW_STYLES = {"failed": "red", "killed": "magenta", "interrupted": "magenta"}


def _same(row: Row, other: Row) -> bool:
    return row.is_job == other.is_job and row.indexes[:1] == other.indexes[:1]
