"""The names in the spool: each tells on its own what has become of which attempt."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..model.status import JobStatus

__all__ = ["Event", "Facts", "event_name", "parse_event_name"]

_NAME = re.compile(
    r"(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.([A-Z]+)(?:\.(0|[1-9][0-9]*))?(?:,(.*))?",
    re.ASCII,
)
_FACTS = re.compile(
    r"(-|[A-Z_]+),(-|[^,/]+)" + r",(-|[0-9]+(?:\.[0-9]+)?)" * 4 + r",(-|[0-9a-f]{32})" * 2,
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Facts:
    """What else an event tells, so that nothing has to be read for it; None where it is not known.

    Times are seconds since 1970, to the microsecond, and what a processor has spent is seconds, to
    the millisecond.
    """

    failure: str | None = None
    """The class of a failure, as in `model.failure`."""
    host: str | None = None
    started: float | None = None
    ended: float | None = None
    user_cpu: float | None = None
    system_cpu: float | None = None
    stdout_md5: str | None = None
    """In hexadecimal digits, of all that the command wrote."""
    stderr_md5: str | None = None

    @property
    def cpu(self) -> float | None:
        """What processors have spent for the user and the system together."""
        if self.user_cpu is None or self.system_cpu is None:
            return None
        return round(self.user_cpu + self.system_cpu, 3)


@dataclass(frozen=True, slots=True)
class Event:
    """One attempt has reached `status`; `rc` goes with an end."""

    index: int
    attempt: int
    restart: int
    status: JobStatus
    rc: int | None = None
    facts: Facts | None = None


def event_name(event: Event) -> str:
    """Name an event: <index>.<attempt>.<restart>.<STATUS>[.<rc>][,<facts>].

    The facts are class, host, start, end, the seconds that processors have spent for the user and
    the system, and the MD5 of stdout and stderr, by commas; what is unknown is a dash.
    """
    name = f"{event.index}.{event.attempt}.{event.restart}.{event.status.name}"
    name = name if event.rc is None else f"{name}.{event.rc}"
    return name if event.facts is None else f"{name},{_render(event.facts)}"


def _render(facts: Facts) -> str:
    times = [_word(time, ".6f") for time in (facts.started, facts.ended)]
    spent = [_word(seconds, ".3f") for seconds in (facts.user_cpu, facts.system_cpu)]
    sums = [facts.stdout_md5 or "-", facts.stderr_md5 or "-"]
    return ",".join([facts.failure or "-", facts.host or "-", *times, *spent, *sums])


def _word(number: float | None, places: str) -> str:
    return "-" if number is None else format(number, places)


def parse_event_name(name: str) -> Event | None:
    """Read an event's name; None for any other file, such as a probe or one of a network disk."""
    match = _NAME.fullmatch(name)
    if match is None or match[4] not in JobStatus.__members__:
        return None
    facts = None if match[6] is None else _parse_facts(match[6])
    if facts is None and match[6] is not None:
        return None
    index, attempt, restart = int(match[1]), int(match[2]), int(match[3])
    rc = None if match[5] is None else int(match[5])
    return Event(index, attempt, restart, JobStatus[match[4]], rc, facts)


def _parse_facts(text: str) -> Facts | None:
    match = _FACTS.fullmatch(text)
    if match is None:
        return None
    failure, host, *numbers, out, err = (None if w == "-" else w for w in match.groups())
    started, ended, user, system = (None if word is None else float(word) for word in numbers)
    return Facts(failure, host, started, ended, user, system, out, err)
