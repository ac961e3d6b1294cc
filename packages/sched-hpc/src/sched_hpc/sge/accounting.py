"""The records of Grid Engine's accounting, as qacct tells them. Pure."""

from __future__ import annotations

from calendar import timegm
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate
from itertools import pairwise

from .notation import RULE, leading_number, parse_memory, settings_of

__all__ = ["Record", "parse_qacct"]


@dataclass(frozen=True, slots=True)
class Record:
    """What the accounting tells of one start of a job; `failed` is Grid Engine's own number."""

    id: str
    task: int | None
    name: str
    failed: int
    words: str
    status: int
    host: str = ""
    started: float | None = None
    ended: float | None = None
    limits: Mapping[str, str] = field(default_factory=dict)
    memory: float = 0.0
    max_rss: int | None = None
    """The most memory that its largest process had, in bytes; where it is told, that of all together."""


def parse_qacct(text: str) -> Iterator[Record]:
    """Read the answer of qacct -j: a record for each start of a job, in order of their ends."""
    for part in RULE.split(text):
        told = settings_of(part)
        if told.get("jobnumber", "").isdecimal() and "exit_status" in told:
            yield _recorded(told)


def _recorded(told: Mapping[str, str]) -> Record:
    failed, _, words = told.get("failed", "").partition(":")
    task = told.get("taskid", "")
    return Record(
        told["jobnumber"],
        int(task) if task.isdecimal() else None,
        told.get("jobname", ""),
        leading_number(failed),
        words.strip(),
        leading_number(told["exit_status"]),
        told.get("hostname", ""),
        _spelt_moment(told.get("start_time", "")),
        _spelt_moment(told.get("end_time", "")),
        _limits(told.get("category", "")),
        parse_memory(told.get("maxvmem", "")) or 0.0,
        _resident(told),
    )


def _resident(told: Mapping[str, str]) -> int | None:
    """Return the larger one of what was seen of all processes, and of what the largest of them had."""
    together = parse_memory(told.get("maxrss", "")) or 0.0
    return int(max(together, _largest_process(told.get("ru_maxrss", "")))) or None


def _largest_process(text: str) -> float:
    # Linux counts it in KiB. Grid Engine writes the bare number, or (8.1) takes it for one of bytes;
    # of what others write it is not known what they mean.
    bare = text.strip().isdecimal() or text.strip().endswith("B")
    return (parse_memory(text) or 0.0) * 1024 if bare else 0.0


def _spelt_moment(text: str) -> float | None:
    spelt = parsedate(text)  # not strptime: the names of months are not the driver's locale's
    return None if spelt is None else float(timegm(spelt))  # `-/-`: it never started


def _limits(category: str) -> dict[str, str]:
    words = category.split()
    asked = [after for word, after in pairwise(words) if word == "-l"]
    pairs = [pair.partition("=") for one in asked for pair in one.split(",")]
    return {name: value for name, _, value in pairs}
