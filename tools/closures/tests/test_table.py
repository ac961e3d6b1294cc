from __future__ import annotations

import pytest

from ..closure import Closure
from ..installs import INSTALLS
from ..table import Row, differences, rendered, rows_in, tolerance
from ..timing import Times, over_bare
from ..wheelhouse import ROOT

CLOSURES = {
    "sched-x": Closure({"anyio": 600_000, "sched-x": 4_400, "big-one": 12_000_000}),
    "sched-x[all]": Closure({"sched-x": 1_240_000}),
}
TIMES = {"sched-x": Times(80, {"big_one": 300, "`x`": 20}), "sched-x[all]": Times(9)}


def test_a_table_is_read_as_it_was_written() -> None:
    assert rows_in(rendered(CLOSURES, TIMES)) == {
        "sched-x": Row(3, 12.6, frozenset({"anyio", "big-one", "sched-x"})),
        "sched-x[all]": Row(1, 1.2, frozenset({"sched-x"})),
    }


def test_a_table_tells_the_largest_first() -> None:
    lines = rendered(CLOSURES, TIMES).splitlines()
    most = "big-one 12, anyio 0.6, sched-x 0.01"
    assert lines[2] == f"| `sched-x` | 3 | 12.6 | 80 | big_one 300, `x` 20 | {most} |"
    assert f"- `sched-x`: {most}" in lines


def test_no_difference_where_nothing_has_changed() -> None:
    assert differences(rows_in(rendered(CLOSURES, TIMES)), CLOSURES) == []


@pytest.mark.parametrize(
    "sizes, told",
    [
        (
            {"anyio": 600_000, "sched-x": 0, "new-1": 0, "new-2": 12_000_000},
            "sched-x is 4 packages, README.md has 3: +new-1, +new-2, -big-one",
        ),
        ({"anyio": 1, "sched-x": 0}, "sched-x is 2 packages, README.md has 3: -big-one"),
        (
            {"anyio": 0, "sched-x": 0, "big-one": 14_000_000},
            "sched-x takes 14.0 MB, README.md has 12.6",
        ),
        (
            {"anyio": 0, "sched-x": 0, "big-one": 11_000_000},
            "sched-x takes 11.0 MB, README.md has 12.6",
        ),
        ({"anyio": 0, "sched-x": 0, "big-one": 11_500_000}, None),
        ({"anyio": 0, "sched-x": 0, "another": 12_600_000}, None),
    ],
)
def test_packages_count_exactly_and_sizes_about(sizes: dict[str, int], told: str | None) -> None:
    rows = rows_in(rendered(CLOSURES, TIMES))
    now = dict(CLOSURES, **{"sched-x": Closure(sizes)})
    assert differences(rows, now) == ([told] if told else [])


def test_small_sizes_may_differ_by_half_a_megabyte() -> None:
    assert [tolerance(megabytes) for megabytes in (0.1, 2.0, 5.0, 50.0)] == [0.5, 0.5, 0.5, 5.0]


def test_installs_that_come_and_go_are_told() -> None:
    rows = rows_in(rendered(CLOSURES, TIMES))
    now = {"sched-x": CLOSURES["sched-x"], "sched-y": Closure({})}
    assert differences(rows, now) == [
        "sched-x[all] is in README.md and no longer installed",
        "sched-y is not in README.md",
    ]


def test_times_are_medians_over_those_of_a_bare_python() -> None:
    assert over_bare([[0.01, 0.1, 0.5], [0.02, 0.12, 0.2], [0.9, 9.0, 0.22]]) == [100, 200]


def test_each_package_is_installed_alone() -> None:
    alone = {install.requirement for install in INSTALLS if install.requirement == install.package}
    assert alone == {project.parent.name for project in ROOT.glob("packages/*/pyproject.toml")}
