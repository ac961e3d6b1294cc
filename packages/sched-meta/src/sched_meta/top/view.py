"""A list of lines that scrolls, with or without a cursor; only those that are seen are made."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from rich.style import Style
from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

__all__ = ["LinesView"]

_CURSOR = Style(reverse=True)


class LinesView(ScrollView, can_focus=True):
    """Shows lines of text as they are: nothing in them is taken for markup."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", show=False),
        Binding("down", "move(1)", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("pagedown,space", "page(1)", show=False),
        Binding("home,g", "move(-1000000000)", show=False),
        Binding("end,G", "move(1000000000)", show=False),
        Binding("enter", "open", show=False),
    ]

    class Opened(Message):
        """A line was chosen."""

        def __init__(self, number: int) -> None:
            super().__init__()
            self.number = number
            """Which one, from 0 on."""

    class Moved(Message):
        """The person at the screen has scrolled, or moved the cursor."""

    def __init__(self, *, id: str, has_cursor: bool) -> None:  # noqa: A002  # Textual's own word
        """Begin without any line."""
        super().__init__(id=id)
        self._has_cursor = has_cursor
        self._count = 0
        self._line: Callable[[int, int], Text] = lambda number, width: Text()
        self.cursor = 0
        """The number of the line that keys are for."""

    def show(self, count: int, line: Callable[[int, int], Text], width: int = 0) -> None:
        """Show so many lines; `line` makes one of its number, and of the width that there is."""
        self._count, self._line = count, line
        self.virtual_size = Size(width, count)
        self.cursor = max(0, min(self.cursor, count - 1))
        self.refresh()

    @property
    def room(self) -> int:
        """The cells of a line, whether there is a scrollbar or not."""
        return self.scrollable_content_region.width

    @property
    def at_end(self) -> bool:
        """Whether the last line is seen."""
        return self.scroll_offset.y >= self.max_scroll_y

    def move_to(self, number: int) -> None:
        """Put the cursor on a line, and have it seen."""
        self.cursor = max(0, min(number, self._count - 1))
        self._follow_cursor()
        self.refresh()

    def to_end(self) -> None:
        """Have the last line seen."""
        self.scroll_to(y=self.max_scroll_y, animate=False, immediate=True)

    def render_line(self, y: int) -> Strip:
        """Return the line that is seen there."""
        scrolled = self.scroll_offset
        number, width = y + scrolled.y, self.room
        if number >= self._count:
            return Strip.blank(width, self.rich_style)
        text = self._line(number, width)
        text.end = ""
        # What follows the text is as the text is; `render` forgets its style where it is the only one.
        style = self.rich_style + self.app.console.get_style(text.style)
        strip = Strip(text.render(self.app.console)).apply_style(style)
        strip = strip.crop_extend(scrolled.x, scrolled.x + width, style)
        if self._has_cursor and number == self.cursor:
            return strip.apply_style(_CURSOR)
        return strip

    def action_move(self, lines: int) -> None:
        """Move the cursor, or scroll where there is none."""
        if self._has_cursor:
            self.move_to(self.cursor + lines)
        else:
            self.scroll_to(y=self.scroll_offset.y + lines, animate=False, immediate=True)
        self.post_message(self.Moved())

    def action_page(self, pages: int) -> None:
        """Move by what is seen at once."""
        self.action_move(pages * max(1, self.size.height - 1))

    def action_open(self) -> None:
        """Tell which line was chosen."""
        if self._has_cursor and self._count:
            self.post_message(self.Opened(self.cursor))

    def on_click(self, event: events.Click) -> None:
        """A click moves the cursor, another one there opens."""
        number = event.y + self.scroll_offset.y
        if self._has_cursor and number < self._count:
            again = number == self.cursor
            self.move_to(number)
            self.post_message(self.Opened(number) if again else self.Moved())

    def on_mouse_scroll_up(self) -> None:
        """Let the wheel be told of, too."""
        self.post_message(self.Moved())

    def _follow_cursor(self) -> None:
        top, height = self.scroll_offset.y, max(1, self.size.height)
        if self.cursor < top:
            top = self.cursor
        elif self.cursor >= top + height:
            top = self.cursor - height + 1
        self.scroll_to(y=top, animate=False, immediate=True)
