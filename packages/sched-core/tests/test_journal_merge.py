from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from sched_core.ports.localfiles import LocalFiles
from sched_core.runfolder import Journal, Layout, read_journal
from sched_core.runfolder.journal import MERGE_AT


class Killed(BaseException):
    """The driver's death."""


class DiesMerging(LocalFiles):
    """Leaves but the beginning of a merged segment behind, as a process that is killed may."""

    kept: float = 0.0

    def create(self, path: str, data: bytes) -> bool:
        if data.startswith(b'{"merged_from"'):
            super().create(path, data[: int(len(data) * self.kept)])
            raise Killed
        return super().create(path, data)


def entries(journal: Journal, count: int) -> list[dict[str, Any]]:
    written = [{"n": number} for number in range(count)]
    for entry in written:
        journal.write([entry])
    return written


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    layout = Layout(str(tmp_path))
    Path(layout.journal).mkdir(parents=True)
    return layout


def test_merged_segments_hold_every_record_once_and_in_order(layout: Layout) -> None:
    written = entries(Journal(LocalFiles(), layout, 1), MERGE_AT * 3 + 5)
    assert list(read_journal(LocalFiles(), layout)) == written
    assert len(list(Path(layout.journal).iterdir())) == 3 + 5


@pytest.mark.parametrize("kept", [0.0, 0.02, 0.5, 0.99])
def test_t40_a_merge_that_was_cut_short_loses_nothing(layout: Layout, kept: float) -> None:
    files = DiesMerging()
    files.kept = kept
    journal = Journal(files, layout, 1)
    written = entries(journal, MERGE_AT - 1)
    last = {"n": "last"}
    with pytest.raises(Killed):
        journal.write([last])
    assert list(read_journal(LocalFiles(), layout)) == [*written, last]
    Journal(LocalFiles(), layout, 2).write([{"n": "next"}])
    assert list(read_journal(LocalFiles(), layout)) == [*written, last, {"n": "next"}]


class Deaf(LocalFiles):
    """Removes what it is told to, and says that it cannot be reached."""

    deaf = False

    def remove_many(self, paths: Sequence[str]) -> None:
        super().remove_many(paths)
        if self.deaf:
            raise OSError("no answer")


def test_a_merge_whose_last_answer_was_lost_is_not_begun_again(layout: Layout) -> None:
    files = Deaf()
    journal = Journal(files, layout, 1)
    # Too long to be kept in memory: they would have to be read.
    written = [{"n": number, "long": "x" * (1 << 17)} for number in range(MERGE_AT + 1)]
    for entry in written[: MERGE_AT - 1]:
        journal.write([entry])
    files.deaf = True
    with pytest.raises(OSError, match="no answer"):
        journal.write([written[MERGE_AT - 1]])
    files.deaf = False
    journal.write([written[MERGE_AT]])
    assert list(read_journal(LocalFiles(), layout)) == written


def test_a_merge_of_short_segments_reads_nothing(layout: Layout) -> None:
    class Unread(LocalFiles):
        def read(self, path: str) -> bytes:
            raise AssertionError(f"{path} is read again")

    written = entries(Journal(Unread(), layout, 1), MERGE_AT * MERGE_AT + 3)
    assert list(read_journal(LocalFiles(), layout)) == written


def test_long_segments_are_read_to_be_merged(layout: Layout) -> None:
    journal = Journal(LocalFiles(), layout, 1)
    written = [{"n": number, "text": "x" * 70_000} for number in range(MERGE_AT + 1)]
    for entry in written:
        journal.write([entry])
    assert list(read_journal(LocalFiles(), layout)) == written
    assert len(list(Path(layout.journal).iterdir())) == 2


def test_a_segment_that_may_be_there_is_written_under_another_number(layout: Layout) -> None:
    class Doubtful(LocalFiles):
        """Does what it is asked for, and says that it failed."""

        doubts = True

        def create(self, path: str, data: bytes) -> bool:
            made = super().create(path, data)
            if self.doubts:
                self.doubts = False
                raise OSError("no answer")
            return made

    journal = Journal(Doubtful(), layout, 1)
    with pytest.raises(OSError, match="no answer"):
        journal.write([{"n": 0}])
    journal.write([{"n": 0}, {"n": 1}])
    # Said twice, which does no harm, and nothing is lost.
    assert list(read_journal(LocalFiles(), layout)) == [{"n": 0}, {"n": 0}, {"n": 1}]
