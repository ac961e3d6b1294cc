"""What Slurm's tools print, read. Pure; what cannot be read raises ValueError."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from ..cluster.ranges import split_ranges
from .commands import SACCT_FIELDS, SEPARATOR, SQUEUE_FIELDS

__all__ = [
    "Config",
    "Row",
    "Submitted",
    "parse_config",
    "parse_sacct",
    "parse_sbatch",
    "parse_squeue",
]


@dataclass(frozen=True, slots=True)
class Submitted:
    """The id that sbatch has told, and the cluster where there are several."""

    id: str
    cluster: str | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """What Slurm tells of a job, or of some tasks of an array that have not started.

    `tasks` is None for a job that is no array. `code` and `signal` are how the batch script ended.
    """

    id: str
    tasks: tuple[int, ...] | None
    state: str
    name: str
    comment: str = ""
    limit: int | None = None
    restarts: int = 0
    code: int = 0
    signal: int = 0
    started: float | None = None
    ended: float | None = None
    nodes: str = ""
    reason: str = ""
    cluster: str | None = None
    max_rss: int | None = None
    """The most memory of one of its steps, in bytes, as it was sampled."""


@dataclass(frozen=True, slots=True)
class Config:
    """What of the controller's configuration matters here."""

    version: str = ""
    booted: str = ""
    max_array_size: int = 1001
    accounting: bool = False
    samples_usage: bool = True
    """Whether what jobs use is gathered for the accounting."""
    min_job_age: int = 300
    kill_wait: int = 30
    requeues: bool = True
    limits_memory: bool = True
    """Whether a job that takes more memory than it asked for is ended."""


_PARSABLE = re.compile(r"(\d+)(?:;([\w.-]+))?", re.ASCII)
_SENTENCE = re.compile(r"Submitted batch job (\d+)(?: on cluster (\S+))?", re.ASCII)
_JOB = re.compile(r"(\d+)(?:_(?:(\d+)|\[([\d,:-]+)(?:%(\d+))?\]))?", re.ASCII)
_CLUSTER = re.compile(r"CLUSTER: (\S+)")
_SETTING = re.compile(r"(\w+)\s*= ?(.*)")
_AMOUNT = re.compile(r"(\d{1,20}(?:\.\d{1,20})?)([KMGTP]?)", re.ASCII)
_NOT_THE_JOBS = "extern"
"""The step of a job that is none of its own."""


def parse_sbatch(text: str) -> Submitted:
    """Read the id, whatever a site's own sbatch prints around it."""
    found = None
    for line in text.splitlines():
        match = _PARSABLE.fullmatch(line.strip()) or _SENTENCE.search(line)
        found = match or found
    if found is None:
        raise ValueError(f"sbatch has told no job id: {text.strip()[:200]!r}")
    return Submitted(found[1], found[2])


def parse_squeue(text: str) -> Iterator[Row]:
    """Read the answer of squeue; lines that are no jobs, such as a site's banner, are passed over."""
    cluster = None
    for line in text.split("\n"):
        if (heading := _CLUSTER.match(line)) is not None:
            cluster = heading[1]
            continue
        values = line.split(SEPARATOR)
        if len(values) <= len(SQUEUE_FIELDS):
            continue
        row = _queued(dict(zip(SQUEUE_FIELDS, values, strict=False)))
        if row is not None:
            yield replace(row, cluster=cluster) if cluster else row


def _queued(values: dict[str, str]) -> Row | None:
    job = _job(values["JobArrayID"])
    if job is None:
        return None
    id_, tasks, limit = job
    status = _number(values["exit_code"])
    return Row(
        id_,
        tasks,
        values["State"].strip(),
        values["Name"].strip(),
        values["Comment"].strip(),
        limit,
        _number(values["RestartCnt"]),
        status >> 8,
        status & 0x7F,
        _moment(values["StartTime"]),
        _moment(values["EndTime"]),
        values["NodeList"].strip(),
        _word(values["Reason"]),
    )


