"""The live screen as a whole."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import ClassVar

from textual import events
from textual.app import App
from textual.binding import Binding, BindingType

from ..reading.runfolder import RunFolder
from .runscreen import RunScreen
from .runsscreen import RunsScreen

__all__ = ["TopApp", "show_top"]

_THEME = "ansi-dark"
"""Textual's theme of the terminal's own colours; the style sheet uses none that only suits the dark."""

_REDRAWN_AFTER = (0.3, 1.5)
"""Seconds after the terminal was resized. There and back at once is no change to Textual, while tmux
has forgotten what was outside of the smaller one."""


class TopApp(App[None]):
    """Shows a run, or the list of them."""

    CSS_PATH = "top.tcss"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+c", "leave(130)", show=False, priority=True)
    ]

    def __init__(self, folder: RunFolder | None) -> None:
        """Show the run of a folder, or without one all runs under ./sched-runs."""
        super().__init__(ansi_color=True)
        self._folder = folder
        self.theme = _THEME

    def on_mount(self) -> None:
        """Show the first screen."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self.action_leave, 143)
        screen = RunScreen(self._folder) if self._folder else RunsScreen()
        self.push_screen(screen)

    def on_resize(self, _: events.Resize) -> None:
        """Draw all of the screen once more, when the terminal has come to rest."""
        for seconds in _REDRAWN_AFTER:
            self.set_timer(seconds, self._redraw)

    def _redraw(self) -> None:
        for screen in self.screen_stack[-1:]:  # there is none any more while the program ends
            screen.query("*").refresh()

    def action_leave(self, code: int) -> None:
        """Leave at once; runs go on."""
        self.exit(return_code=code)


def show_top(folder: RunFolder | None) -> int:
    """Show a run, or all of them, until the person at the terminal leaves; return the exit code."""
    for name in ("LINES", "COLUMNS"):
        os.environ.pop(name, None)  # what a shell has exported would stay when its window changes
    app = TopApp(folder)
    app.run()
    return app.return_code or 0
