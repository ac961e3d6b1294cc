"""A run whose driver is killed at random, again and again, and what must be true of it afterwards."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from sched_core.model.status import JobStatus
from sched_core.ports import system_ports
from sched_core.runfolder import Layout, read_journal, read_run
from sched_core.text.claim import Claim, parse_claim, parse_claim_name

from .chaos_driver import KINDS, RETRIES, kind
from .processes import carriers, wait_until_none

DRIVER = Path(__file__).with_name("chaos_driver.py")
PATIENCE = 90.0


@dataclass
class Figures:
    """What runs went through."""

    kills: int = 0
    attempts: int = 0
    outlived: int = 0
    """Attempts that were running when their driver died."""
    seconds: float = 0.0

    def add(self, other: Figures) -> None:
        self.kills += other.kills
        self.attempts += other.attempts
        self.outlived += other.outlived
        self.seconds += other.seconds


class ChaosRun:
    """One run in `folder`, killed at moments that `random` chooses, at most `kills` times."""

    def __init__(self, folder: Path, backend: str, random: Random, jobs: int, kills: int) -> None:
        self.workdir = folder / "the 'run'"
        self.outputs = folder / "outputs"
        self.outputs.mkdir(parents=True)
        self.backend = backend
        self.random = random
        self.jobs = jobs
        self.kills = kills
        self.figures = Figures()

    def drive(self) -> dict[str, Any]:
        """Start drivers until one comes to the end; return what that one says."""
        began = time.monotonic()
        while (said := self._one_driver()) is None:
            self.figures.kills += 1
            self.figures.outlived += sum(claim.rc is None for _, _, claim in self.claims())
        self.figures.seconds = time.monotonic() - began
        return said

    def _one_driver(self) -> dict[str, Any] | None:
        doomed = self.figures.kills < self.kills
        process = subprocess.Popen(
            [sys.executable, DRIVER, self.backend, self.workdir, self.outputs, str(self.jobs)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            out, err = process.communicate(timeout=self._moment() if doomed else PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            assert doomed, f"the driver hangs; it said {out!r} and {err!r}"
            return None
        assert (process.returncode, err) == (0, ""), err
        said: dict[str, Any] = json.loads(out)
        return said

    def _moment(self) -> float:
        # Most die at work, some while they start or take over.
        if self.random.random() < 0.3:
            return self.random.uniform(0.0, 0.4)
        return self.random.uniform(0.3, 1.5)

    # --- what must be true ------------------------------------------------------------------------

    def check(self, said: dict[str, Any]) -> None:
        same(said["leaked"], {}, "leaked descriptors")
        same(said["children"], [], "children of the driver")
        same([job[0] for job in said["jobs"]], list(range(self.jobs)), "jobs")
        for index, *outcome in said["jobs"]:
            same(outcome, self._expected(index), f"outcome of job {index}, {kind(index)}")
        self._check_records(said["jobs"])
        self._check_starts()
        run = read_run(self.workdir).run.run
        # What jobs have left in the background ends by itself, within a second.
        same(wait_until_none(lambda: carriers(f"{run}-"), PATIENCE), [], "processes left behind")

    def _expected(self, index: int) -> list[object]:
        """Return state, rc and attempt: what the driver went through changes none of them."""
        match kind(index):
            case "broken":
                return ["FAILED", 4, 1 + RETRIES]
            case "flaky":
                return ["FINISHED", 0, 2]
            case _:
                return ["FINISHED", 0, 1]

    def _check_records(self, jobs: list[list[Any]]) -> None:
        view = read_run(self.workdir)
        same(view.driver, None, "driver")
        recorded = [
            [job.index, JobStatus(job.status).name, job.rc, job.attempt]
            for _, job in sorted(view.jobs.items())
        ]
        same(recorded, jobs, "records")
        for index, status, rc, _ in jobs:
            metadir = self.workdir / str(index)
            same((metadir / "job.status").read_text(), f"{JobStatus[status]:d}", "status file")
            same((metadir / "job.rc").read_text(), f"{rc}\n", "rc file")

    def _check_starts(self) -> None:
        """Compare the journal, the claims and what the jobs themselves have left behind."""
        started = self._recorded_starts()
        claimed = {
            (index, attempt) for index, attempt, claim in self.claims() if not claim.is_fence
        }
        same(started, claimed, "attempts that the journal and the claims tell of")
        self.figures.attempts = len(started)
        for index in range(self.jobs):
            attempts = sum(job == index for job, _ in started)
            written = (self.outputs / str(index)).read_text()
            same(written, f"{index}\n" * attempts, f"starts of job {index}, {kind(index)}")

    def _recorded_starts(self) -> set[tuple[int, int]]:
        ports = system_ports(str(self.workdir))
        entries = read_journal(ports.files, Layout(str(self.workdir)))
        return {(e["state"], e["attempt"]) for e in entries if e.get("started") is not None}

    def claims(self) -> Iterator[tuple[int, int, Claim]]:
        for path in self.workdir.glob("*/job.claim.*"):
            name = parse_claim_name(path.name)
            assert name is not None
            yield int(path.parent.name), name[0], parse_claim(path.read_bytes())


def same(found: object, expected: object, what: str) -> None:
    # pytest explains the asserts of test modules only.
    if found != expected:
        raise AssertionError(f"{what}: {found!r}, expected {expected!r}")


def every_kind_is_run(jobs: int) -> bool:
    return {kind(index) for index in range(jobs)} == set(KINDS)
