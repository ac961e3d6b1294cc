"""What a submission would be: text for a person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ..model.job import Job

__all__ = ["Preview", "PreviewPart"]


class PreviewPart(NamedTuple):
    """One thing that would be handed over: a command, a request, a script.

    The text is as it would be; it keeps bytes that are no text (surrogateescape).
    """

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Preview:
    """What the first submission of a run would be."""

    jobs: Sequence[Job]
    """The jobs that would share it."""
    parts: Sequence[PreviewPart]
