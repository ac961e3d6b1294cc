"""How the places of a run are shared among its Batch jobs."""

from __future__ import annotations

from sched_gbatch.parallelism import Parallelism


def test_a_batch_job_takes_what_it_may_run_at_once_and_no_more_than_it_has_left() -> None:
    parallelism = Parallelism()
    parallelism.note("1", 4)
    parallelism.note("2", 4)
    assert parallelism.taken({"1": 100, "2": 3}) == 7
    assert parallelism.taken({"2": 3, "3": 5}) == 8  # of the last one nothing is known yet
    assert parallelism.taken({"1": 100}) == 100  # its sid is another one's now


def test_places_are_long_empty_only_if_they_were_so_all_the_time() -> None:
    parallelism = Parallelism()
    assert not parallelism.are_long_empty(1000)
    assert not parallelism.note_empty(1000, empty=True)
    assert not parallelism.note_empty(1029, empty=True)
    assert parallelism.note_empty(1030, empty=True)
    assert parallelism.are_long_empty(1031)
    assert not parallelism.note_empty(1032, empty=False)
    assert not parallelism.note_empty(1033, empty=True)
    assert not parallelism.are_long_empty(1034)
