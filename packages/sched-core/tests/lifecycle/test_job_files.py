"""The files of many jobs are asked for together, and of a bucket no more than is needed."""

from __future__ import annotations

import pytest

from sched_core.lifecycle.files import (
    Preparation,
    prepare_jobs,
    read_claims,
    seal_attempt,
    take_claims,
)
from sched_core.ports import StoreUnavailable
from sched_core.runfolder import AttemptId
from sched_core.text.claim import render_fence

from .bucket import Bucket

FENCE = render_fence("here", "boot", 1, 2, 3.0)
CLAIM = b"7 0 vm-3 boot 1 2 1000.25\n"
ENDED = CLAIM + b"E 0 - 1010.5\n"


class Counting(Bucket):
    """Counts the questions."""

    def __init__(self) -> None:
        super().__init__()
        self.questions: list[str] = []

    def names(self, folder: str) -> list[str]:
        self.questions.append(f"names {folder}")
        return super().names(folder)

    def read_many(self, paths: object) -> list[bytes | None]:
        self.questions.append("read_many")
        return super().read_many(list(paths))  # type: ignore[call-overload]  # a sequence of paths

    def exists(self, path: str) -> bool:
        self.questions.append(f"exists {path}")
        return super().exists(path)


@pytest.fixture
def files() -> Counting:
    return Counting()


def preparation(index: int, attempt: int = 1) -> Preparation:
    folder = f"/run/{index}"
    script = f"script {attempt}".encode()
    return Preparation(AttemptId(index, attempt), folder, f"{folder}/job.wrapped.x", script)


def test_first_attempts_are_prepared_without_a_question(files: Counting) -> None:
    assert prepare_jobs(files, [preparation(n) for n in range(5)]) == [None] * 5
    assert files.questions == []
    assert files.objects["/run/4/job.wrapped.x"] == b"script 1"


def test_the_files_of_an_earlier_attempt_are_kept_once(files: Counting) -> None:
    for name in ("job.stdout", "job.rc", "job.wrapped.x", "job.claim.1", "other"):
        files.write(f"/run/0/{name}", b"of attempt 1")
    files.write("/run/0/job.retry/1/job.rc", b"kept before the driver died")
    assert prepare_jobs(files, [preparation(0, 2), preparation(1)]) == [None, None]
    assert files.questions == ["names /run/0", "names /run/0/job.retry/1"]
    assert files.objects == {
        "/run/0/job.retry/1/job.stdout": b"of attempt 1",
        "/run/0/job.retry/1/job.rc": b"kept before the driver died",
        "/run/0/job.retry/1/job.wrapped.x": b"of attempt 1",
        "/run/0/job.rc": b"of attempt 1",
        "/run/0/job.claim.1": b"of attempt 1",
        "/run/0/other": b"of attempt 1",
        "/run/0/job.wrapped.x": b"script 2",
        "/run/1/job.wrapped.x": b"script 1",
    }


def test_a_script_that_was_there_is_replaced(files: Counting) -> None:
    files.write("/run/0/job.wrapped.x", b"of a driver that died")
    assert prepare_jobs(files, [preparation(0)]) == [None]
    assert files.objects["/run/0/job.wrapped.x"] == b"script 1"


def test_each_problem_is_told_of_its_own_job(files: Counting) -> None:
    class Narrow(Counting):
        def create(self, path: str, data: bytes) -> bool:
            if path.startswith("/run/1/"):
                raise StoreUnavailable("the bucket is away")
            return super().create(path, data)

    problems = prepare_jobs(Narrow(), [preparation(n) for n in range(3)])
    assert [type(problem) for problem in problems] == [
        type(None),
        StoreUnavailable,
        type(None),
    ]


def test_claims_are_read_in_rounds(files: Counting) -> None:
    files.write("/run/0/job.claim.1", CLAIM)
    files.write("/run/1/job.claim.1", CLAIM)
    files.write("/run/1/job.claim.1.r1", ENDED)
    files.write("/run/3/job.claim.2", ENDED)
    files.write("/run/3/job.claim.2.r1", FENCE)
    found = read_claims(files, [("/run/0", 1), ("/run/1", 1), ("/run/2", 1), ("/run/3", 2)])
    assert files.questions == ["read_many"] * 3
    facts = [claim and (claim.rc, claim.position, claim.sealed) for claim in found]
    assert facts == [(None, 0, False), (0, 1, False), None, (0, 0, True)]


def test_no_further_claims_are_looked_for_where_nothing_starts_again(files: Counting) -> None:
    files.write("/run/0/job.claim.1", CLAIM)
    assert read_claims(files, [("/run/0", 1)], restarts=False)[0] is not None
    assert files.was_read == ["/run/0/job.claim.1"]


def test_a_claim_is_taken_once(files: Counting) -> None:
    files.write("/run/1/job.claim.1", CLAIM)
    files.write("/run/2/job.claim.1", FENCE)
    places = [("/run/0", 1), ("/run/1", 1), ("/run/2", 1)]
    assert take_claims(files, places, FENCE) == [True, False, True]
    assert seal_attempt(files, "/run/1", 1, 0, None, FENCE)
    assert files.objects["/run/1/job.claim.1.r1"] == FENCE
