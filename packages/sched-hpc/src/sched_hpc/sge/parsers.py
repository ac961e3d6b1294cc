"""What Grid Engine tells of submissions and its queue, read. Pure; what cannot be read raises ValueError."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from xml.etree import ElementTree as ET

from ..cluster.ranges import split_ranges
from .notation import RULE

__all__ = ["Row", "Why", "parse_qstat", "parse_qsub", "parse_reasons"]


@dataclass(frozen=True, slots=True)
class Row:
    """What the queue tells of a job, or of some tasks of an array; `tasks` is None for no array."""

    id: str
    tasks: tuple[int, ...] | None
    state: str
    name: str
    queue: str = ""
    started: float | None = None

    @property
    def host(self) -> str:
        """The host that it runs on."""
        return self.queue.partition("@")[2]


@dataclass(frozen=True, slots=True)
class Why:
    """Why a job has failed to start, by task (1 for a job that is no array), and why it waits."""

    errors: Mapping[int, str]
    notes: tuple[str, ...]


_TERSE = re.compile(r"(\d+)(?:\.\d+-\d+:\d+)?", re.ASCII)
_SENTENCE = re.compile(r"Your job(?:-array)? (\d+)(?:\.\S+)? \(.*\) has been submitted", re.ASCII)


def parse_qsub(text: str) -> str:
    """Read the id, whatever a site's own qsub or its checks print around it."""
    found = None
    for line in text.splitlines():
        match = _TERSE.fullmatch(line.strip()) or _SENTENCE.search(line)
        found = match[1] if match else found
    if found is None:
        raise ValueError(f"qsub has told no job id: {text.strip()[:200]!r}")
    return found


def parse_qstat(text: str) -> list[Row]:
    """Read the answer of qstat, without what a site prints around it."""
    start, end = text.find("<?xml"), text.rfind(">")
    try:
        tree = ET.fromstring(text[max(start, 0) : end + 1])
    except ET.ParseError as error:
        raise ValueError(f"qstat's answer cannot be read: {error}") from error
    if tree.tag.rpartition("}")[2] != "job_info":
        raise ValueError(f"qstat has told of no jobs: {text.strip()[:200]!r}")
    return [row for entry in tree.iter("job_list") if (row := _queued(entry)) is not None]


def _queued(entry: ET.Element) -> Row | None:
    told = {child.tag: (child.text or "").strip() for child in entry}
    id_, tasks = told.get("JB_job_number", ""), told.get("tasks", "")
    if not id_.isdecimal():
        return None
    # The tasks of a parallel job on other hosts are named, not numbered.
    numbered = bool(tasks) and tasks[0].isdecimal()
    return Row(
        id_,
        tuple(split_ranges(tasks)) if numbered else None,
        told.get("state") or entry.get("state") or "",
        told.get("JB_name", ""),
        told.get("queue_name", ""),
        _iso_moment(told.get("JAT_start_time", "")),
    )


def _iso_moment(text: str) -> float | None:
    try:
        # In universal time: TZ is set so.
        return datetime.fromisoformat(f"{text}+00:00").timestamp() if text else None
    except ValueError:
        return None


_ERROR = re.compile(r"error reason\s+(\d+):\s+(?:\S+ \S+ )?(?:\[\d+:\d+\]: )?(?:error: )?(.*)")
_NUMBER = re.compile(r"job_number:\s+(\d+)")
_LABEL = re.compile(r"\w[\w -]*:(?:\s|$)")


def parse_reasons(text: str) -> dict[str, Why]:
    """Read the answer of qstat -j, by job; those that it does not know are left out."""
    found = {}
    for part in RULE.split(text):
        number = _NUMBER.search(part)
        if number is not None:
            errors = {int(m[1]): m[2].strip() for m in map(_ERROR.match, part.splitlines()) if m}
            found[number[1]] = Why(errors, tuple(_notes(part)))
    return found


def _notes(part: str) -> Iterator[str]:
    # The last one: values of variables stand before it as they are.
    _, heading, rest = part.rpartition("\nscheduling info:")
    for line in rest.splitlines() if heading else ():
        if _LABEL.match(line):
            return
        if line.strip():
            yield line.strip()
