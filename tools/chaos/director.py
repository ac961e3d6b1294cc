"""A round: jobs, drivers, and strikes at what they stand on; then the evidence."""

from __future__ import annotations

import heapq
import itertools
import json
import os
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from sched_core.ports import system_ports
from sched_core.runfolder import read_run

from .drivers import MARK, SCHED, Drivers, faults_told
from .faults import Fault, NotNow, faults_of_drivers
from .plan import Plan, Strike
from .rig import Rig
from .work import RETRIES, jobs_file

__all__ = ["PATIENCE", "Director", "Round"]

PATIENCE = 400.0
"""Seconds after the last strike in which all jobs are to end."""
_TICK = 0.05
_HURRY = 3.0


@dataclass(frozen=True, slots=True)
class Round:
    """Where a round takes place."""

    name: str
    folder: Path
    """Where drivers are started, and what they say is kept."""
    workdir: str
    """The run, as drivers call it."""
    run: Path
    """The folder in which the run lies."""
    marks: Path
    """Where the jobs make their notes."""


class Director:
    """Has a plan happen."""

    def __init__(self, rig: Rig, place: Round, plan: Plan, disk: Mapping[str, Fault]) -> None:
        self._rig, self._place, self._plan = rig, place, plan
        (place.folder / "sched.toml").write_text(_settings(rig))
        (place.folder / "jobs.jsonl").write_text(jobs_file(plan.work, place.marks))
        self.mark = f"{MARK}={os.getpid()}-{place.name}"
        env = {**rig.env, MARK: self.mark.partition("=")[2]}
        chance = Random(place.name)
        self.drivers = Drivers(self._argv(), place.folder, env, chance, self._all_ended)
        self._faults = {
            **rig.faults(place.run),
            **disk,
            **faults_of_drivers(self.drivers, elsewhere=rig.elsewhere),
            "jobs killed": Fault(self._kill_some),
        }
        self._env = env
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._ends: dict[str, Callable[[], None]] = {}
        self._kills: list[subprocess.Popen[bytes]] = []
        self.met: Counter[str] = Counter()
        self.wanted: set[int] = set()
        self.loses = self.fills = False
        self.hangs = ""
        self._asked, self._asked_last = 0.0, False

    def _argv(self) -> list[str]:
        options = ["-w", self._place.workdir, "-s", self._rig.scheduler, "--resume"]
        options += ["-j", str(self._rig.size.forks), "--retries", str(RETRIES)]
        return [SCHED, "run", *options, "--on-error=retry", "--no-progress", "--from=jobs.jsonl"]

    @staticmethod
    def fault_names(rig: Rig, disk: Mapping[str, Fault]) -> list[str]:
        """Return the names of all that can happen on an engine."""
        nobody: Any = None
        own = faults_of_drivers(nobody, elsewhere=rig.elsewhere)
        return sorted([*rig.faults(Path()), *disk, *own, "jobs killed"])

    # --- what happens ----------------------------------------------------------------------------

    def direct(self) -> None:
        """Have it all happen, until all jobs have ended or patience has."""
        began = time.monotonic()
        for strike in self._plan.strikes:
            self._at(began + strike.at, lambda strike=strike: self._strike(strike))  # type: ignore[misc]  # mypy cannot infer it
        try:
            self._go(lambda: self.drivers.over, began + self._rig.size.seconds + PATIENCE)
        finally:
            self._calm()
            self.drivers.end()
            for process in self._kills:
                _end(process, 40.0 if self.drivers.over else 0.0)

    def _go(self, over: Callable[[], bool], until: float) -> None:
        hurried = time.monotonic()
        while not over():
            now = time.monotonic()
            while self._due and self._due[0][0] <= now:
                heapq.heappop(self._due)[2]()
            self.drivers.tend()
            if not self._due:
                self._kill_victims()
            if now - hurried > _HURRY:
                self._rig.hurry()
                hurried = time.monotonic()
            if now > until:
                (self._place.folder / "engine.txt").write_text(self._rig.tell())
                self.hangs = f"not all jobs have ended {PATIENCE:.0f} s after the last strike"
                return
            time.sleep(_TICK)

    def _all_ended(self) -> bool:
        jobs = read_run(self._place.run, system_ports(str(self._place.run))).jobs
        done = [job for job in jobs.values() if job.is_done]
        return len(done) == len(self._plan.work)

    def _calm(self) -> None:
        for end in list(self._ends.values()):
            end()
        self._ends.clear()

    def _at(self, when: float, act: Callable[[], None]) -> None:
        heapq.heappush(self._due, (when, next(self._order), act))

    def _strike(self, strike: Strike) -> None:
        fault = self._faults[strike.fault]
        if strike.fault in self._ends:
            return
        try:
            end = fault.begin(Random(strike.seed))
        except (NotNow, subprocess.SubprocessError, OSError, RuntimeError):
            return
        self.met[strike.fault] += 1
        self.loses |= fault.loses
        self.fills |= fault.fills
        if end is not None:
            least, most = fault.lasts
            self._ends[strike.fault] = end
            after = time.monotonic() + least + strike.lasts * (most - least)
            self._at(after, lambda: self._end(strike.fault))

    def _end(self, name: str) -> None:
        if (end := self._ends.pop(name, None)) is not None:
            end()

    # --- kills -----------------------------------------------------------------------------------

    def _victims(self) -> list[int]:
        return [index for index, one in enumerate(self._plan.work) if one.kind == "victim"]

    def _kill_some(self, chance: Random) -> None:
        others = range(len(self._plan.work))
        self._kill([*chance.sample(self._victims(), 1), chance.choice(others)])

    def _kill(self, indexes: list[int]) -> None:
        self.wanted.update(indexes)
        words = [SCHED, "kill", self._place.workdir, ",".join(map(str, indexes))]
        with (self._place.folder / f"kill-{len(self._kills)}.log").open("wb") as log:
            process = subprocess.Popen(
                words, cwd=self._place.folder, env=self._env, stdout=log, stderr=log
            )
        self._kills.append(process)

    def _kill_victims(self) -> None:
        """Ask once more, as long as that fails: it may meet a run that nobody drives just now."""
        if self._kills and self._kills[-1].poll() is None:
            return
        if self._asked_last and self._kills[-1].returncode == 0:
            return
        if time.monotonic() - self._asked > _HURRY:
            self._asked, self._asked_last = time.monotonic(), True
            self._kill(self._victims())

    def complaints(self) -> list[str]:
        """Return what drivers and other commands have shown that they should not."""
        logs = sorted(self._place.folder.glob("kill-*.log"))
        told = [
            f"{log.name}: {line}"
            for log in logs
            for line in faults_told(log.read_text(errors="replace"))
        ]
        return [*self.drivers.wrong, *told, *([self.hangs] if self.hangs else [])]


def _end(process: subprocess.Popen[bytes], patience: float) -> None:
    try:
        process.wait(patience)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _settings(rig: Rig) -> str:
    """Return a sched.toml: JSON's texts, lists and numbers are TOML's, too."""
    options = {"infrastructure_retries": 1000, "grace": 1, **rig.options}
    rows = [f"{name} = {json.dumps(value)}" for name, value in options.items()]
    return "\n".join(["[options]", *rows, ""])
