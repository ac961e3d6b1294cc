"""The other half of the search, with other seeds."""

from __future__ import annotations

from collections import Counter

import pytest

from sched_core.testing.simulator import Backend, Fault

from .search import check_counts, search

pytestmark = pytest.mark.once


@pytest.fixture(scope="module")
def counts() -> Counter[Fault]:
    """Every fault that has struck in this module."""
    return Counter()


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("backend, examples", [("trio", 100), ("asyncio", 520)])
def test_whatever_goes_wrong_every_job_ends_and_none_starts_twice(
    backend: Backend, examples: int, counts: Counter[Fault], full: bool
) -> None:
    search(backend, examples, counts, full=full, first=2**33)


def test_enough_faults_have_been_tried(
    counts: Counter[Fault], capsys: pytest.CaptureFixture[str]
) -> None:
    check_counts(counts, 25_000, capsys)
