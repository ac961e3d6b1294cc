"""Files of earlier attempts in a bucket, where moving them is copying, then removing."""

from __future__ import annotations

from sched_core.lifecycle.files import archive_attempt

from .bucket import Bucket

JOB = "/bucket/run/0"


def archived(objects: dict[str, bytes]) -> dict[str, bytes]:
    bucket = Bucket()
    bucket.objects.update({f"{JOB}/{name}": data for name, data in objects.items()})
    archive_attempt(bucket, JOB, 1)
    return {path.removeprefix(f"{JOB}/"): data for path, data in bucket.objects.items()}


def test_what_was_copied_but_not_removed_is_no_later_attempts() -> None:
    left = {"job.stdout": b"1", "job.rc": b"1", "job.retry/1/job.stdout": b"1"}
    assert archived(left) == {"job.retry/1/job.stdout": b"1", "job.retry/1/job.rc": b"1"}


def test_what_a_later_attempt_has_written_stays() -> None:
    left = {"job.stdout": b"2", "job.retry/1/job.stdout": b"1"}
    assert archived(left) == left
