from __future__ import annotations

import pytest

from ..contest import CPU_TARGET, RATIO_TARGET, Entry, Sample, Took, figures_of, take
from ..figures import Figure
from ..measuring import Failed


def entry(name: str, jobs: int, *seconds: float, cpu: float | None = None) -> Entry:
    return Entry(name, jobs, samples=[Sample(each, cpu, {"sbatch": 2}) for each in seconds])


HAND = entry("by hand", 1000, 10, 30, 20)
OURS = entry("Runner", 1000, 21, 22, 40, cpu=0.5)


def rows(*peers: Entry, judged: bool = True) -> dict[str, Figure]:
    return {f.what: f for f in figures_of("slurm", HAND, OURS, peers, judged=judged)}


def test_each_is_scaled_to_a_job_and_set_beside_the_one_by_hand() -> None:
    found = rows(entry("peer", 200, 8.0))
    values = {what: (figure.value, figure.target) for what, figure in found.items()}
    assert values == {
        "by hand": (20.0, None),
        "Runner": (22.0, None),
        "peer": (40.0, None),
        "Runner / by hand": (pytest.approx(1.1), RATIO_TARGET),
        "peer / by hand": (pytest.approx(2.0), None),
        "driver CPU, Runner": (0.5, CPU_TARGET),
    }
    assert found["Runner / by hand"].verdict == "met"
    assert "of the best 2.10" in found["Runner / by hand"].note
    assert rows(judged=False)["Runner / by hand"].verdict == "too small"


def test_calls_are_those_of_a_round() -> None:
    calls = [{"sbatch": 1, "squeue": 4}, {"sbatch": 1, "squeue": 8}]
    one = Entry("x", 1, samples=[Sample(1.0, None, each) for each in calls])
    assert one.calls == {"squeue": 6.0, "sbatch": 1.0}
    assert rows(one)["x"].note == "1 jobs, median of 2; 6 squeue, 1 sbatch"


def test_a_round_that_failed_is_told_and_left_out() -> None:
    once = entry("once", 200, 8.0)
    once.failures.append("not done after 120 s")
    never = Entry("never", 200, failures=["it broke", "it broke"])
    found = rows(once, never)
    assert "another round: not done after 120 s" in found["once"].note
    assert (found["never"].value, found["never"].note) == (None, "it broke")
    assert "never / by hand" not in found


def test_each_round_is_a_sample_or_a_failure() -> None:
    one = Entry("one", 10)

    def fail() -> Took:
        raise Failed("it broke")

    take(one, lambda: (2.0, 0.5), lambda: {"squeue": 3})
    take(one, fail, dict)
    assert one.samples == [Sample(2.0, 0.5, {"squeue": 3})]
    assert one.failures == ["it broke"]


def test_a_contest_without_targets_has_none() -> None:
    found = figures_of("ssh", HAND, OURS, [], judged=True, ratio=None, cpu=None)
    assert [figure.target for figure in found] == [None] * 4
