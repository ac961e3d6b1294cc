"""On this machine, two jobs at a time."""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from ..contest import Took
from ..measuring import timed, workload
from ..peers import parallel_version, program_version
from .contender import Contender, Field, ours, peer

__all__ = ["LOCAL"]

_SLOTS = 2
_SCHED = str(Path(sys.executable).with_name("sched"))


def _library(jobs: int, folder: Path) -> Took:
    measured = workload("throughput", folder, jobs=jobs, forks=_SLOTS)
    return float(measured["seconds"]), float(measured["cpu"])


def _command_line(jobs: int, folder: Path) -> Took:
    listed = folder / "jobs.jsonl"
    listed.write_text((json.dumps({"cmd": ["/bin/true"]}) + "\n") * jobs)
    options = ["-w", "run", "-j", str(_SLOTS), "--no-progress", "--from", listed.name]
    return timed([_SCHED, "run", *options], folder), None


def _line(words: str, jobs: int, folder: Path) -> Took:
    """Run a line of shell that gets the jobs' numbers."""
    return timed(["sh", "-c", f"seq {jobs} | {words}"], folder), None


_XARGS = f"xargs -P{_SLOTS} -I{{}} bash -c '/bin/true; :'"
_PARALLEL = f"parallel --will-cite -j{_SLOTS} --joblog log --results out -N0 /bin/true"


@contextmanager
def _open(_: Path) -> Iterator[Sequence[Contender]]:
    yield [*_ours(), *_programs(), *_peers()]


def _ours() -> list[Contender]:
    return [
        ours("sched, library", 1000, _library),
        ours("sched run", 1000, _command_line, "whole process"),
    ]


def _programs() -> list[Contender]:
    return [
        Contender(
            name="xargs",
            jobs=1000,
            act=partial(_line, _XARGS),
            keeps="nothing",
            version=program_version("xargs", "--version").rpartition(" ")[2],
            note="whole process, a bash a job",
        ),
        Contender(
            name="GNU parallel",
            jobs=250,
            act=partial(_line, _PARALLEL),
            keeps="outputs in files; exit code and times in a log; can be resumed",
            version=parallel_version(),
            manual="https://www.gnu.org/software/parallel/man.html",
            note="whole process, --joblog --results",
            missing="" if parallel_version() else "not installed",
        ),
    ]


def _peers() -> list[Contender]:
    return [
        peer(
            "hyperqueue",
            "by_hyperqueue.local",
            name="HyperQueue, Python API",
            jobs=1000,
            slots=_SLOTS,
            keeps="outputs in files; states while its server lives",
            manual="https://it4innovations.github.io/hyperqueue/stable/python/",
            note="its server starts within the time",
        ),
        peer(
            "parsl",
            "by_parsl.threads",
            name="Parsl, threads",
            jobs=1000,
            slots=_SLOTS,
            keeps="outputs in files; exit code to the caller",
            manual="https://parsl.readthedocs.io/en/stable/userguide/configuration/",
            note="a shell a job",
        ),
        peer(
            "parsl",
            "by_parsl.pilot",
            name="Parsl, HighThroughput",
            jobs=500,
            slots=_SLOTS,
            keeps="outputs in files; exit code to the caller",
            manual="https://parsl.readthedocs.io/en/stable/userguide/configuration/",
            note="its workers start within the time",
        ),
        peer(
            "psij-python",
            "by_psij.local",
            name="PSI/J",
            jobs=50,
            slots=_SLOTS,
            keeps="outputs in files; exit code to the caller",
            manual="https://exaworks.org/psij-python/",
            note="two threads wait for a job each",
        ),
        peer(
            "submitit",
            "by_submitit.local",
            name="submitit",
            jobs=4,
            slots=_SLOTS,
            keeps="outputs and the pickled result in files",
            manual="https://github.com/facebookincubator/submitit#quick-start",
            note="a Python a job",
        ),
        peer(
            "executorlib",
            "by_executorlib.local",
            name="executorlib",
            jobs=12,
            slots=_SLOTS,
            keeps="the function's result to the caller",
            manual="https://executorlib.readthedocs.io/en/latest/1-single-node.html",
            note="a Python a job",
        ),
        peer(
            "executorlib",
            "by_executorlib.workers",
            name="executorlib, workers",
            jobs=2000,
            slots=_SLOTS,
            keeps="the function's result to the caller",
            manual="https://executorlib.readthedocs.io/en/latest/1-single-node.html",
            note="block_allocation=True: two Pythons for all jobs",
        ),
        peer(
            "xqute",
            "by_xqute.local",
            name="xqute",
            jobs=4,
            slots=_SLOTS,
            keeps="outputs, exit code and status in files",
            manual="https://github.com/pwwang/xqute",
            note="looks at each job once a second",
        ),
    ]


def _versions() -> str:
    return f"Linux {platform.release().partition('-')[0]}"


LOCAL = Field("local", "This machine", "2 at a time", _versions, _open)
