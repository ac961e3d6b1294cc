"""The commands that lead to such a run again."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sched_core.model.units import format_memory, format_time, parse_memory

from ..reading.wishes import resources_of
from ..wording import one_line

if TYPE_CHECKING:
    from sched_core.runfolder import JobRecord

    from .data import Report

__all__ = ["commands"]

_LONGEST = 2000
"""Characters of a command that somebody may still want to paste."""
_FORM = re.compile(r"\{[0-9./#]*\}")


def commands(report: Report) -> list[str]:
    """Return what to type, a command a line, where the run was begun."""
    begin = ["sched", "run", *_options(report)]
    behind = _command_and_values(list(report.jobs.values()))
    where = f"cd {shlex.quote(report.run.directory)}"
    if behind is not None:
        line = " ".join([*begin, "--", *behind])
        if len(line) <= _LONGEST:
            return [where, line]
    # One column of lines that a shell reads back to the same words; names and the like are not in it.
    listed = f"sched results {report.folder} --format tsv --columns cmd | tail -n +2 >jobs.txt"
    return [where, listed, " ".join([*begin, "--from", "jobs.txt"])]


def _options(report: Report) -> Iterator[str]:
    options = report.run.options
    yield from ("-s", shlex.quote(report.run.scheduler))
    if options.get("forks"):
        yield from ("-j", str(options["forks"]))
    if options.get("error_strategy") == "retry" and options.get("num_retries"):
        yield from ("--retries", str(options["num_retries"]))
    elif options.get("error_strategy") == "halt":
        yield from ("--on-error", "halt")
        if options.get("halt") == "soon":
            yield from ("--halt", "soon")
    yield from _wishes(options)


def _wishes(options: Mapping[str, Any]) -> Iterator[str]:
    wanted, timeout = resources_of(options, None), options.get("timeout")
    limits = (timeout,) if timeout else wanted.amounts("time")
    if limits:
        yield from ("--time", ",".join(map(format_time, limits)))
    if wanted.cpus:
        yield from ("--cpus", f"{wanted.cpus:g}")
    if wanted.memory:
        yield from ("--memory", ",".join(_exact(int(size)) for size in wanted.amounts("memory")))
    if wanted.gpus:
        yield from ("--gpus", str(wanted.gpus))


def _exact(size: int) -> str:
    short = format_memory(size).replace(" ", "")
    return short if parse_memory(short) == size else f"{size}B"


def _command_and_values(jobs: Sequence[JobRecord]) -> list[str] | None:
    """Return what stands behind --, None where one line cannot tell all of the jobs."""
    if not jobs or any(_is_special(job) for job in jobs):
        return None
    first = jobs[0].cmd
    if len(jobs) == 1:
        return [one_line(first)]
    differing = _where_they_differ(jobs)
    if differing is None or any(_FORM.search(word) or word[:3] == ":::" for word in first):
        return None
    words = [*first[:differing], "{}", *first[differing + 1 :]]
    values = [one_line([job.cmd[differing]]) for job in jobs]
    command = [word if word == "{}" else one_line([word]) for word in words]
    return [*command, ":::", *values]


def _is_special(job: JobRecord) -> bool:
    own = (job.name, job.envs, job.secrets, job.resources, job.timeout)
    return any((*own, job.inputs, job.outputs, job.container)) or any(
        word.startswith(":::") for word in job.cmd
    )


def _where_they_differ(jobs: Sequence[JobRecord]) -> int | None:
    """Return the number of the one word that is another one in each job."""
    first = jobs[0].cmd
    if any(len(job.cmd) != len(first) for job in jobs):
        return None
    differing = {n for job in jobs for n in range(len(first)) if job.cmd[n] != first[n]}
    return differing.pop() if len(differing) == 1 else None
