from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from sched_core import AttemptId, RunCorrupt, Submission
from sched_core.ports.localfiles import LocalFiles
from sched_core.runfolder import Layout, read_submissions, write_submission

FILES = LocalFiles()
ONE = Submission("0a", "local-run-0a", "local", (AttemptId(3, 1), AttemptId(5, 2)), 2, 1.5)
TWO = Submission("0b", "local-run-0b", "local", (AttemptId(4, 1),))


def test_submissions_are_read_as_they_were_written(layout: Layout) -> None:
    for submission in (TWO, ONE):
        write_submission(FILES, layout, submission)
    assert read_submissions(FILES, layout) == [ONE, TWO]
    assert read_submissions(FILES, layout)[0].tasks[1].attempt == 2


def test_a_record_of_an_earlier_version_does_not_say_when_it_was_written(layout: Layout) -> None:
    record = ONE.to_json()
    del record["recorded_at"], record["chunk"]
    Path(layout.submission("0a")).write_text(json.dumps(record) + "\n")
    assert read_submissions(FILES, layout) == [replace(ONE, chunk=1, recorded_at=None)]


def test_a_record_that_was_cut_short_was_never_followed_by_a_call(layout: Layout) -> None:
    write_submission(FILES, layout, ONE)
    write_submission(FILES, layout, TWO)
    path = Path(layout.submission("0b"))
    whole = path.read_bytes()
    for end in range(len(whole)):
        path.write_bytes(whole[:end])
        assert read_submissions(FILES, layout) == [ONE]


def test_other_files_are_no_submissions(layout: Layout) -> None:
    write_submission(FILES, layout, ONE)
    for name in ("0c.json.new", ".nfs01", "notes"):
        Path(layout.submissions, name).write_text("x")
    assert read_submissions(FILES, layout) == [ONE]


def test_a_record_that_makes_no_sense_is_named(layout: Layout) -> None:
    Path(layout.submission("0c")).write_bytes(b"{]\n")
    with pytest.raises(RunCorrupt, match=r"0c\.json"):
        read_submissions(FILES, layout)


def test_only_their_owner_reads_them(layout: Layout) -> None:
    write_submission(FILES, layout, ONE)
    assert os.stat(layout.submission("0a")).st_mode & 0o777 == 0o600
