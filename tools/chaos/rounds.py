"""Rounds on one backend, one after the other, each in folders of its own, until the time is over."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sched_core import JobStatus
from sched_core.ports import system_ports
from sched_core.runfolder import JobRecord, Layout, read_journal, read_run, replay

from .director import Director, Round
from .faults import Disk, Fault
from .marks import read_starts
from .oracle import Found, Violation, judge
from .plan import plan_round
from .processes import end_all, with_variable
from .report import Figures
from .rig import CannotStart, Rig, Start, claims_of

__all__ = ["Stopped", "UnknownFault", "Wish", "run_rounds"]

_SETTLING = 20.0
"""Seconds in which what jobs have left in the background has to end."""

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
        found = _look(rig, place, director, [one.kind for one in plan.work])
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


# --- evidence ----------------------------------------------------------------------------------------


def _look(rig: Rig, place: Round, director: Director, kinds: list[str]) -> Found:
    ports = system_ports(str(place.run))
    entries = list(read_journal(ports.files, Layout(str(place.run))))
    jobs = replay(entries)
    run = read_run(place.run, ports).run.run
    return Found(
        kinds=kinds,
        jobs=jobs,
        settled=_settled(entries),
        starts=read_starts(os.listdir(place.marks)),
        outputs=_outputs(place, jobs),
        claims=list(claims_of(place.run)),
        wanted=director.wanted,
        loses=director.loses,
        fills=director.fills,
        left=_left(rig, run, director.mark),
        # In a bucket permissions are nobody's but the bucket's.
        wrong=[*director.complaints(), *([] if rig.place else _open_to_others(place.run))],
    )


def _settled(entries: list[Any]) -> dict[tuple[int, int], Mapping[str, Any]]:
    final = (JobStatus.FINISHED, JobStatus.FAILED, JobStatus.KILLED)
    return {(e["state"], e["attempt"]): e for e in entries if "state" in e and e["to"] in final}


def _outputs(place: Round, jobs: Mapping[int, JobRecord]) -> dict[int, tuple[str, str]]:
    done = [index for index, job in jobs.items() if job.status is JobStatus.FINISHED]
    return {index: _written(place.run / str(index)) for index in done}


def _written(metadir: Path) -> tuple[str, str]:
    names = ("job.stdout", "job.stderr")
    found = [(metadir / name).read_text(errors="replace") for name in names]
    return found[0], found[1]


def _left(rig: Rig, run: str, mark: str) -> list[str]:
    """Look until nothing is left, or it should have gone."""
    until = time.monotonic() + _SETTLING
    while True:
        found = [f"process {one}" for one in with_variable(f"SCHED_JOB_TOKEN={run}-", mark)]
        found += [f"{what} of the engine" for what in rig.left(run)]
        if not found or time.monotonic() > until:
            return found
        time.sleep(0.2)


def _open_to_others(run: Path) -> list[str]:
    """Return what a run's folder has that others may read."""
    paths: Collection[Path] = [run, *run.rglob("*")] if run.exists() else []
    modes = {path: stat.S_IMODE(path.lstat().st_mode) for path in paths if not path.is_symlink()}
    return [f"{path} has the mode {mode:o}" for path, mode in modes.items() if mode & 0o077][:3]


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
