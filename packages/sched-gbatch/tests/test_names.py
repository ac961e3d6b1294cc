"""What Google Batch takes: see the documentation of `jobs.create` and of labels."""

from __future__ import annotations

import re
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sched_gbatch.names import batch_id, index_ranges, label_key, label_value, request_id, task_id

ID = re.compile(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?")
KEY = re.compile(r"[a-z][a-z0-9_-]{0,62}")
VALUE = re.compile(r"[a-z0-9_-]{0,63}")

texts = st.text() | st.text("abAB09-_. /äß", max_size=80)
prefixes = st.text("abcXYZ019-_. ", min_size=1, max_size=90)
runs = st.from_regex(r"[0-9a-f]{10}", fullmatch=True)
numbers = st.integers(1, 99_999).map(lambda number: f"{number:04}")


@given(prefixes, runs, numbers)
def test_t21_ids_of_jobs_are_legal_and_tell_run_and_submission(
    prefix: str, run: str, sid: str
) -> None:
    name = f"{prefix}-{run}-{sid}"
    assert ID.fullmatch(batch_id(name))
    assert batch_id(name).endswith(f"{run}-{sid}")
    assert batch_id(name) == batch_id(name)


@given(prefixes, st.sets(st.tuples(runs, numbers), min_size=2))
def test_t21_ids_of_submissions_are_unique(prefix: str, made: set[tuple[str, str]]) -> None:
    ids = {batch_id(f"{prefix}-{run}-{sid}") for run, sid in made}
    assert len(ids) == len(made)


@pytest.mark.parametrize(
    "name, id_",
    [
        ("gbatch-ab12-0001", "gbatch-ab12-0001"),
        ("My Jobs-ab12-0001", "my-jobs-ab12-0001"),
        ("12-ab12-0001", "j12-ab12-0001"),
        ("-x-1", "x-1"),
        ("x" * 80 + "-ab12-0001", "x" * 53 + "-ab12-0001"),
        ("1" * 80 + "-ab12-0001", "j" + "1" * 52 + "-ab12-0001"),
    ],
)
def test_what_ids_look_like(name: str, id_: str) -> None:
    assert batch_id(name) == id_


@given(texts)
def test_t21_labels_are_legal(text: str) -> None:
    assert KEY.fullmatch(label_key(text))
    assert VALUE.fullmatch(label_value(text))
    assert not label_key(text).startswith(("goog-", "google-"))


@given(st.sets(texts, min_size=2))
def test_labels_of_different_texts_differ(different: set[str]) -> None:
    assert len({label_key(text) for text in different}) == len(different)
    assert len({label_value(text) for text in different}) == len(different)


@pytest.mark.parametrize("text", ["sched-run", "a", "a_b-9"])
def test_what_is_legal_stays(text: str) -> None:
    assert label_key(text) == label_value(text) == text


@pytest.mark.parametrize("text", ["goog-x", "google-x", "9", "", "_a"])
def test_what_is_reserved_is_changed(text: str) -> None:
    assert label_key(text).startswith("x-")


@given(texts, texts)
def test_ids_of_requests(one: str, other: str) -> None:
    assert uuid.UUID(request_id(one)).int
    assert (request_id(one) == request_id(other)) is (one == other)


def test_ids_of_tasks() -> None:
    assert task_id("job", 7) == "job/7"


@given(st.lists(st.integers(0, 500), unique=True, max_size=60))
def test_ranges_tell_the_jobs_of_tasks_in_their_order(indexes: list[int]) -> None:
    told = index_ranges(indexes)
    found: list[int] = []
    for span in filter(None, told.split("_")):
        first, _, last = span.partition("-")
        found += range(int(first), int(last or first) + 1)
    assert found == indexes
    assert VALUE.fullmatch(label_value(told))


def test_neighbours_are_one_range() -> None:
    assert index_ranges([*range(1000), 2000, 2002, 2003]) == "0-999_2000_2002-2003"
