"""The evidence of a round: what its folder, the jobs' notes, this machine and the engine show."""

from __future__ import annotations

import os
import stat
import subprocess
import time
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from sched_core import JobStatus
from sched_core.ports import system_ports
from sched_core.runfolder import JobRecord, Layout, read_journal, read_run, replay

from .director import Director, Round
from .marks import read_starts
from .oracle import Found
from .processes import with_variable
from .rig import Rig, claims_of

__all__ = ["look"]

_SETTLING = 30.0
"""Seconds in which what jobs have left in the background has to end."""


def look(rig: Rig, place: Round, director: Director, kinds: Sequence[str]) -> Found:
    """Look at all that a round has left, and wait a while for what has still to go."""
    ports = system_ports(str(place.run))
    left = _left(rig, read_run(place.run, ports).run.run, director.mark)
    # Only then: what is still there might have done something more.
    entries = list(read_journal(ports.files, Layout(str(place.run))))
    jobs = replay(entries)
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
        left=left,
        # In a bucket permissions are nobody's but the bucket's.
        wrong=[*director.complaints(), *([] if rig.place else _open_to_others(place.run))],
    )


def _settled(entries: list[Any]) -> dict[tuple[int, int], Mapping[str, Any]]:
    moves = [entry for entry in entries if "state" in entry]
    return {(e["state"], e["attempt"]): e for e in moves if JobStatus(e["to"]).final}


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
        found += _left_to_the_engine(rig, run)
        if not found or time.monotonic() > until:
            return found
        time.sleep(0.2)


def _left_to_the_engine(rig: Rig, run: str) -> list[str]:
    try:
        return [f"{what} of the engine" for what in rig.left(run)]
    except (subprocess.SubprocessError, RuntimeError, OSError) as error:
        # A daemon that was struck last may just be coming back.
        return [f"whatever the engine has, which cannot be asked: {error}"]


def _open_to_others(run: Path) -> list[str]:
    """Return what a run's folder has that others may read."""
    paths: Collection[Path] = [run, *run.rglob("*")] if run.exists() else []
    modes = {path: stat.S_IMODE(path.lstat().st_mode) for path in paths if not path.is_symlink()}
    return [f"{path} has the mode {mode:o}" for path, mode in modes.items() if mode & 0o077][:3]
