"""Which nodes are left out: by jobs of equal options alone, and until arrays that wait know of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sched_core import Failure, JobStatus, Runner
from sched_core.testing.contract.driver import driver_command, driver_killed_at_end
from sched_hpc.cluster.badhosts import BadHosts

from .helpers import Quick, until

pytestmark = pytest.mark.witness("slurm", "sge", kind="unit")

MINE, OTHER = ("--mem=1M",), ("--gpus=1",)


def failed(hosts: BadHosts, options: tuple[str, ...] = MINE) -> list[str]:
    return [bad for _ in range(3) for bad in hosts.ended(options, "bad", Failure.SETUP)]


def test_t49_jobs_that_ask_for_something_else_know_nothing_of_each_other() -> None:
    hosts = BadHosts(3)
    assert hosts.ended(OTHER, "good", None) == []
    assert failed(hosts) == []  # it may be the only one that has what these ask for
    assert hosts.ended(MINE, "good", None) == ["bad"]
    assert (hosts.left_out(MINE), hosts.left_out(OTHER)) == (["bad"], [])


def test_t49_a_command_that_fails_is_no_fault_of_its_node() -> None:
    hosts = BadHosts(1)
    hosts.ended(MINE, "good", None)
    assert hosts.ended(MINE, "other", Failure.EXIT) == []
    assert hosts.ended(MINE, "bad", Failure.NODE_FAIL) == ["bad"]


def test_t49_arrays_that_wait_are_told_once() -> None:
    hosts = BadHosts(3)
    hosts.ended(MINE, "good", None)
    present = {"1": MINE, "2": OTHER}
    hosts.told("1", hosts.left_out(MINE))
    assert failed(hosts) == ["bad"]
    assert list(hosts.untold(present)) == [("1", MINE, ["bad"])]
    hosts.told("1", ["bad"])
    assert list(hosts.untold(present)) == []
    assert list(hosts.untold({"2": OTHER})) == []
    # An id may be used again.
    assert list(hosts.untold(present)) == [("1", MINE, ["bad"])]


async def test_t49_arrays_of_an_earlier_driver_are_told_too(slurm: Path, tmp_path: Path) -> None:
    gate = ["/bin/bash", "-c", "until [[ -e $SCHED_WORKDIR/gate ]]; do sleep 0.05; done"]
    argv = driver_command(Quick(tmp_path / "run", forks=2), {"forks": 2}, [gate] * 4, "asyncio")
    async with driver_killed_at_end(argv):
        await until((tmp_path / "run/0/job.claim.1").exists)
    scheduler = Quick(tmp_path / "run", forks=2)
    async with Runner.resume(tmp_path / "run", scheduler) as runner:
        for host in ("good", "bad", "bad", "bad"):
            ended = scheduler.new_job(99, ["/bin/true"])
            ended.host, ended.status = host, JobStatus.FAILED
            ended.failure = Failure.SETUP if host == "bad" else Failure.EXIT
            scheduler.attempt_ended(ended)
        await until(lambda: json.loads((slurm / "jobs/1.json").read_text())["exclude"] == "bad")
        (tmp_path / "run/gate").touch()
    assert {(job.status, job.attempt) for job in runner.jobs} == {(JobStatus.FINISHED, 1)}


def test_t49_very_many_kinds_of_jobs_are_not_all_remembered() -> None:
    hosts = BadHosts(3)
    for number in range(2000):
        hosts.ended((f"--mem={number}M",), "good", None)
    assert len(hosts._failures) == 1000
