"""What is new in a journal, while drivers write, merge, fail and die."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sched_core.ports.localfiles import LocalFiles
from sched_core.runfolder import Journal, JournalReader, Layout
from sched_core.runfolder.journal import MERGE_AT

from .helpers import make_layout

FILES = LocalFiles()


def numbered(count: int, first: int = 0) -> list[dict[str, Any]]:
    return [{"n": number} for number in range(first, first + count)]


class Onlooker:
    """Collects what a reader tells, as one who looks now and then."""

    def __init__(self, layout: Layout, files: LocalFiles = FILES) -> None:
        self.reader = JournalReader(files, layout)
        self.seen: list[dict[str, Any]] = []
        self.began_anew = 0

    def look(self) -> list[dict[str, Any]]:
        records, anew = self.reader.read_new()
        self.began_anew += anew
        self.seen = records if anew else self.seen + records
        return self.seen


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 70), st.booleans()), max_size=12))
def test_each_record_is_told_once_and_in_order(steps: list[tuple[int, bool]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        layout = make_layout(Path(folder))
        onlooker = Onlooker(layout)
        epoch, written = 1, 0
        journal = Journal(FILES, layout, epoch)
        for flushes, next_driver in steps:
            for _ in range(flushes):
                journal.write(numbered(2, written))
                written += 2
            assert onlooker.look() == numbered(written)
            if next_driver:
                epoch += 1
                journal = Journal(FILES, layout, epoch)
        assert onlooker.began_anew <= 1


def test_what_was_read_is_not_read_again(layout: Layout) -> None:
    class Counts(LocalFiles):
        read_bytes = 0

        def read(self, path: str) -> bytes:
            data = super().read(path)
            self.read_bytes += len(data)
            return data

        def read_from(self, path: str, offset: int) -> bytes:
            data = super().read_from(path, offset)
            self.read_bytes += len(data)
            return data

    journal, files = Journal(FILES, layout, 1), Counts()
    onlooker = Onlooker(layout, files)
    journal.write(numbered(1000))
    onlooker.look()
    first = files.read_bytes
    for number in range(MERGE_AT - 2):
        journal.write(numbered(1, 1000 + number))
        onlooker.look()
    assert files.read_bytes < first * 1.1
    assert onlooker.look() == numbered(1000 + MERGE_AT - 2)


def test_a_segment_that_is_being_written_is_read_on(layout: Layout) -> None:
    Journal(FILES, layout, 1).write(numbered(3))
    path = Path(layout.segment(1, 0))
    whole = path.read_bytes()
    onlooker = Onlooker(layout)
    for end in range(len(whole) + 1):
        path.write_bytes(whole[:end])
        assert onlooker.look() == numbered(whole[:end].count(b"\n"))
    assert onlooker.look() == numbered(3)


def test_a_merged_segment_that_is_being_written_waits(layout: Layout) -> None:
    class Keeps(LocalFiles):
        def remove(self, path: str) -> None:
            """Not yet."""

    journal = Journal(Keeps(), layout, 1)
    onlooker = Onlooker(layout)
    for number in range(MERGE_AT - 1):
        journal.write(numbered(1, number))
    onlooker.look()
    journal.write(numbered(1, MERGE_AT - 1))
    path = Path(layout.segment(1, MERGE_AT))
    whole = path.read_bytes()
    for end in range(0, len(whole) + 1, 7):
        path.write_bytes(whole[:end])
        assert onlooker.look() == numbered(MERGE_AT)
    path.write_bytes(whole)
    assert onlooker.look() == numbered(MERGE_AT)
    journal.write(numbered(1, MERGE_AT))
    assert onlooker.look() == numbered(MERGE_AT + 1)
    assert onlooker.began_anew == 1


def test_a_merge_that_its_driver_did_not_live_to_end_is_passed_over(layout: Layout) -> None:
    class Keeps(LocalFiles):
        def remove(self, path: str) -> None:
            """Die before the first removal."""

    journal = Journal(Keeps(), layout, 1)
    for number in range(MERGE_AT):
        journal.write(numbered(1, number))
    path = Path(layout.segment(1, MERGE_AT))
    path.write_bytes(path.read_bytes()[:-4])
    onlooker = Onlooker(layout)
    assert onlooker.look() == numbered(MERGE_AT)
    journal = Journal(FILES, layout, 2)
    for number in range(5):
        journal.write(numbered(1, MERGE_AT + number))
        assert onlooker.look() == numbered(MERGE_AT + 1 + number)
    assert onlooker.began_anew == 1


def test_what_a_driver_could_not_write_is_told_once_it_wrote_it(layout: Layout) -> None:
    """A full disk, and a file that stays there all the same."""

    class Fails(LocalFiles):
        full = False

        def _fill(self, descriptor: int, data: bytes) -> None:
            if self.full:
                super()._fill(descriptor, data[: len(data) // 2 + 1])
                raise OSError(28, "No space left on device")
            super()._fill(descriptor, data)

    files = Fails()
    journal = Journal(files, layout, 1)
    journal.write(numbered(2))
    onlooker = Onlooker(layout)
    files.full = True
    kept = Path(layout.segment(1, 1))
    with pytest.raises(OSError, match="No space"):
        journal.write(numbered(4, 2))
    assert not kept.exists()
    kept.write_bytes(b'{"n":2}\n{"n":3}\n{"n"')  # as where it cannot be removed either
    assert onlooker.look() == numbered(4)
    files.full = False
    journal.write(numbered(4, 2))
    assert onlooker.look()[-4:] == numbered(4, 2)
    for number in range(MERGE_AT):
        journal.write(numbered(1, 6 + number))
        assert onlooker.look()[-1] == {"n": 6 + number}
    assert onlooker.look() == numbered(6 + MERGE_AT)  # as it was merged: what failed is in it once
    assert onlooker.began_anew == 2


def test_a_listing_that_missed_a_segment_is_made_good(layout: Layout) -> None:
    class Misses(LocalFiles):
        missed: Sequence[str] = ()

        def names(self, folder: str) -> list[str]:
            return [name for name in super().names(folder) if name not in self.missed]

    files = Misses()
    journal, onlooker = Journal(FILES, layout, 1), Onlooker(layout, files)
    for number in range(5):
        journal.write(numbered(1, number))
    files.missed = ["1-3.jsonl"]
    assert [record["n"] for record in onlooker.look()] == [0, 1, 2, 4]
    files.missed = []
    assert onlooker.look() == numbered(5)
    assert onlooker.began_anew == 2


def test_a_late_word_of_an_earlier_driver_takes_its_place(layout: Layout) -> None:
    late, onlooker = Journal(FILES, layout, 1), Onlooker(layout)
    late.write(numbered(1))
    Journal(FILES, layout, 2).write(numbered(1, 2))
    assert onlooker.look() == [{"n": 0}, {"n": 2}]
    late.write(numbered(1, 1))
    assert onlooker.look() == numbered(3)


def test_segments_vanish_between_the_listing_and_the_look(layout: Layout) -> None:
    journal = Journal(FILES, layout, 1)
    for number in range(3):
        journal.write(numbered(1, number))

    class Late(LocalFiles):
        """Has listed the segments before they were merged."""

        goes_on = False

        def names(self, folder: str) -> list[str]:
            found = super().names(folder)
            if self.goes_on:
                self.goes_on = False
                for number in range(10, MERGE_AT + 1):
                    journal.write(numbered(1, number))
            return found

    files = Late()
    onlooker = Onlooker(layout, files)
    onlooker.look()
    for number in range(3, 10):
        journal.write(numbered(1, number))
    files.goes_on = True
    assert onlooker.look() == numbered(MERGE_AT + 1)
    assert onlooker.began_anew == 1


def test_a_listing_of_the_caller_that_is_out_of_date_is_made_good(layout: Layout) -> None:
    journal = Journal(FILES, layout, 1)
    journal.write(numbered(2))
    names = os.listdir(layout.journal)
    for number in range(MERGE_AT):
        journal.write(numbered(2, 2 + 2 * number))
    assert not set(names) & set(os.listdir(layout.journal))
    records, _ = JournalReader(FILES, layout).read_new(names)
    assert records == numbered(2 + 2 * MERGE_AT)


def test_nothing_new_is_nothing(layout: Layout) -> None:
    onlooker = Onlooker(layout)
    assert onlooker.look() == []
    Journal(FILES, layout, 1).write(numbered(1))
    assert onlooker.look() == numbered(1)
    assert onlooker.reader.read_new().records == []
    os.rename(layout.journal, f"{layout.journal}.away")
    with pytest.raises(FileNotFoundError):
        onlooker.look()
