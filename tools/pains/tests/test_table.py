from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ...marked import filled
from ..absent import ABSENT, reason_for, reasons
from ..catalogue import PAINS
from ..places import BACKENDS, Place, place_of, told_by
from ..results import NOT_RUN, Result, read, with_outcomes, worse, write
from ..table import MARK, problems, rendered, stale

DOCUMENT = "before\n<!-- pains: begin -->\n<!-- pains: end -->\nafter\n"


def result(pain: int, backend: str, **fields: str) -> Result:
    given = {"file": "tests-integration/ssh/test_x.py", "kind": "engine", "outcome": "passed"}
    test = f"test_t{pain:02}_{backend}_{fields}"
    return Result(test=test, pains=(pain,), backends=(backend,), **{**given, **fields})


def complete() -> list[Result]:
    """Return a result for each cell that has no reason to be empty."""
    cells = [(pain.number, backend) for pain in PAINS for backend in BACKENDS]
    return [result(*cell) for cell in cells if reason_for(*cell) is None]


def row(pain: int, results: list[Result]) -> list[str]:
    lines = rendered(results).splitlines()
    (line,) = (line for line in lines if line.startswith(f"| T{pain:02} |"))
    return [cell.strip() for cell in line.split("|")[1:-1]]


@pytest.mark.parametrize(
    "name, pains",
    [
        ("test_t07_cancelled", (7,)),
        ("test_t06_t07_ends", (6, 7)),
        ("test_take_over", ()),
        ("test_t7_x", ()),
        ("test_t07", ()),
        ("test_a_t07_x", ()),
    ],
)
def test_a_name_begins_with_the_numbers(name: str, pains: tuple[int, ...]) -> None:
    assert told_by(name) == pains


def test_the_innermost_place_decides() -> None:
    assert place_of("packages/sched-hpc/tests/test_sge_text.py") == Place(("sge",), "unit")
    assert place_of("packages/sched-hpc/tests/test_chunks.py") == Place(("slurm",), "fake")
    assert place_of("tests-integration/test_readmes.py") is None


def test_the_catalogue_and_the_reasons_have_all_pains_and_known_backends() -> None:
    numbers = list(range(1, 55))
    assert [pain.number for pain in PAINS] == numbers
    assert list(ABSENT) == numbers
    named = [
        backend for whys in ABSENT.values() for held in whys.values() for backend in held.split()
    ]
    assert set(named) <= set(BACKENDS)


def test_a_cell_has_the_kinds_of_witness_the_strongest_first() -> None:
    shown = [result(54, "core", kind="unit"), result(54, "core", kind="simulator")]
    assert row(54, shown)[4 + BACKENDS.index("core")] == "simulator, unit"


def test_a_failure_shows_whatever_else_passed() -> None:
    shown = [result(54, "core"), result(54, "core", kind="fake", outcome="failed")]
    assert row(54, shown)[4 + BACKENDS.index("core")] == "**failed**"


def test_files_are_linked_from_the_document() -> None:
    file = "packages/sched-core/src/sched_core/testing/contract/killing.py"
    shown = [result(54, "core", file=file), result(54, "ssh", file=file)]
    assert row(54, shown)[3] == f"[contract/killing.py](../{file})"


def test_a_cell_without_a_test_has_the_number_of_its_reason() -> None:
    pain, backend = next((p.number, b) for p in PAINS for b in BACKENDS if reason_for(p.number, b))
    why = reason_for(pain, backend) or ""
    number = reasons().index(why) + 1
    assert row(pain, complete())[4 + BACKENDS.index(backend)] == f"({number})"
    assert f"\n{number}. {why}\n" in rendered(complete())


def test_counts_and_the_order_of_results_change_nothing() -> None:
    again = [replace(one, test=f"{one.test}[again]") for one in complete()]
    assert rendered([*reversed(again), *complete()]) == rendered(complete())


def test_a_cell_needs_a_test_or_a_reason_and_not_both() -> None:
    assert problems(complete()) == []
    lost = [one for one in complete() if (one.pains, one.backends) != ((54,), ("local",))]
    assert problems(lost) == ["T54 has neither a test nor a reason for having none: local"]
    pain, backend = next((p.number, b) for p in PAINS for b in BACKENDS if reason_for(p.number, b))
    both = [*complete(), result(pain, backend)]
    assert problems(both) == [f"T{pain:02} has a test, and a reason for having none: {backend}"]


def test_a_test_that_was_skipped_shows_nothing() -> None:
    lost = [one for one in complete() if (one.pains, one.backends) != ((54,), ("local",))]
    assert problems([*lost, result(54, "local", outcome="skipped")]) == problems(lost) != []


def test_a_number_that_is_in_no_list_is_a_problem() -> None:
    assert problems([*complete(), result(99, "core")]) == [
        "T99 is in no list: see tools/pains/catalogue.py"
    ]


def test_the_document_is_stale_where_results_say_something_else() -> None:
    now = filled(DOCUMENT, MARK, rendered(complete()))
    assert stale(complete(), now) == []
    assert now.startswith("before\n")
    assert now.endswith("<!-- pains: end -->\nafter\n")
    failing = [*complete(), result(54, "local", outcome="failed")]
    told = stale(failing, now)
    assert [line[:7] for line in told[1:]] == ["+ | T54", "- | T54"]


def test_the_newest_result_of_a_test_counts(tmp_path: Path) -> None:
    failed = result(1, "core", outcome="failed")
    write(tmp_path / "made", [failed, result(2, "core")])
    write(tmp_path / "made", [replace(failed, outcome="passed")])
    assert {one.pains: one.outcome for one in read(tmp_path / "made")} == {
        (1,): "passed",
        (2,): "passed",
    }


def test_only_tests_that_there_are_count_with_what_came_of_them() -> None:
    there = [result(1, "core", outcome=NOT_RUN), result(2, "core", outcome=NOT_RUN)]
    ran = [replace(there[0], outcome="passed", file="elsewhere.py"), result(3, "core")]
    assert with_outcomes(there, ran) == [replace(there[0], outcome="passed"), there[1]]


def test_a_test_fails_if_one_of_its_phases_does() -> None:
    assert worse("passed", "failed") == worse("failed", "passed") == "failed"
    assert worse("passed", "skipped") == "skipped"