def parse_sacct(text: str) -> Iterator[Row]:
    """Read the answer of sacct: a row a job, with the most memory that one of its steps had."""
    last: Row | None = None
    for line in text.split("\n"):
        values = line.split("|", len(SACCT_FIELDS) - 1)
        if len(values) != len(SACCT_FIELDS):
            continue
        id_, is_step, step = values[0].partition(".")
        job = _job(id_)
        if job is None:
            continue
        if is_step:
            if last is not None and step != _NOT_THE_JOBS and (last.id, last.tasks) == job[:2]:
                last = replace(last, max_rss=max(last.max_rss or 0, _bytes(values[6])) or None)
            continue
        if last is not None:
            yield last
        last = _accounted(job[0], job[1], values)
    if last is not None:
        yield last


def _accounted(id_: str, tasks: tuple[int, ...] | None, values: list[str]) -> Row:
    _, state, exited, started, ended, nodes, _, name = values
    code, _, signal = exited.partition(":")
    return Row(
        id_,
        tasks,
        state.strip(),
        name,
        code=_number(code),
        signal=_number(signal),
        started=_moment(started),
        ended=_moment(ended),
        nodes=_word(nodes),
    )


def parse_config(text: str) -> Config:
    """Read the answer of `scontrol show config`."""
    matches = [match for line in text.splitlines() if (match := _SETTING.match(line))]
    found = {match[1]: match[2] for match in matches}
    if "SLURM_VERSION" not in found:
        raise ValueError(f"scontrol has not told how Slurm is set up: {text.strip()[:200]!r}")
    storage = found.get("AccountingStorageType", "").strip()
    return Config(
        version=found["SLURM_VERSION"].strip(),
        booted=found.get("BOOT_TIME", "").strip(),
        max_array_size=_leading(found.get("MaxArraySize"), 1001),
        accounting=storage not in ("", "(null)", "accounting_storage/none"),
        samples_usage=not found.get("JobAcctGatherType", "").strip().endswith("/none"),
        min_job_age=_leading(found.get("MinJobAge"), 300),
        kill_wait=_leading(found.get("KillWait"), 30),
        requeues=_leading(found.get("JobRequeue"), 1) != 0,
        limits_memory=_limits_memory(found),
    )


def _limits_memory(found: Mapping[str, str]) -> bool:
    if "OverMemoryKill" in found.get("JobAcctGatherParams", ""):
        return True
    constrained = found.get("ConstrainRAMSpace", "yes").strip() == "yes"
    return constrained and "task/cgroup" in found.get("TaskPlugin", "task/cgroup")


def _job(text: str) -> tuple[str, tuple[int, ...] | None, int | None] | None:
    match = _JOB.fullmatch(text.strip())
    if match is None:
        return None
    id_, task, ranges, limit = match.groups()
    tasks: tuple[int, ...] | None = None
    if task is not None:
        tasks = (int(task),)
    elif ranges is not None:
        tasks = tuple(split_ranges(ranges))
    return id_, tasks, int(limit) if limit else None


def _bytes(text: str) -> int:
    match = _AMOUNT.fullmatch(text.strip())
    return int(float(match[1]) * 1024 ** " KMGTP".index(match[2] or " ")) if match else 0


def _number(text: str) -> int:
    return int(text) if text.strip().isdecimal() else 0


def _leading(text: str | None, otherwise: int) -> int:
    match = re.match(r"\s*(\d+)", text or "", re.ASCII)
    return int(match[1]) if match else otherwise


def _moment(text: str) -> float | None:
    # Seconds since 1970: SLURM_TIME_FORMAT=%s is set. N/A, Unknown, None: not yet, or never.
    return float(text) if text.strip().isdecimal() and int(text) else None


def _word(text: str) -> str:
    text = text.strip()
    return "" if text in ("None", "None assigned", "(null)", "N/A") else text
