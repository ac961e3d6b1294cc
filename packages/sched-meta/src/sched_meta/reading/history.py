"""The story of one job, from the run's journal and the job's own folder."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from sched_core.model.failure import Failure
from sched_core.model.status import JobStatus
from sched_core.runfolder import JobRecord, read_journal, require_run
from sched_core.text.claim import Claim, parse_claim, parse_claim_name

from ..wording import clock, duration, one_line, plain, size
from .jobfiles import last_lines
from .runfolder import RunFolder
from .wishes import resources_of, wishes_words

__all__ = ["explanation", "story"]

_MOST_LINES = 10

_HINTS = {
    Failure.TIMEOUT: "it ran into its time limit; give it more: add --time 4h",
    Failure.OUT_OF_MEMORY: "it was ended for its use of memory; give it more: add --memory 16G",
    Failure.SETUP: "the command was never reached; see its folder, prescript and stderr",
    Failure.REJECTED: "the scheduler refuses it as it is; another attempt changes nothing",
    Failure.LOST: "it left no record; another attempt is safe once nothing of it runs",
    Failure.UNAVAILABLE: "the scheduler could not be asked; try again when it can",
}


_TOLD = (
    "rc", "failure", "reason", "host", "jid",
    "queued", "submitted", "started", "ended", "cpu", "max_rss",
)  # fmt: skip
_LONG = 1.0
"""Seconds in a queue that are worth a word."""


@dataclass(slots=True)
class _Attempt:
    number: int
    status: JobStatus = JobStatus.INIT
    rc: int | None = None
    failure: str | None = None
    reason: str = ""
    host: str | None = None
    jid: str | None = None
    queued: float | None = None
    submitted: float | None = None
    started: float | None = None
    ended: float | None = None
    cpu: float | None = None
    max_rss: int | None = None

    def take(self, entry: dict[str, Any]) -> None:
        self.status = JobStatus(entry["to"])
        for name in _TOLD:
            setattr(self, name, entry.get(name, getattr(self, name)))

    def take_claim(self, claim: Claim) -> None:
        """Fill in what only the wrapper has recorded."""
        if claim.is_fence:
            self.reason = self.reason or "a driver took it back before it started"
            return
        self.rc = claim.rc if self.rc is None else self.rc
        self.failure = self.failure or claim.failure
        self.host = self.host or claim.host
        self.jid = self.jid or claim.jid
        self.started = self.started or claim.claimed
        self.ended = self.ended or claim.ended
        if claim.rc is None and not self.status.final:
            self.status = JobStatus.RUNNING
        elif not self.status.final:
            self.status = JobStatus.FAILED if claim.rc else JobStatus.FINISHED
        if claim.user_cpu is not None and claim.system_cpu is not None:
            self.cpu = claim.user_cpu + claim.system_cpu

    def text(self) -> str:
        outcome = self.status.name
        outcome += f" {self.failure}" if self.failure else ""
        outcome += f" rc {self.rc}" if self.rc is not None else ""
        place = f" on {plain(self.host)}" if self.host else ""
        place += f" as {plain(self.jid)}" if self.jid else ""
        return f"{outcome}{place}{self._times()}{': ' if self.reason else ''}{plain(self.reason)}"

    def _times(self) -> str:
        if self.started is None:
            return self._waits()
        if self.ended is None:
            return f"{self._waited()}, since {clock(self.started)}"
        took = duration(max(0.0, self.ended - self.started))
        cpu = f", {duration(self.cpu)} of cpu" if self.cpu else ""
        memory = f", at most {size(self.max_rss)}" if self.max_rss else ""
        span = f"{clock(self.started)} to {clock(self.ended)}"
        return f"{self._waited()}, {span} ({took}{cpu}{memory})"

    def _waits(self) -> str:
        if self.status.final:
            return ""
        if self.submitted is not None:
            return f", submitted {clock(self.submitted)}"
        return f", queued {clock(self.queued)}" if self.queued is not None else ""

    def _waited(self) -> str:
        since = self.queued if self.queued is not None else self.submitted
        if since is None or self.started is None or self.started - since < _LONG:
            return ""
        return f", waited {duration(self.started - since)}"


def explanation(folder: RunFolder, job: JobRecord) -> list[str]:
    """Return the lines that tell all about the job. Blocks."""
    metadir = folder.of_job(job.index)
    lines = story(folder, job)
    lines += _last_words(folder, f"{metadir}/job.stderr")
    lines += [f"files:    {RunFolder(metadir)}/", *_files(folder, metadir)]
    return [*lines, *_next(folder, job)]


def story(folder: RunFolder, job: JobRecord) -> list[str]:
    """Return the lines that tell what the job is, and what became of its attempts. Blocks."""
    return [
        f"job:      {job.index}" + (f" ({plain(job.name)})" if job.name else ""),
        f"state:    {_state(job)}",
        f"command:  {one_line(job.cmd)}",
        *_wishes(folder, job),
        *(f"attempt {a.number}: {a.text()}" for a in _attempts(folder, job)),
    ]


def _state(job: JobRecord) -> str:
    words = job.status.name
    if job.failure:
        words += f", {job.failure.value}"
    if job.rc is not None:
        words += f", rc {job.rc}"
    if job.reason:
        words += f": {plain(job.reason)}"
    return words


def _wishes(folder: RunFolder, job: JobRecord) -> Iterator[str]:
    # Values may be what nobody else should read.
    if job.envs:
        yield f"env:      {', '.join(job.envs)}"
    for what in ("inputs", "outputs"):
        if paths := getattr(job, what):
            yield f"{what + ':':<9} {one_line(paths)}"
    if job.container:
        engine, image = job.container.get("engine", "docker"), job.container.get("image")
        yield f"inside:   {plain(str(image))} ({plain(str(engine))})"
    if job.timeout:
        yield f"limit:    {duration(job.timeout)}"
    options = require_run(folder.files, folder.layout).options
    if words := wishes_words(resources_of(options, job.resources), job.raised):
        yield f"wants:    {'; '.join(words)}"


def _attempts(folder: RunFolder, job: JobRecord) -> list[_Attempt]:
    found: dict[int, _Attempt] = {}
    for entry in _moves(folder, job):
        number = int(entry.get("attempt", 1))
        found.setdefault(number, _Attempt(number)).take(entry)
    for number, claim in _claims(folder, folder.of_job(job.index)):
        found.setdefault(number, _Attempt(number)).take_claim(claim)
    return [found[number] for number in sorted(found)]


def _moves(folder: RunFolder, job: JobRecord) -> Iterator[dict[str, Any]]:
    if job.attempt == 1:
        # Its record has it all: the journal of a large run takes a while to read.
        if job.status is not JobStatus.INIT:
            yield asdict(job) | {"to": job.status, "failure": job.failure and job.failure.value}
        return
    for entry in read_journal(folder.files, folder.layout):
        if entry.get("state") == job.index:
            yield entry


def _claims(folder: RunFolder, metadir: str) -> Iterator[tuple[int, Claim]]:
    """The newest claim of each attempt; a fence only where there is nothing else."""
    try:
        names = {parse_claim_name(name): name for name in folder.files.names(metadir)}
        keys = sorted(key for key in names if key)
        texts = folder.files.read_many([f"{metadir}/{names[key]}" for key in keys])
    except OSError:
        return
    newest: dict[int, Claim] = {}
    for (number, _), text in zip(keys, texts, strict=True):
        claim = parse_claim(text or b"")
        if number not in newest or not claim.is_fence:
            newest[number] = claim
    yield from newest.items()


def _last_words(folder: RunFolder, path: str) -> Iterator[str]:
    lines = last_lines(folder, path, _MOST_LINES)
    if lines:
        yield "stderr:   its last lines are"
        yield from (f"  | {plain(line.expandtabs())}" for line in lines)


def _files(folder: RunFolder, metadir: str) -> Iterator[str]:
    try:
        entries = folder.files.entries(metadir)
    except OSError:
        return
    for name, entry in sorted(entries.items()):
        yield f"  {plain(name)}" + ("/" if entry.is_folder else f"  {size(entry.size)}")


def _next(folder: RunFolder, job: JobRecord) -> Iterator[str]:
    if job.failure in _HINTS:
        yield f"hint:     {_HINTS[job.failure]}"
    if job.status in (JobStatus.FAILED, JobStatus.KILLED):
        yield f"next:     sched retry {folder} {job.index}"
