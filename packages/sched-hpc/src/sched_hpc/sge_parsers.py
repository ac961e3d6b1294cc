"""What Grid Engine's tools print, read. Pure; what cannot be read raises ValueError."""

from __future__ import annotations

import re
from calendar import timegm
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate
from itertools import pairwise
from xml.etree import ElementTree as ET

from .ranges import split_ranges

__all__ = [
    "Config",
    "Record",
    "Row",
    "Why",
    "parse_config",
    "parse_memory",
    "parse_qacct",
    "parse_qstat",
    "parse_qsub",
    "parse_reasons",
    "parse_time",
]


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


@dataclass(frozen=True, slots=True)
class Why:
    """Why a job has failed to start, by task (1 for a job that is no array), and why it waits."""

    errors: Mapping[int, str]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Config:
    """What of the cell's configuration matters here; a limit of 0 is none."""

    max_tasks: int = 0
    max_at_once: int = 0
    max_jobs: int = 0
    max_jobs_of_user: int = 0
    accounting: bool = True
    flush_time: int = 15

    @property
    def largest_array(self) -> int | None:
        """How many tasks an array may have, all of which may run at once."""
        return min((n for n in (self.max_tasks, self.max_at_once) if n), default=None)


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


_SETTING = re.compile(r"(\w+)\s+(\S.*)")
_RULE = re.compile(r"={20,}")


def parse_qacct(text: str) -> Iterator[Record]:
    """Read the answer of qacct -j: a record for each start of a job, in order of their ends."""
    for part in _RULE.split(text):
        told = {m[1]: m[2].strip() for line in part.splitlines() if (m := _SETTING.match(line))}
        if told.get("jobnumber", "").isdecimal() and "exit_status" in told:
            yield _recorded(told)


def _recorded(told: Mapping[str, str]) -> Record:
    failed, _, words = told.get("failed", "").partition(":")
    task = told.get("taskid", "")
    return Record(
        told["jobnumber"],
        int(task) if task.isdecimal() else None,
        told.get("jobname", ""),
        _leading(failed),
        words.strip(),
        _leading(told["exit_status"]),
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


_MEMORY = re.compile(r"([\d.]+)\s*([kKmMgGtT]?)(?:i?B)?", re.ASCII)
_UNITS = {
    "": 1, "k": 1000, "m": 1000**2, "g": 1000**3, "t": 1000**4,
    "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40,
}  # fmt: skip


def parse_memory(text: str) -> float | None:
    """Read an amount of memory as Grid Engine writes it (`2.5G`, `4.5MB`), None for none."""
    match = _MEMORY.fullmatch(text.strip())
    try:
        return float(match[1]) * _UNITS[match[2]] if match else None
    except ValueError:
        return None


def parse_time(text: str) -> float | None:
    """Read a time as Grid Engine takes it: seconds, or hours, minutes and seconds."""
    try:
        parts = [float(part or 0) for part in text.strip().split(":")]
    except ValueError:
        return None
    return sum((part * 60.0**power for power, part in enumerate(reversed(parts[-3:]))), 0.0)


_ERROR = re.compile(r"error reason\s+(\d+):\s+(?:\S+ \S+ )?(?:\[\d+:\d+\]: )?(?:error: )?(.*)")
_NUMBER = re.compile(r"job_number:\s+(\d+)")
_LABEL = re.compile(r"\w[\w -]*:(?:\s|$)")


def parse_reasons(text: str) -> dict[str, Why]:
    """Read the answer of qstat -j, by job; those that it does not know are left out."""
    found = {}
    for part in _RULE.split(text):
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


def parse_config(text: str) -> Config:
    """Read the answer of `qconf -sconf`."""
    joined = text.replace("\\\n", " ")
    told = {m[1]: m[2].strip() for line in joined.splitlines() if (m := _SETTING.match(line))}
    if "execd_spool_dir" not in told:
        raise ValueError(f"qconf has not told how the cell is set up: {text.strip()[:200]!r}")
    reporting = dict(
        word.partition("=")[::2] for word in re.split(r"[\s,]+", told.get("reporting_params", ""))
    )
    flush = reporting.get("accounting_flush_time") or reporting.get("flush_time", "")
    return Config(
        max_tasks=_leading(told.get("max_aj_tasks", "")),
        max_at_once=_leading(told.get("max_aj_instances", "")),
        max_jobs=_leading(told.get("max_jobs", "")),
        max_jobs_of_user=_leading(told.get("max_u_jobs", "")),
        accounting=reporting.get("accounting", "true") == "true",
        flush_time=int(parse_time(flush) or 0),
    )


def _leading(text: str) -> int:
    match = re.match(r"\s*(\d+)", text, re.ASCII)
    return int(match[1]) if match else 0
