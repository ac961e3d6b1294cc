"""Rounds on one backend, one after the other, each in folders of its own, until the time is over."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .director import Director, Round
from .evidence import look
from .faults import Disk, Fault
from .oracle import Violation, judge
from .plan import plan_round
from .processes import end_all, with_variable
from .report import Figures
from .rig import CannotStart, Rig, Start

__all__ = ["Stopped", "UnknownFault", "Wish", "run_rounds"]

_SHOWN = 12
"""Violations of a round that are told one by one."""

Say = Callable[[str], None]


class UnknownFault(ValueError):
    """A fault was wished for that the backend does not know; the message says which there are."""


class Stopped(Exception):
    """A round has shown something that must not be."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for."""

    seed: int
    seconds: float
    faults: Sequence[str] = ()
    """Only these, by their names; empty: all."""


def run_rounds(start: Start, figures: Figures, wish: Wish, say: Say) -> None:
    """Do rounds until the time is over; count in `figures`. Raises Stopped."""
    root = Path(tempfile.mkdtemp(prefix="sched-chaos-"))
    root.chmod(0o755)
    began = time.monotonic()
    try:
        (root / "engine").mkdir(mode=0o755)
        with start(root / "engine") as rig, _disk(root, rig) as disk:
            _check(wish, figures, Director.fault_names(rig, disk))
            began = time.monotonic()
            while time.monotonic() - began < wish.seconds:
                _one_round(rig, root, disk, figures, wish, say)
    except CannotStart as error:
        figures.note = str(error)
    finally:
        figures.seconds += time.monotonic() - began
        shutil.rmtree(root, ignore_errors=True)


def _check(wish: Wish, figures: Figures, names: Sequence[str]) -> None:
    unknown = [name for name in wish.faults if name not in names]
    if unknown:
        told = f"there is no fault {unknown[0]!r}; on {figures.backend} there are "
        raise UnknownFault(told + ", ".join(names))


@contextmanager
def _disk(root: Path, rig: Rig) -> Iterator[Mapping[str, Fault]]:
    """Have a small disk for runs that lie on one, where this process may mount it."""
    folder = root / "disk"
    if os.geteuid() or rig.place:
        folder.mkdir()
        yield {}
        return
    disk = Disk(folder)
    try:
        yield {"disk full": disk.fault()}
    finally:
        disk.unmount()


def _one_round(
    rig: Rig, root: Path, disk: Mapping[str, Fault], figures: Figures, wish: Wish, say: Say
) -> None:
    number = figures.rounds + 1
    names = Director.fault_names(rig, disk)
    faults = [name for name in names if name in wish.faults or not wish.faults]
    plan = plan_round(wish.seed, number, faults, rig.size)
    place = _make_place(rig, root, number)
    began = time.monotonic()
    director = Director(rig, place, plan, disk)
    try:
        director.direct()
        found = look(rig, place, director, [one.kind for one in plan.work])
        violations = judge(found)
    finally:
        figures.faults += director.met
        figures.drivers_killed += director.drivers.killed
        end_all(with_variable(director.mark))
    figures.rounds = number
    figures.jobs += len(found.jobs)
    figures.starts += len(found.starts)
    took = time.monotonic() - began
    say(f"round {number}: {len(found.jobs)} jobs in {took:.0f} s; {_words(director.met)}")
    for end in director.drivers.ends:
        say(f"  {end}")
    if violations:
        _tell(violations, place, figures, wish.seed, say)
        raise Stopped
    shutil.rmtree(place.folder)
    shutil.rmtree(place.run, ignore_errors=True)
    shutil.rmtree(place.marks)


def _make_place(rig: Rig, root: Path, number: int) -> Round:
    name = f"round-{number}"
    folder, marks = root / name, root / "engine" / "marks" / name
    folder.mkdir()
    marks.mkdir(parents=True)
    # On hosts jobs are another user's.
    marks.chmod(0o777)
    run = root / "disk" / name
    workdir, run = rig.place(name) if rig.place else (str(run), run)
    return Round(name, folder, workdir, run, marks)


# --- words -------------------------------------------------------------------------------------------


def _words(met: Counter[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(met.items())) or "nothing met"


def _tell(violations: list[Violation], place: Round, figures: Figures, seed: int, say: Say) -> None:
    """Keep what shows it, and say where."""
    figures.violations += Counter(violation.kind for violation in violations)
    kept = Path(tempfile.mkdtemp(prefix=f"sched-chaos-kept-{figures.backend}-"))
    for name, path in {"here": place.folder, "run": place.run, "marks": place.marks}.items():
        if path.exists():
            subprocess.run(["cp", "-a", path, kept / name], check=False)
    for violation in violations[:_SHOWN]:
        say(f"  {violation.kind}: {violation.what}")
    if len(violations) > _SHOWN:
        say(f"  and {len(violations) - _SHOWN} more")
    say(
        f"seed {seed}, round {figures.rounds} on {figures.backend}: {len(violations)} things that "
        f"must not be; the run, what drivers said and the jobs' notes are in {kept}"
    )
    sys.stderr.flush()
