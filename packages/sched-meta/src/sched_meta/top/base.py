"""What the screens have in common: a thread that looks, a line for notes, the keys below."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import ClassVar, Generic, NamedTuple, TypeVar

from rich.text import Text
from textual import events
from textual.message import Message
from textual.screen import Screen
from textual.timer import Timer
from textual.widgets import Static

from .dialogs import Confirm, Help
from .looking import Looking

__all__ = ["Key", "LookingScreen", "Seen", "Told"]

_NOTE_STAYS = 12.0
P = TypeVar("P")
"""What a look brings."""


class Key(NamedTuple):
    """A key, and what it does."""

    name: str
    word: str
    more: str = ""
    """What the help says beyond the word."""


class Seen(Message, Generic[P]):
    """The other thread has looked."""

    def __init__(self, picture: P) -> None:
        super().__init__()
        self.picture = picture


class Told(Message):
    """Another thread has something to say; '' takes it back."""

    def __init__(self, words: str) -> None:
        super().__init__()
        self.words = words


class LookingScreen(Screen[None], Generic[P]):
    """A screen that shows what a thread sees, as long as it is open."""

    KEYS: ClassVar[Sequence[Key]] = ()
    """The keys that the last line and the help name."""

    def __init__(self) -> None:
        """Begin to look once the screen is shown."""
        super().__init__()
        self.picture: P | None = None
        """What was seen last."""
        self._looking: Looking | None = None
        self._note_timer: Timer | None = None

    def look_with(
        self,
        look: Callable[[], None],
        interval: Callable[[], float],
        close: Callable[[], None] | None = None,
    ) -> None:
        """Have a thread look as long as the screen is open, and `close` after that."""
        self._looking = Looking(look, interval, self.tell, close)
        self._looking.start()

    def look_now(self) -> None:
        """Have it look at once."""
        if self._looking:
            self._looking.look_now()

    def seen(self, picture: P) -> None:
        """Take what was seen. From any thread."""
        self._post(Seen(picture))

    def tell(self, words: str) -> None:
        """Show a line for a while. From any thread."""
        self._post(Told(words))

    def _post(self, message: Message) -> None:
        with suppress(RuntimeError):  # the screen has ended meanwhile
            self.post_message(message)

    def on_unmount(self) -> None:
        """Look no more."""
        if self._looking:
            self._looking.stop()

    def on_seen(self, message: Seen[P]) -> None:
        """Show what was seen."""
        self.picture = message.picture
        self.paint()

    def on_told(self, message: Told) -> None:
        """Show the words, and take them away in time."""
        if self._note_timer:
            self._note_timer.stop()
            self._note_timer = None
        note = self.query_one("#note", Static)
        note.update(Text(message.words))
        note.set_class(bool(message.words), "shown")
        if message.words:
            self._note_timer = self.set_timer(_NOTE_STAYS, lambda: self.tell(""))

    def on_resize(self, _: events.Resize) -> None:
        """Fit into the terminal as it is now."""
        self.paint()

    def paint(self) -> None:
        """Show the picture."""
        self.put("keys", self._keys_line())
        if self.picture is not None:
            self.paint_picture(self.picture)

    def paint_picture(self, picture: P) -> None:
        """Show what was seen."""
        raise NotImplementedError

    def put(self, id: str, text: Text) -> None:  # noqa: A002  # Textual's own word
        """Put a line on the screen."""
        text.no_wrap = True
        text.overflow = "ellipsis"
        self.query_one(f"#{id}", Static).update(text)

    def _keys_line(self) -> Text:
        text = Text(" ")
        for key in self.KEYS:
            word = "quit" if key.word == "back" and not self._has_below() else key.word
            text.append(key.name, "bold").append(f" {word}  ")
        return text

    def ask(self, question: str, act: Callable[[], None]) -> None:
        """Do something once the person at the screen has said yes."""
        self.app.push_screen(Confirm(question), lambda yes: act() if yes else None)

    def leave(self) -> None:
        """Go back to the screen below, or end where there is none."""
        if self._has_below():
            self.app.pop_screen()
        else:
            self.app.exit(return_code=0)

    def _has_below(self) -> bool:
        stack = self.app.screen_stack
        below = stack[: stack.index(self)] if self in stack else stack
        return any(isinstance(screen, LookingScreen) for screen in below)

    def action_help(self) -> None:
        """Show all keys."""
        self.app.push_screen(
            Help([(key.name, f"{key.word} {key.more}") for key in self.KEYS if key.more])
        )
