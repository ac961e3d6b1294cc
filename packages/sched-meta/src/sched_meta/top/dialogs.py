"""Screens over the others: a question, and the help."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen
from textual.widgets import Static

__all__ = ["Confirm", "Help"]


class Confirm(ModalScreen[bool]):
    """Asks; only y is a yes."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", show=False),
        Binding("n,escape,enter,q", "answer(False)", show=False),
    ]

    def __init__(self, question: str) -> None:
        """Ask that question."""
        super().__init__()
        self._question = question

    def compose(self) -> ComposeResult:
        """Make the box."""
        keys = Text.assemble(("y", "bold"), " yes   ", ("n", "bold"), " no")
        yield Static(Text.assemble(self._question, "\n\n", keys), id="box", markup=False)

    def action_answer(self, yes: bool) -> None:
        """Close with the answer."""
        self.dismiss(yes)


class Help(ModalScreen[None]):
    """Shows the keys of a screen, until any key is pressed."""

    def __init__(self, keys: Sequence[tuple[str, str]]) -> None:
        """Show keys, and what they do."""
        super().__init__()
        self._keys = keys

    def compose(self) -> ComposeResult:
        """Make the box."""
        width = max(len(key) for key, _ in self._keys)
        lines = [Text.assemble((f"{key:{width}}", "bold"), f"  {what}") for key, what in self._keys]
        yield Static(Text("\n").join(lines), id="box", markup=False)

    def on_key(self) -> None:
        """Close."""
        self.dismiss(None)
