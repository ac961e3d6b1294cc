"""Which nodes are left out: by jobs of equal options alone, and until arrays that wait know of it."""

from __future__ import annotations

import pytest

from sched_core import Failure
from sched_hpc.cluster.badhosts import BadHosts

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
    for array, options in (("1", MINE), ("2", OTHER), ("3", MINE)):
        hosts.submitted(array, options)
    assert failed(hosts) == ["bad"]
    assert list(hosts.untold({"1", "2"})) == [("1", MINE)]
    assert list(hosts.untold({"1", "2"})) == []
    hosts.not_told("1")
    assert list(hosts.untold({"1", "2"})) == [("1", MINE)]


def test_t49_very_many_kinds_of_jobs_are_not_all_remembered() -> None:
    hosts = BadHosts(3)
    for number in range(2000):
        hosts.ended((f"--mem={number}M",), "good", None)
    assert len(hosts._failures) == 1000
