"""The page that people read, made of the JSON file alone."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from ..table import number
from .summary import Line, lines_of

__all__ = ["page"]

_INTRODUCTION = """\
# Side by side

What a job costs that does nothing: `/bin/true` many times by sched and by other programs, on each engine that they share. Each runs as its own
manual shows it, in a fresh process and folder, and all in turn, round after round, so that whatever else the machine does befalls them alike.
Times hold all but the import of a library: submission, what is kept of each job, and the moment at which the last end is known.

This page is made by

```sh
python3 tools/dev.py run bench --install-peers --all   # as root, for the engines
python3 tools/dev.py run bench --plot
```

of [results.json](results.json), which holds every sample. `bench --all slurm` measures one engine anew.

How to read it:

- *ms a job* is the median of the rounds over the jobs of a round, with the least and the most; *times sched* compares it with sched's library.
- *driver CPU* is what the program's own process used a job, without what it started.
- It is paid once a job: beside jobs of minutes most of it does not matter.
- Programs do not keep the same. One that keeps nothing, or only tells its caller, is not to be had at the price of one that can go on after a
  crash: *keeps* says what is left of a job.
- What is faster than sched saves what makes a job's end certain. executorlib's workers start each command from a Python that stays, without a
  shell; Parsl's threads have a shell a job, as sched has, but none that claims the attempt and records its end. A plain array on a cluster has no recorder,
  which is five to seven milliseconds of CPU a task, and a Batch job by hand brings nothing into the bucket.
- All run on one machine, whose processors engines, jobs and drivers share. What a task costs there is CPU, not waiting; a real cluster adds its
  own delays to all of them.
"""


def page(fields: Sequence[Mapping[str, Any]]) -> str:
    """Return the whole page."""
    return "\n".join([_INTRODUCTION, *map(_section, fields)])


def _section(field: Mapping[str, Any]) -> str:
    parts = [f"## {field['title']}\n", *_facts(field)]
    if field["failure"]:
        return "\n".join([*parts, f"Could not be measured: {field['failure']}\n"])
    lines = lines_of(field)
    parts += [_picture(field, lines), *_table(lines), "", *map(_remark, lines), ""]
    return "\n".join(parts)


def _facts(field: Mapping[str, Any]) -> list[str]:
    day = time.strftime("%Y-%m-%d", time.gmtime(field["at"]))
    machine = f"{field['cpus']} processors, {field['python']}, bash {field['bash']}"
    return [f"{field['engine']}; {field['at_once']}; {machine}; {day}; {_load(field)}.\n"]


def _load(field: Mapping[str, Any]) -> str:
    samples = [row["samples"] for row in field["rows"]]
    rounds = max(map(len, samples), default=0)
    said = [_load_of([each[n] for each in samples if n < len(each)]) for n in range(rounds)]
    return f"load before and after the samples, by round: {', '.join(said)}" if said else "no load"


def _load_of(samples: Sequence[Mapping[str, Any]]) -> str:
    loads = [load for sample in samples for load in sample["load"]]
    return f"{min(loads):.1f} to {max(loads):.1f}"


def _picture(field: Mapping[str, Any], lines: Sequence[Line]) -> str:
    told = ", ".join(f"{each.name} {number(each.typical)}" for each in lines if each.each)
    name = field["name"]
    return (
        "<picture>\n"
        f'  <source media="(prefers-color-scheme: dark)" srcset="{name}-dark.svg">\n'
        f'  <img src="{name}-light.svg" alt="Milliseconds a job: {told}">\n'
        "</picture>\n"
    )


_HEAD = (
    "program",
    "version",
    "jobs",
    "ms a job",
    "least to most",
    "times sched",
    "driver CPU, ms a job",
    "keeps",
)
_RULE = "|---|---|---:|---:|---:|---:|---:|---|"


def _table(lines: Sequence[Line]) -> list[str]:
    return [_cells(_HEAD), _RULE, *(_cells(_row(line)) for line in lines)]


def _row(line: Line) -> tuple[str, ...]:
    name = f"**{line.name}**" if line.ours else line.name
    if not line.each:
        return (name, line.version, "", "", "", "", "", line.keeps)
    return (
        name,
        line.version,
        str(line.jobs),
        number(line.typical),
        line.spread,
        number(line.ratio),
        "" if line.cpu is None else number(line.cpu),
        line.keeps,
    )


def _cells(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _remark(line: Line) -> str:
    words = [line.note] if line.note else []
    if line.failure:
        rounds = f"after {len(line.each)} rounds " if line.each else ""
        words.append(f"could not be measured {rounds}({line.failure})")
    if line.manual:
        words.append(f"[manual]({line.manual})")
    return f"- {line.name}: {'; '.join(words) or 'as it is'}."
