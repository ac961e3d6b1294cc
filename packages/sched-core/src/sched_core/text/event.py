"""The names in the spool: each tells on its own what has become of which attempt."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..model.status import JobStatus

__all__ = ["Event", "event_name", "parse_event_name"]

_NAME = re.compile(
    r"(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.([A-Z]+)(?:\.(0|[1-9][0-9]*))?", re.ASCII
)


@dataclass(frozen=True, slots=True)
class Event:
    """One attempt has reached `status`; `rc` goes with an end."""

    index: int
    attempt: int
    restart: int
    status: JobStatus
    rc: int | None = None


def event_name(event: Event) -> str:
    """Name an event: <index>.<attempt>.<restart>.<STATUS>[.<rc>]."""
    name = f"{event.index}.{event.attempt}.{event.restart}.{event.status.name}"
    return name if event.rc is None else f"{name}.{event.rc}"


def parse_event_name(name: str) -> Event | None:
    """Read an event's name; None for any other file, such as a probe or one of a network disk."""
    match = _NAME.fullmatch(name)
    if match is None or match[4] not in JobStatus.__members__:
        return None
    index, attempt, restart = int(match[1]), int(match[2]), int(match[3])
    rc = None if match[5] is None else int(match[5])
    return Event(index, attempt, restart, JobStatus[match[4]], rc)
