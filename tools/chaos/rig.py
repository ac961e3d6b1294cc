"""What a backend is to a round: a real engine that runs, how a run on it is made, and what can go wrong there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from sched_core import JobStatus
from sched_core.ports import system_ports
from sched_core.runfolder import JobRecord, read_run
from sched_core.text.claim import Claim, parse_claim, parse_claim_name

from .faults import Fault, NotNow
from .plan import Size

__all__ = ["CannotStart", "Rig", "Start", "a_running_job", "claims_of"]


class CannotStart(RuntimeError):
    """The engine cannot be started here; the message says what it takes."""


@dataclass
class Rig:
    """One engine, up and running."""

    scheduler: str
    size: Size
    env: Mapping[str, str]
    """The environment of drivers."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Of the scheduler, as in sched.toml."""
    faults: Callable[[Path], Mapping[str, Fault]] = lambda folder: {}
    """What can go wrong with the engine, and with the run in a folder."""
    left: Callable[[str], list[str]] = lambda run: []
    """Return what the engine still has of a run."""
    hurry: Callable[[], None] = lambda: None
    """Have the engine wait for nothing; called now and then."""
    tell: Callable[[], str] = lambda: ""
    """Return what the engine says of itself, for whoever looks into a round."""
    elsewhere: bool = True
    """Whether a driver in other namespaces can go on with a run."""
    place: Callable[[str], tuple[str, Path]] | None = None
    """By the name of a round: the run as drivers call it, and the folder in which it lies."""


Start = Callable[[Path], AbstractContextManager[Rig]]
"""Start an engine in a folder, for a block. Raises CannotStart."""


def a_running_job(folder: Path, chance: Random) -> JobRecord:
    """Return one of the jobs that run, by the run's journal. Raises NotNow."""
    try:
        jobs = read_run(folder, system_ports(str(folder))).jobs.values()
    except (LookupError, OSError, ValueError, RuntimeError) as error:
        raise NotNow from error
    if not (running := [job for job in jobs if job.status is JobStatus.RUNNING and job.jid]):
        raise NotNow
    return chance.choice(running)


def claims_of(folder: Path) -> Iterator[tuple[int, int, Claim]]:
    """Return index, attempt and content of all claims that a run's folder has, fences apart."""
    for path in folder.glob("*/job.claim.*"):
        name = parse_claim_name(path.name)
        if name is not None and path.parent.name.isdecimal():
            claim = parse_claim(path.read_bytes())
            if not claim.is_fence:
                yield int(path.parent.name), name[0], claim
