"""A summary that would be believed says what all records say, whatever has gone wrong."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from sched_core import JobStatus
from sched_core.ports.files import Entry
from sched_core.ports.localfiles import LocalFiles
from sched_core.runfolder import JobRecord, Layout, Tally, read_journal, replay
from sched_core.runfolder import summary as summaries
from sched_core.runfolder.summary import read_tally
from sched_core.testing.simulator import Scenario, SimulatedDisk, simulate

from .search import scenarios

LAYOUT = Layout("/sim/run")
SHOWN = ("index", "status", "attempt", "rc", "failure", "reason", "host", "started", "interrupted")


class Newest(LocalFiles):
    """What the simulated disk holds now, whoever can see it yet."""

    def __init__(self, disk: SimulatedDisk) -> None:
        super().__init__()
        self._disk = disk

    def read(self, path: str) -> bytes:
        try:
            return self._disk.files[path].newest
        except KeyError:
            raise FileNotFoundError(path) from None

    def names(self, folder: str) -> list[str]:
        return [*self._disk.folders[folder]]

    def entries(self, folder: str) -> dict[str, Entry]:
        return {name: Entry(len(self.read(f"{folder}/{name}")), 0.0) for name in self.names(folder)}


def told_by_all(jobs: Iterable[JobRecord]) -> tuple[object, ...]:
    jobs = list(jobs)
    waiting = sum(job.status < JobStatus.SUBMITTED for job in jobs)
    finished = [job for job in jobs if job.status is JobStatus.FINISHED]
    ends = [job.ended for job in finished if job.ended is not None]
    others = [job for job in jobs if _is_told(job)]
    return len(jobs), waiting, len(finished), max(ends, default=None), _shown(others)


def _is_told(job: JobRecord) -> bool:
    counted = job.status < JobStatus.SUBMITTED or job.status is JobStatus.FINISHED
    unbegun = job.status is JobStatus.KILLED and job.interrupted and job.started is None
    return not counted and not unbegun


def told_in_short(tally: Tally) -> tuple[object, ...]:
    others = _shown(tally.jobs().values())
    return tally.total, tally.waiting, tally.finished, tally.ended, others


def _shown(jobs: Iterable[JobRecord]) -> list[tuple[object, ...]]:
    ordered = sorted(jobs, key=lambda job: job.index)
    return [tuple(getattr(job, name) for name in SHOWN) for job in ordered]


@pytest.fixture
def believed(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Compare after each change of the journal; tell of each whether there was a summary."""
    found: list[bool] = []
    create = SimulatedDisk.create
    monkeypatch.setattr(summaries, "_LEAST", 3000)

    def create_and_look(disk: SimulatedDisk, path: str, data: bytes, *since: float) -> bool:
        created = create(disk, path, data, *since)
        if path.startswith(f"{LAYOUT.journal}/"):
            files = Newest(disk)
            all_records = replay(read_journal(files, LAYOUT)).values()
            assert told_in_short(read_tally(files, LAYOUT)) == told_by_all(all_records)
            found.append(LAYOUT.summary in disk.files)
        return created

    monkeypatch.setattr(SimulatedDisk, "create", create_and_look)
    return found


def test_t40_what_is_told_in_short_is_true_whatever_goes_wrong(
    believed: list[bool], full: bool
) -> None:
    @settings(
        max_examples=600 if full else 6,
        derandomize=True,
        database=None,
        deadline=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    @given(scenarios("asyncio", 0))
    def play(scenario: Scenario) -> None:
        assert simulate(scenario).violations == [], f"again: {scenario.command}"

    play()
    assert believed.count(True) > 100
