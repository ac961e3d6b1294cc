from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sched_core import Job, SpecPath
from sched_core.runner.matching import RecordedJobs

WORKDIR = SpecPath("/run")


def job(index: int, cmd: list[str], envs: dict[str, str] | None = None) -> Job:
    return Job(index, cmd, WORKDIR, envs=envs)


def test_a_job_is_found_by_command_and_environment() -> None:
    recorded = RecordedJobs()
    first, second = job(0, ["a"]), job(1, ["a"], {"X": "1"})
    recorded.add(first)
    recorded.add(second)
    assert recorded.take(job(9, ["b"])) is None
    assert recorded.take(job(9, ["a"], {"X": "2"})) is None
    assert recorded.take(job(9, ["a"], {"X": "1"})) is second
    assert recorded.take(job(9, ["a"])) is first


def test_arguments_are_not_run_together() -> None:
    recorded = RecordedJobs()
    recorded.add(job(0, ["a b"]))
    assert recorded.take(job(9, ["a", "b"])) is None


def test_the_order_of_variables_does_not_matter() -> None:
    recorded = RecordedJobs()
    kept = job(0, ["a"], {"X": "1", "Y": "2"})
    recorded.add(kept)
    assert recorded.take(job(9, ["a"], {"Y": "2", "X": "1"})) is kept


@given(st.lists(st.sampled_from("abc")), st.lists(st.sampled_from("abc")))
def test_equal_jobs_are_matched_one_to_one_in_order(old: list[str], new: list[str]) -> None:
    recorded = RecordedJobs()
    for index, name in enumerate(old):
        recorded.add(job(index, [name]))
    taken = [recorded.take(job(99, [name])) for name in new]
    for name in "abc":
        found = [t.index for t, n in zip(taken, new, strict=True) if n == name and t is not None]
        there = [index for index, n in enumerate(old) if n == name]
        assert found == there[: new.count(name)]
