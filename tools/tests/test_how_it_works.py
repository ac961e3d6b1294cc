"""docs/how-it-works.md says what the sources do: moves, files, failures, and tests that there are."""

from __future__ import annotations

import re
from functools import cache

import pytest

from sched_core import Failure, JobStatus, Runner
from sched_core.model.status import MOVES
from sched_local import LocalScheduler

from .messages import ROOT

PAGE = (ROOT / "docs" / "how-it-works.md").read_text()


def rows(title: str) -> list[list[str]]:
    """The cells of the first table below a line that begins so."""
    table = PAGE[PAGE.index(title) :].partition("\n|---")[2].partition("\n\n")[0]
    lines = table.splitlines()[1:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


@cache
def names_of_tests() -> set[str]:
    files = (
        path
        for place in ("packages", "tests-integration", "tools")
        for path in (ROOT / place).rglob("*.py")
    )
    return {name for path in files for name in re.findall(r"def (test_\w+)", path.read_text())}


def test_all_states_are_told() -> None:
    assert [row[0] for row in rows("| state |")] == [status.name for status in JobStatus]


def test_all_moves_are_told() -> None:
    told = [(JobStatus[row[0]], JobStatus[row[1]]) for row in rows("| from | to |")]
    assert sorted(told) == sorted((old, new) for old, news in MOVES.items() for new in news)


def test_all_failures_are_told() -> None:
    told = {row[0]: row[3] for row in rows("| class | when |")}
    assert [*told] == [*Failure.__members__]
    for failure in Failure:
        charged = told[failure.name]
        assert ("infrastructure" in charged) is failure.infrastructure
        assert ("never tried again" in charged) is not failure.retriable


def test_the_tests_that_it_names_are_there() -> None:
    named = set(re.findall(r"`(test_\w+)`", PAGE))
    assert len(named) > 20
    assert not named - names_of_tests()


def described() -> re.Pattern[str]:
    """What matches the path of each file that the table has."""
    cells = " ".join(
        cell for row in rows("| file in the run's folder |") for cell in row[:1] + row[1:]
    )
    names = re.findall(r"`((?:\.sched/|<index>/|job\.|container-)[^`]*)`", cells)
    paths = [name if "/" in name else f"<index>/{name}" for name in names]
    return re.compile("|".join(_pattern(path) for path in paths))


def _pattern(path: str) -> str:
    text = re.sub(r"<\w+>", "\0", path)
    return re.escape(text).replace("\0", r"[\w-]+") + (".*" if path.endswith("/") else "")


@pytest.mark.anyio
async def test_what_a_run_leaves_is_in_the_table(tmp_path: object) -> None:
    workdir = f"{tmp_path}/run"
    scheduler = LocalScheduler(workdir, error_strategy="retry", num_retries=1)
    async with Runner(scheduler) as runner:
        await runner.feed("true")
        await runner.feed("false")
    files = [path for path in (ROOT / workdir).rglob("*") if path.is_file()]
    names = [path.relative_to(workdir).as_posix() for path in files]
    assert len(names) > 15
    assert not [name for name in names if not described().fullmatch(name)]
