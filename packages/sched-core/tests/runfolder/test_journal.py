from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sched_core import RunCorrupt
from sched_core.ports.localfiles import LocalFiles
from sched_core.runfolder import Journal, Layout, read_journal
from sched_core.runfolder.journal import MERGE_AT

from .helpers import make_layout

FILES = LocalFiles()


def numbered(count: int, first: int = 0) -> list[dict[str, Any]]:
    return [{"n": number} for number in range(first, first + count)]


def read(layout: Layout) -> list[dict[str, Any]]:
    return list(read_journal(FILES, layout))


@settings(max_examples=40, deadline=None)
@given(sizes=st.lists(st.integers(0, 5), max_size=80), epochs=st.integers(1, 3))
def test_all_is_read_in_the_order_in_which_it_was_written(sizes: list[int], epochs: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        layout = make_layout(Path(folder))
        written: list[dict[str, Any]] = []
        for epoch in range(1, epochs + 1):
            journal = Journal(FILES, layout, epoch)
            for size in sizes:
                entries = numbered(size, len(written))
                journal.write(entries)
                written += entries
                assert read(layout) == written


def test_segments_stay_few(layout: Layout) -> None:
    journal = Journal(FILES, layout, 1)
    for entry in numbered(MERGE_AT**2 + 3 * MERGE_AT + 1):
        journal.write([entry])
    assert len(os.listdir(layout.journal)) == 1 + 3 + 1
    assert read(layout) == numbered(MERGE_AT**2 + 3 * MERGE_AT + 1)


def test_what_a_merge_has_not_yet_removed_is_not_read_twice(layout: Layout) -> None:
    class Keeps(LocalFiles):
        def remove(self, path: str) -> None:
            """Die before the first removal."""

    journal = Journal(Keeps(), layout, 1)
    for entry in numbered(MERGE_AT + 5):
        journal.write([entry])
    assert len(os.listdir(layout.journal)) == MERGE_AT + 6
    assert read(layout) == numbered(MERGE_AT + 5)


def test_a_reader_comes_while_a_merge_removes(layout: Layout) -> None:
    journal = Journal(FILES, layout, 1)
    for entry in numbered(MERGE_AT - 1):
        journal.write([entry])

    class Late(LocalFiles):
        """Has listed the segments before they were merged."""

        merged = False

        def names(self, folder: str) -> list[str]:
            found = super().names(folder)
            if not self.merged:
                self.merged = True
                journal.write(numbered(1, MERGE_AT - 1))
            return found

    assert list(read_journal(Late(), layout)) == numbered(MERGE_AT)


def test_a_last_line_that_was_cut_short_was_never_said(layout: Layout) -> None:
    journal = Journal(FILES, layout, 1)
    journal.write(numbered(3))
    path = Path(layout.segment(1, 0))
    whole = path.read_bytes()
    lines = [whole[:end] for end in range(len(whole) + 1)]
    for torn in lines:
        path.write_bytes(torn)
        assert read(layout) == numbered(torn.count(b"\n"))


def test_t40_a_driver_reads_on_after_a_torn_segment_of_the_last_one(layout: Layout) -> None:
    Journal(FILES, layout, 1).write(numbered(2))
    path = Path(layout.segment(1, 0))
    path.write_bytes(path.read_bytes()[:-3])
    Journal(FILES, layout, 2).write(numbered(1, 10))
    assert read(layout) == [{"n": 0}, {"n": 10}]


@pytest.mark.parametrize("line", [b"{]\n", b"[1]\n", b"\xff\n", b'"text"\n'])
def test_a_line_that_makes_no_sense_is_named(layout: Layout, line: bytes) -> None:
    Path(layout.segment(1, 0)).write_bytes(b'{"n":0}\n' + line)
    with pytest.raises(RunCorrupt, match=r"1-0\.jsonl, line 2 cannot be read"):
        read(layout)


def test_other_files_are_no_segments(layout: Layout) -> None:
    Journal(FILES, layout, 1).write(numbered(1))
    for name in ("1-0.jsonl.new", ".nfs0001", "notes.txt"):
        Path(layout.journal, name).write_text("x")
    assert read(layout) == numbered(1)


def test_a_run_without_a_journal_is_no_empty_run(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read(Layout(str(tmp_path)))


def test_t40_t54_two_drivers_cannot_write_one_segment(layout: Layout) -> None:
    Journal(FILES, layout, 1).write(numbered(1))
    with pytest.raises(FileExistsError):
        Journal(FILES, layout, 1).write(numbered(1, 5))
    assert read(layout) == numbered(1)


def test_entries_that_could_not_be_written_come_first_the_next_time(layout: Layout) -> None:
    journal = Journal(FILES, layout, 1)
    journal.add({"n": 0})
    taken = journal.take()
    assert not journal.pending
    journal.add({"n": 1})
    journal.put_back(taken)
    assert journal.pending
    assert journal.take() == numbered(2)


@given(st.binary(max_size=20).map(os.fsdecode))
def test_text_that_is_not_utf8_is_kept(text: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        layout = make_layout(Path(folder))
        Journal(FILES, layout, 1).write([{"cmd": [text]}])
        assert read(layout) == [{"cmd": [text]}]
        assert Path(layout.segment(1, 0)).read_bytes().isascii()
