"""What is new in files of jobs, of this machine and in a bucket."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from sched_core.model.failure import Failure
from sched_core.model.status import JobStatus
from sched_core.runfolder import JobRecord
from sched_meta.reading.failures import group_failures
from sched_meta.reading.jobfiles import chunks, last_line, last_line_of_each, last_lines
from sched_meta.reading.runfolder import RunFolder
from sched_meta.reading.tails import Tail, fetch, tail_of

from .bucket import Bucket, run_folder

PATH = "gs://bucket/r/0/job.stdout"
KEPT = "gs://bucket/r/0/job.retry/1/job.stdout"


def job(index: int = 0) -> JobRecord:
    return JobRecord(index, ["x"])


class Follower:
    def __init__(self) -> None:
        self.bucket = Bucket()
        # Archives are looked for once, however slow this machine is.
        self.bucket.interval = float("inf")
        self.folder = run_folder(self.bucket)
        self.tail = tail_of(self.folder, job(), "job.stdout")

    def new(self) -> bytes:
        fetch(self.folder, [self.tail])
        return b"".join(self.tail.pieces())


@pytest.fixture
def follower() -> Follower:
    return Follower()


def test_only_the_new_part_is_read(follower: Follower) -> None:
    assert follower.new() == b""
    assert not follower.tail.found
    follower.bucket.objects[PATH] = b"one\n"
    assert follower.new() == b"one\n"
    assert follower.tail.found
    follower.bucket.objects[PATH] = b"one\ntwo\n"
    assert follower.new() == b"two\n"
    follower.bucket.questions.clear()
    assert follower.new() == b""
    assert follower.bucket.questions == ["checksums"]


def test_the_rest_of_an_attempt_comes_before_the_next_one(follower: Follower) -> None:
    follower.bucket.objects[PATH] = b"a"
    assert follower.new() == b"a"
    follower.bucket.objects[KEPT] = b"ab"
    follower.bucket.objects[PATH] = b"second"
    assert follower.new() == b"bsecond"
    follower.bucket.objects[PATH] = b"second attempt"
    assert follower.new() == b" attempt"


def test_a_file_that_is_being_moved_is_not_shown_twice(follower: Follower) -> None:
    follower.bucket.objects[PATH] = follower.bucket.objects[KEPT] = b"ab"
    assert follower.new() == b"ab"
    assert follower.new() == b""
    del follower.bucket.objects[PATH]
    assert follower.new() == b""
    follower.bucket.objects[PATH] = b"next"
    assert follower.new() == b"next"


def test_a_file_that_is_shorter_is_another_one(follower: Follower) -> None:
    follower.bucket.objects[PATH] = b"a long line"
    assert follower.new() == b"a long line"
    follower.bucket.objects[PATH] = b"other"
    assert follower.new() == b"other"


def test_what_was_shown_from_elsewhere_is_skipped(follower: Follower) -> None:
    follower.tail.skip(3)
    follower.bucket.objects[PATH] = b"one and two"
    assert follower.new() == b" and two"


def test_many_are_looked_at_together() -> None:
    bucket = Bucket()
    folder = run_folder(bucket)
    tails = [tail_of(folder, job(index), "job.stdout") for index in range(40)]
    bucket.objects |= {f"gs://bucket/r/{index}/job.stdout": b"x" for index in range(0, 40, 2)}
    fetch(folder, tails)
    assert [b"".join(tail.pieces()) for tail in tails] == [b"x", b""] * 20
    assert bucket.questions.count("checksums") == 1
    assert bucket.questions.count("read") == 20


def test_a_store_that_cannot_be_read_loses_nothing(follower: Follower) -> None:
    follower.bucket.objects[PATH] = b"one"
    follower.bucket.broken = OSError(errno.EIO, "busy")
    with pytest.raises(OSError, match="busy"):
        follower.new()
    follower.bucket.broken = None
    assert follower.new() == b"one"


def new(tail: Tail) -> bytes:
    return b"".join(tail.pieces())


def test_file_of_this_machine_is_read_to_its_end_though_it_was_moved(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    (tmp_path / "0").mkdir()
    path = tmp_path / "0" / "job.stdout"
    tail = tail_of(folder, job(), "job.stdout")
    assert new(tail) == b""
    path.write_bytes(b"one")
    assert new(tail) == b"one"
    moved = path.rename(tmp_path / "old")
    with moved.open("ab") as file:
        file.write(b" more")
    path.write_bytes(b"two")
    assert new(tail) == b" moretwo"
    tail.close()


# --- last lines ----------------------------------------------------------------------------------


def test_last_lines_of_objects() -> None:
    bucket = Bucket()
    folder = run_folder(bucket)
    bucket.objects["gs://bucket/r/1/job.stderr"] = b"x" * 100_000 + b"\nlast\n"
    paths = [f"gs://bucket/r/{index}/job.stderr" for index in (0, 1)]
    assert last_line_of_each(folder, paths) == ["", "last"]
    packed, secrets = "list", "list"  # it might be packed, and tell a secret
    assert bucket.questions == ["checksums", packed, "read", secrets]
    assert last_lines(folder, paths[1], 1) == ["last"]
    assert b"".join(chunks(folder, paths[1])).endswith(b"\nlast\n")


def test_no_last_line_of_what_cannot_be_read() -> None:
    bucket = Bucket()
    bucket.broken = PermissionError(errno.EACCES, "not allowed")
    assert last_line(run_folder(bucket), PATH) == ""


def test_few_of_many_failures_in_a_bucket_are_looked_into() -> None:
    bucket = Bucket()
    jobs = [
        JobRecord(i, ["x"], status=JobStatus.FAILED, failure=Failure.EXIT, rc=1) for i in range(500)
    ]
    for record in jobs:
        bucket.objects[f"gs://bucket/r/{record.index}/job.stderr"] = b"bad\n"
    groups = group_failures(jobs, run_folder(bucket))
    assert [(group.line, len(group.indexes)) for group in groups] == [("", 300), ("bad", 200)]
    assert len(bucket.questions) == 202
    assert bucket.questions.count("read") == 200
