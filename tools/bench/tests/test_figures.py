from __future__ import annotations

import json

import pytest

from ..figures import Figure, ratio_of_best, ratio_of_medians, unavailable
from ..report import SCHEMA, report
from ..table import number, table


def figure(
    value: float | None, target: float | None = 10.0, *, judged: bool = True, least: bool = False
) -> Figure:
    return Figure(
        case="c", what="w", value=value, unit="ms", target=target, least=least, judged=judged,
        samples=(1.0,),
    )  # fmt: skip


@pytest.mark.parametrize(
    "one, verdict",
    [
        (figure(9.9), "met"),
        (figure(10.0), "met"),
        (figure(10.1), "not met"),
        (figure(99.0, judged=False), "too small"),
        (figure(10.0, least=True), "met"),
        (figure(9.9, least=True), "not met"),
        (figure(1.0, None), ""),
        (figure(None), "failed"),
        (unavailable("c", "w", "not installed"), "failed"),
    ],
)
def test_the_verdict_is_about_the_target_and_only_at_its_size(one: Figure, verdict: str) -> None:
    assert one.verdict == verdict


def test_one_slow_round_does_not_change_the_ratios() -> None:
    assert ratio_of_medians([2.0, 2.2, 90.0], [1.0, 1.1, 1.2]) == pytest.approx(2.0)
    assert ratio_of_best([3.0, 2.0, 90.0], [1.0, 7.0]) == pytest.approx(2.0)


@pytest.mark.parametrize(
    "value, text",
    [(None, "-"), (0.0, "0 ms"), (1.234, "1.23 ms"), (12.34, "12.3 ms"), (1234.5, "1234 ms")],
)
def test_a_number_has_as_many_digits_as_count(value: float | None, text: str) -> None:
    assert number(value, "ms" if value is not None else "") == text


def test_the_table_is_markdown_whose_columns_line_up() -> None:
    lines = table([figure(1.5), unavailable("case", "a longer one", "why not")]).splitlines()
    assert lines[0].split() == "| case | what | value | target | verdict | note |".split()
    assert [len(line) for line in lines] == [len(lines[0])] * 4
    assert [cell.strip() for cell in lines[2].split("|")[1:-1]] == [
        "c", "w", "1.50 ms", "<= 10 ms", "met", "",
    ]  # fmt: skip
    assert "failed" in lines[3]
    assert "why not" in lines[3]


def test_the_table_says_which_side_of_the_target_is_met() -> None:
    both = table([figure(1.0), figure(1.0, least=True)]).splitlines()
    assert "<= 10 ms" in both[2]
    assert ">= 10 ms" in both[3]


def test_the_file_says_what_was_measured_with_what() -> None:
    around = {"python": "CPython 3.11.7", "cpus": 2}
    document = json.loads(json.dumps(report([figure(11.0)], "full", around, 12.34)))
    assert document["schema"] == SCHEMA
    assert document["mode"] == "full"
    assert document["seconds"] == 12.3
    assert document["python"] == "CPython 3.11.7"
    (row,) = document["figures"]
    assert row["verdict"] == "not met"
    assert row["samples"] == [1.0]
