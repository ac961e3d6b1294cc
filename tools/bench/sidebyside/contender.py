"""Who takes part: one way to run the commands, and what it leaves of each."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import version
from pathlib import Path

from ..contest import Took
from ..measuring import Environment, Failed
from ..peers import NOT_INSTALLED, peer_version, run_peer
from ..sizes import Sizes

__all__ = [
    "Act",
    "Contender",
    "Field",
    "Result",
    "Round",
    "absent",
    "ours",
    "peer",
    "take_turns",
]

Act = Callable[[int, Path], Took]
"""Runs so many jobs in an empty folder. Raises Failed."""

_OURS_KEEP = "outputs, exit code, times and host of every attempt in files; can be resumed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """One program, as its own manual shows it."""

    name: str
    jobs: int
    act: Act
    keeps: str
    """What is left of a job when all is over."""
    version: str = ""
    manual: str = ""
    """Where its manual shows this."""
    note: str = ""
    missing: str = ""
    """Why it cannot be run."""
    ours: bool = False
    """The first of ours is what others are compared with."""


@dataclass(frozen=True, slots=True)
class Round:
    """What one round took, and the machine's load before and after it."""

    seconds: float
    cpu: float | None
    load: tuple[float, float]


@dataclass(slots=True)
class Result:
    """A contender's rounds, and the message of the one that failed, after which there are none."""

    contender: Contender
    jobs: int
    rounds: list[Round] = field(default_factory=list)
    failure: str = ""


@dataclass(frozen=True, slots=True)
class Field:
    """One engine: `open` starts it for a block, and gives who can run there."""

    name: str
    title: str
    at_once: str
    """How many jobs run at once, for a reader."""
    versions: Callable[[], str]
    open: Callable[[Path], AbstractContextManager[Sequence[Contender]]]


def take_turns(contenders: Sequence[Contender], sizes: Sizes, scratch: Path) -> list[Result]:
    """Let all run in turn, round after round, so that what else the machine does befalls all."""
    results = [
        Result(each, max(2, round(each.jobs * sizes.share)), failure=each.missing)
        for each in contenders
    ]
    for number in range(sizes.engine_rounds):
        print(f"  round {number + 1} of {sizes.engine_rounds}", file=sys.stderr, flush=True)
        for result in results:
            if not result.failure:
                _take(result, scratch / "turn")
    return results


def _take(result: Result, folder: Path) -> None:
    name = result.contender.name
    folder.mkdir()
    before = os.getloadavg()[0]
    try:
        seconds, cpu = result.contender.act(result.jobs, folder)
    except (Failed, OSError) as error:
        result.failure = str(error)
        print(f"    {name} failed: {error}", file=sys.stderr, flush=True)
    else:
        result.rounds.append(Round(seconds, cpu, (before, os.getloadavg()[0])))
        print(f"    {name}: {result.jobs} jobs, {seconds:.1f} s", file=sys.stderr, flush=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def ours(name: str, jobs: int, act: Act, note: str = "") -> Contender:
    """Return one of ours."""
    told = {"keeps": _OURS_KEEP, "version": version("sched-core"), "note": note}
    return Contender(name=name, jobs=jobs, act=act, ours=True, **told)


def absent(name: str, why: str) -> Contender:
    """Return one that cannot take part."""

    def act(jobs: int, folder: Path) -> Took:
        raise Failed(why)

    return Contender(name=name, jobs=0, act=act, keeps="", missing=why)


def peer(
    package: str,
    function: str,
    *,
    name: str,
    jobs: int,
    keeps: str,
    manual: str,
    slots: int | None = None,
    env: Environment | None = None,
    note: str = "",
    limit: float = 120,
) -> Contender:
    """Return a peer of Python, whose function is one of the modules in theirs/; as many at once as
    there are jobs where `slots` does not say.
    """
    found = peer_version(package)
    act = partial(_run_peer, function, slots, env, limit)
    missing = "" if found else NOT_INSTALLED
    return Contender(
        name=name,
        jobs=jobs,
        act=act,
        keeps=keeps,
        version=found,
        manual=manual,
        note=note,
        missing=missing,
    )


def _run_peer(
    function: str,
    slots: int | None,
    env: Environment | None,
    limit: float,
    jobs: int,
    folder: Path,
) -> Took:
    return run_peer(function, jobs, slots or jobs, folder, env, limit)
