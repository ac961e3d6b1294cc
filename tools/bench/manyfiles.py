"""The first task of docs/compared.md: a thousand files compressed by sched and by others, in turn."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from statistics import median

from .figures import Figure, ratio_of_medians, unavailable
from .measuring import Failed, interleave, timed
from .peers import NOT_INSTALLED, peer_python, peer_version
from .sizes import Sizes

__all__ = ["many_files"]

_CASE = "files"
_SLOTS = 2
_SCHED = str(Path(sys.executable).with_name("sched"))
_HAND = "xargs, no records"
_LINES = {
    _HAND: "printf '%s\\n' *.txt | xargs -P{slots} -I{{}} gzip -k {{}}",
    "sched run": "'{sched}' run -w run -j{slots} -- gzip -k ::: *.txt",
}
_PARALLEL = {
    "GNU parallel, no records": "parallel --will-cite -j{slots} gzip -k ::: *.txt",
    "GNU parallel": "parallel --will-cite -j{slots} --joblog log --results out gzip -k ::: *.txt",
}
_HYPERQUEUE = """
import glob
from hyperqueue import Job, LocalCluster
from hyperqueue.cluster import WorkerConfig
with LocalCluster(worker_config=WorkerConfig(cores={slots})) as cluster:
    client, job = cluster.client(), Job()
    for name in glob.glob("*.txt"):
        job.program(["gzip", "-k", name])
    client.wait_for_jobs([client.submit(job)])
"""


def many_files(sizes: Sizes, scratch: Path) -> list[Figure]:
    """1000 x gzip of a small file, two at a time, as each program is typed; whole processes."""
    count = sizes.engine_jobs
    others, missing = _others()
    commands = {name: ["sh", "-c", _fill(line)] for name, line in _LINES.items()} | others
    found = interleave(sizes.rounds, _measures(commands, count), scratch)
    rows = [_row(name, found.get(name), found.get(_HAND), count) for name in commands]
    return [*rows, *missing]


def _others() -> tuple[dict[str, list[str]], list[Figure]]:
    commands: dict[str, list[str]] = {}
    missing: list[Figure] = []
    if shutil.which("parallel"):
        commands |= {name: ["sh", "-c", _fill(line)] for name, line in _PARALLEL.items()}
    else:
        missing.append(unavailable(f"{_CASE} peers", "GNU parallel", "not installed"))
    if version := peer_version("hyperqueue"):
        script = _fill(_HYPERQUEUE)
        commands[f"HyperQueue {version}, from Python"] = [str(peer_python()), "-c", script]
    else:
        missing.append(unavailable(f"{_CASE} peers", "HyperQueue", NOT_INSTALLED))
    return commands, missing


def _fill(line: str) -> str:
    return line.format(sched=_SCHED, slots=_SLOTS)


def _measures(
    commands: Mapping[str, Sequence[str]], count: int
) -> dict[str, Callable[[Path], float]]:
    return {name: partial(_take, command, count) for name, command in commands.items()}


def _take(command: Sequence[str], count: int, folder: Path) -> float:
    for number in range(count):
        (folder / f"{number}.txt").write_text(f"line {number}\n" * 20)
    seconds = timed(command, folder)
    made = len(list(folder.glob("*.gz")))
    if made != count:
        raise Failed(f"{made} of {count} files are compressed")
    return seconds


def _row(
    name: str, ours: Sequence[float] | None, hand: Sequence[float] | None, count: int
) -> Figure:
    if not ours:
        return unavailable(_CASE, name, "failed, see above")
    note = f"{ratio_of_medians(ours, hand):.2f} times xargs" if hand else ""
    each = tuple(seconds / count * 1e3 for seconds in ours)
    return Figure(
        case=_CASE, what=name, value=median(each), unit="ms a file", samples=each, note=note
    )
