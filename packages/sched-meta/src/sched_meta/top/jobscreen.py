"""A job: its command, its attempts, and what it writes, as it comes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static

from sched_core.runfolder import JobRecord

from ..reading.runfolder import RunFolder
from ..reading.states import state_word
from . import actions
from .base import Key, LookingScreen
from .joblook import STDERR, STDOUT, JobLook, JobPicture
from .view import LinesView

__all__ = ["JobScreen"]

_INTERVAL = 0.3
_BAD = ("failed", "killed", "interrupted")


class JobScreen(LookingScreen[JobPicture]):
    """Shows a job while it goes on."""

    KEYS: ClassVar[Sequence[Key]] = (
        Key("o", "stdout", "what the job writes there"),
        Key("e", "stderr", "and there; Tab shows the other one"),
        Key("f", "follow", "the last line, or stay; End follows, too"),
        Key("k", "kill", "the job, after a question"),
        Key("r", "retry", "the job, after a question"),
        Key("?", "help"),
        Key("q", "back", "the job goes on"),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q,escape", "back", show=False),
        Binding("question_mark,h", "help", show=False),
        Binding("o", f"file('{STDOUT}')", show=False),
        Binding("e", f"file('{STDERR}')", show=False),
        Binding("tab", "other_file", show=False),
        Binding("f", "follow", show=False),
        Binding("k", "kill", show=False),
        Binding("r", "retry", show=False),
    ]

    def __init__(self, folder: RunFolder, job: Callable[[], JobRecord], state: str) -> None:
        """Show a job, whose record `job` returns; its state tells what is looked at first."""
        super().__init__()
        self._folder = folder
        name = STDERR if state == "failed" else STDOUT
        self._look = JobLook(folder, job, self.seen, name)
        self.follows = True
        """Whether the last line is always seen."""

    def compose(self) -> ComposeResult:
        """Make the lines."""
        yield Static(id="story", markup=False)
        yield Static(id="files", markup=False)
        yield LinesView(id="log", has_cursor=False)
        yield Static(id="note", markup=False)
        yield Static(id="keys", markup=False)

    def on_mount(self) -> None:
        """Begin to look."""
        self.query_one(LinesView).focus()
        self.look_with(self._look, lambda: self._folder.interval(_INTERVAL), self._look.close)

    def paint_picture(self, picture: JobPicture) -> None:
        """Show the job."""
        story = Text("\n").join(Text(f" {line}") for line in picture.story)
        self.query_one("#story", Static).update(story)
        self.put("files", self._files_line(picture))
        view = self.query_one(LinesView)
        longest = max(map(len, picture.lines), default=0) + 2
        view.show(len(picture.lines), self._log_line, longest)
        if self.follows:
            self.call_after_refresh(view.to_end)

    def _files_line(self, picture: JobPicture) -> Text:
        text = Text()
        for name, title in ((STDOUT, " o stdout "), (STDERR, " e stderr ")):
            text.append(title, "reverse bold" if name == picture.name else "")
        words = "" if picture.found else "has written nothing yet"
        if picture.found and not picture.job.status.final:
            words = "follows" if self.follows else "stays here; f follows"
        return text.append(f"  {words}", "dim")

    def _log_line(self, number: int, _: int) -> Text:
        assert self.picture is not None
        return Text(f" {self.picture.lines[number]}")

    # --- keys --------------------------------------------------------------------------------------

    def on_lines_view_moved(self, _: LinesView.Moved) -> None:
        """Who scrolls back wants to read there; who scrolls to the end follows again."""
        self.follows = self.query_one(LinesView).at_end
        self.paint()

    def action_back(self) -> None:
        """Leave the job."""
        self.leave()

    def action_file(self, name: str) -> None:
        """Show what the job writes to stdout, or stderr."""
        self._look.name = name
        self.follows = True
        self.look_now()

    def action_other_file(self) -> None:
        """Show the other file."""
        self.action_file(STDOUT if self._look.name == STDERR else STDERR)

    def action_follow(self) -> None:
        """Have the last line seen, or stay."""
        self.follows = not self.follows
        self.paint()

    def action_kill(self) -> None:
        """Kill the job."""
        if self.picture is None:
            return
        index = self.picture.job.index
        if self.picture.job.is_done:
            self.tell("the job has ended; there is nothing to kill")
        else:
            self.ask(f"Kill job {index}?", lambda: actions.kill(self._folder, [index], self.tell))

    def action_retry(self) -> None:
        """Run the job again."""
        if self.picture is None:
            return
        index = self.picture.job.index
        if state_word(self.picture.job) in _BAD:
            act = actions.retry
            self.ask(f"Run job {index} again?", lambda: act(self._folder, [index], self.tell))
        else:
            self.tell("only a job that failed or was killed can be run again")
