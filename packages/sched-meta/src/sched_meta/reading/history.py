"""The story of one job, from the run's journal and the job's own folder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from sched_core.model.failure import Failure
from sched_core.model.status import JobStatus
from sched_core.runfolder import JobRecord, read_journal, require_run
from sched_core.text.claim import Claim, parse_claim, parse_claim_name

from ..wording import clock, duration, one_line, plain, size
from .attempts import Attempt, attempts_of
from .jobfiles import last_lines
from .runfolder import RunFolder
from .wishes import resources_of, wishes_words

__all__ = ["explanation", "story"]

_MOST_LINES = 10

_LACKED_MEMORY = "it ended with 0, though a process of it was ended for its use of memory"
_HINTS = {
    Failure.TIMEOUT: "it ran into its time limit; give it more: add --time 4h",
    Failure.OUT_OF_MEMORY: "it was ended for its use of memory; give it more: add --memory 16G",
    Failure.SETUP: "the command was never reached; see its folder, prescript and stderr",
    Failure.REJECTED: "the scheduler refuses it as it is; another attempt changes nothing",
    Failure.LOST: "it left no record; another attempt is safe once nothing of it runs",
    Failure.UNAVAILABLE: "the scheduler could not be asked; try again when it can",
}


_LONG = 1.0
"""Seconds in a queue that are worth a word."""


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
        *(f"attempt {a.number}: {_in_words(a)}" for a in _attempts(folder, job)),
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
    if names := [*(job.envs or {}), *(f"{name} (secret)" for name in job.secrets or ())]:
        yield f"env:      {', '.join(names)}"
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


def _attempts(folder: RunFolder, job: JobRecord) -> list[Attempt]:
    of_job = attempts_of(_entries(folder, job)).get(job.index, [])
    found = {attempt.number: attempt for attempt in of_job}
    for number, claim in _claims(folder, folder.of_job(job.index)):
        _take_claim(found.setdefault(number, Attempt(job.index, number)), claim)
    return [found[number] for number in sorted(found)]


def _entries(folder: RunFolder, job: JobRecord) -> Iterator[Mapping[str, Any]]:
    """What the journal has of the job."""
    if job.attempt == 1:
        # Its record has it all: the journal of a large run takes a while to read.
        if job.status is not JobStatus.INIT:
            yield asdict(job) | {"state": job.index, "to": job.status}
        return
    for entry in read_journal(folder.files, folder.layout):
        if "generation" in entry or job.index in (entry.get("state"), entry.get("job")):
            yield entry


def _take_claim(attempt: Attempt, claim: Claim) -> None:
    """Fill in what only the wrapper has recorded."""
    if claim.is_fence:
        attempt.reason = attempt.reason or "a driver took it back before it started"
        return
    attempt.rc = claim.rc if attempt.rc is None else attempt.rc
    attempt.failure = attempt.failure or Failure.__members__.get(claim.failure or "")
    attempt.host = attempt.host or claim.host
    attempt.jid = attempt.jid or claim.jid
    attempt.started = attempt.started or claim.claimed
    attempt.ended = attempt.ended or claim.ended
    if claim.rc is None and not attempt.status.final:
        attempt.status = JobStatus.RUNNING
    elif not attempt.status.final:
        attempt.status = JobStatus.FAILED if claim.rc else JobStatus.FINISHED
    attempt.cpu = attempt.cpu if claim.cpu is None else claim.cpu
    if claim.finished and claim.inside_failure == Failure.OUT_OF_MEMORY:
        attempt.reason = attempt.reason or _LACKED_MEMORY


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


def _in_words(attempt: Attempt) -> str:
    outcome = attempt.status.name
    outcome += f" {attempt.failure}" if attempt.failure else ""
    outcome += f" rc {attempt.rc}" if attempt.rc is not None else ""
    place = f" on {plain(attempt.host)}" if attempt.host else ""
    place += f" as {plain(attempt.jid)}" if attempt.jid else ""
    why = f": {plain(attempt.reason)}" if attempt.reason else ""
    return f"{outcome}{place}{_times(attempt)}{why}"


def _times(attempt: Attempt) -> str:
    if attempt.started is None:
        return _waits(attempt)
    if attempt.wall is None:
        return f"{_waited(attempt)}, since {clock(attempt.started)}"
    cpu = f", {duration(attempt.cpu)} of cpu" if attempt.cpu else ""
    memory = f", at most {size(attempt.max_rss)}" if attempt.max_rss else ""
    span = f"{clock(attempt.started)} to {clock(attempt.ended)}"
    return f"{_waited(attempt)}, {span} ({duration(attempt.wall)}{cpu}{memory})"


def _waits(attempt: Attempt) -> str:
    if attempt.status.final:
        return ""
    if attempt.submitted is not None:
        return f", submitted {clock(attempt.submitted)}"
    return f", queued {clock(attempt.queued)}" if attempt.queued is not None else ""


def _waited(attempt: Attempt) -> str:
    since = attempt.queued if attempt.queued is not None else attempt.submitted
    if since is None or attempt.started is None or attempt.started - since < _LONG:
        return ""
    return f", waited {duration(attempt.started - since)}"


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
