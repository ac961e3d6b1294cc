"""What must be true after a round, whatever went wrong in it: pure judgement of what was found."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby, pairwise
from typing import Any

from sched_core import Failure, JobStatus
from sched_core.runfolder import JobRecord
from sched_core.text.claim import Claim

from .marks import Start
from .work import DISK_WAS_FULL, RETRIES, output_of

__all__ = ["Found", "Violation", "judge"]


@dataclass(frozen=True, slots=True)
class Violation:
    """Something that must not be."""

    kind: str
    """lost, twice, left over or wrong: as in the report."""
    what: str
    """One line of evidence."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a round has left."""

    kinds: Sequence[str]
    jobs: Mapping[int, JobRecord]
    """By the run's journal."""
    settled: Mapping[tuple[int, int], Mapping[str, Any]]
    """The journal's last entry of a final state, by index and attempt."""
    starts: Sequence[Start]
    outputs: Mapping[int, tuple[str, str]] = field(default_factory=dict)
    """stdout and stderr of jobs that finished."""
    claims: Sequence[tuple[int, int, Claim]] = ()
    """Of starts, by index and attempt."""
    wanted: Collection[int] = ()
    """Jobs that somebody asked to kill."""
    loses: bool = False
    """Whether something happened that may end attempts, or have an engine start them again."""
    fills: bool = False
    """Whether a disk was full for a while."""
    left: Sequence[str] = ()
    """Processes, containers and places in queues that should be gone."""
    wrong: Sequence[str] = ()
    """What drivers or the folder have shown that they should not."""


def judge(found: Found) -> list[Violation]:
    """Return all that must not be."""
    violations = [Violation("left over", what) for what in found.left]
    violations += [Violation("wrong", what) for what in found.wrong]
    starts = {i: list(own) for i, own in groupby(found.starts, key=lambda start: start.index)}
    for index, kind in enumerate(found.kinds):
        job = found.jobs.get(index)
        if job is None:
            violations.append(Violation("lost", f"job {index} ({kind}) is not in the journal"))
        else:
            violations += _judge_job(found, job, kind, starts.get(index, []))
    return violations


def _judge_job(found: Found, job: JobRecord, kind: str, own: list[Start]) -> Iterator[Violation]:
    story = f"job {job.index} ({kind}), {_state_of(job)}; started as {_listed(own)}"
    for what in _lost(found, job, kind, own):
        yield Violation("lost", f"{what}: {story}")
    for what in _twice(found, job, own):
        yield Violation("twice", f"{what}: {story}")
    if job.status is JobStatus.FINISHED and job.index in found.outputs:
        for what in _incomplete(found.outputs[job.index], output_of(job.index, kind)):
            yield Violation("lost", f"{what}: {story}")


def _incomplete(told: tuple[str, str], due: tuple[str, str]) -> Iterator[str]:
    if told[0] != due[0]:
        yield f"{len(told[0])} bytes in stdout, not {len(due[0])}"
    # An engine's client may have its own words there.
    if due[1] not in told[1]:
        yield f"{len(told[1])} bytes in stderr are not the {len(due[1])} that were written"


# --- lost --------------------------------------------------------------------------------------------


def _lost(found: Found, job: JobRecord, kind: str, own: list[Start]) -> Iterator[str]:
    last = own[-1] if own else None
    match job.status:
        case JobStatus.FINISHED:
            if last is None or (last.attempt, last.rc) != (job.attempt, 0):
                yield "it is said to have finished"
        case JobStatus.FAILED:
            yield from _failed(found, job, last)
        case JobStatus.KILLED if not job.interrupted:
            if job.index not in found.wanted:
                yield "nobody wanted it to be killed"
        case _:
            yield "it has not ended"
    yield from _of_kind(found, job, kind, own)


def _failed(found: Found, job: JobRecord, last: Start | None) -> Iterator[str]:
    if job.failure is Failure.EXIT and last is not None and last.rc == job.rc and job.rc != 0:
        if job.rc == DISK_WAS_FULL and not found.fills:
            yield "its disk was not full"
    elif job.failure is Failure.SETUP and found.fills:
        return
    # What was lost before it could be killed is not started again.
    elif not (job.index in found.wanted and found.loses):
        yield "nothing that happened is a reason to fail for good"


def _of_kind(found: Found, job: JobRecord, kind: str, own: list[Start]) -> Iterator[str]:
    if job.index in found.wanted:
        if kind == "victim" and job.status is JobStatus.FINISHED:
            yield "it cannot end by itself"
        return
    failed = sum(start.rc not in (None, 0, DISK_WAS_FULL) for start in own)
    due = {"flaky": 1, "broken": 1 + RETRIES}.get(kind, 0)
    if failed < due and not found.fills:
        yield f"it failed {failed} times, not {due}"
    if job.failure is Failure.EXIT and kind != "broken" and not found.fills:
        yield "a job of its kind does not fail for good"
    if failed > due and not found.loses:
        yield f"it failed {failed} times, not {due}"


# --- twice -------------------------------------------------------------------------------------------


def _twice(found: Found, job: JobRecord, own: list[Start]) -> Iterator[str]:
    if any(start.beside for start in own):
        yield "two lived at once"
    for old, new in pairwise(own):
        if old.ended is not None and new.began < old.ended:
            yield "two ran at once"
        if new.attempt == old.attempt:
            yield from _started_again(found, old, new)
        elif new.attempt < old.attempt:
            yield "an attempt started after a later one"
        else:
            yield from _next_attempt(found, old)
    if job.status is JobStatus.FINISHED and any(start.attempt > job.attempt for start in own):
        yield "it had finished before its last start"


def _started_again(found: Found, old: Start, new: Start) -> Iterator[str]:
    if old.jid != new.jid or old.restart >= new.restart or not found.loses:
        yield "an attempt was started twice"
    elif _is_recorded(found, old):
        yield "an attempt that had finished was started again"


def _next_attempt(found: Found, old: Start) -> Iterator[str]:
    entry = found.settled.get((old.index, old.attempt))
    if entry is None:
        yield f"attempt {old.attempt} had not ended when the next one began"
    elif entry["to"] == JobStatus.FAILED and entry.get("failure") == Failure.EXIT:
        if old.rc == 0:
            yield f"attempt {old.attempt} had not failed"
    elif not found.loses:
        yield f"attempt {old.attempt} cannot have ended by itself ({entry.get('failure')})"
    elif _is_recorded(found, old):
        yield f"attempt {old.attempt} had finished, and that is on record"


def _is_recorded(found: Found, start: Start) -> bool:
    """Tell whether the record of a start tells of a good end.

    What was killed between its end and the record of it has to run again.
    """
    own = [c for i, a, c in found.claims if (i, a) == (start.index, start.attempt)]
    taken = [claim for claim in own if (claim.claimed or 0.0) * 1e6 <= start.began]
    return bool(taken) and max(taken, key=lambda claim: claim.claimed or 0.0).finished


# --- words -------------------------------------------------------------------------------------------


def _state_of(job: JobRecord) -> str:
    words = [job.status.name, job.failure.value if job.failure else ""]
    words += ["" if job.rc is None else f"rc {job.rc}", f"attempt {job.attempt}"]
    words += [f"({job.reason})" if job.reason else "", "interrupted" if job.interrupted else ""]
    return " ".join(filter(None, words))


def _listed(starts: Sequence[Start]) -> str:
    return "; ".join(map(str, starts)) or "nothing"
