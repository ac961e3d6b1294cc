from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sched_core import Failure, JobStatus
from sched_core.runfolder import JobRecord
from sched_core.text.claim import Claim

from ..marks import Start, read_starts
from ..oracle import Found, judge
from ..work import DISK_WAS_FULL, output_of


def job(status: JobStatus = JobStatus.FINISHED, attempt: int = 1, **values: Any) -> JobRecord:
    return JobRecord(0, [], status=status, attempt=attempt, **values)


def start(attempt: int = 1, began: int = 10, ended: int | None = 20, **values: Any) -> Start:
    rc = values.pop("rc", 0 if ended is not None else None)
    restart = values.pop("restart", 0)
    return Start(0, began, attempt, restart, values.pop("jid", "1"), ended, rc, **values)


def failed(attempt: int = 1, failure: Failure = Failure.EXIT) -> dict[tuple[int, int], Any]:
    entry = {"to": int(JobStatus.FAILED), "attempt": attempt, "failure": failure.value}
    return {(0, attempt): entry}


GOOD = Found(["plain"], {0: job()}, {}, [start()], {0: output_of(0, "plain")})
LATER = start(2, 30, 40)
ENDED = Claim(claimed=0.000_009, rc=0)
TWO = replace(GOOD, jobs={0: job(attempt=2)}, starts=[start(rc=None, ended=None), LATER])


def kinds(found: Found) -> list[str]:
    return [violation.kind for violation in judge(found)]


def words(found: Found) -> str:
    return " / ".join(violation.what for violation in judge(found))


def test_a_job_that_ran_once_is_as_it_must_be() -> None:
    assert judge(GOOD) == []


@pytest.mark.parametrize(
    "found",
    [
        replace(GOOD, jobs={}),
        replace(GOOD, jobs={0: job(JobStatus.RUNNING)}),
        replace(GOOD, jobs={0: job(JobStatus.KILLED, interrupted=True)}, wanted={0}),
        replace(GOOD, jobs={0: job(JobStatus.KILLED)}),
        replace(GOOD, jobs={0: job(JobStatus.FAILED, failure=Failure.LOST)}),
        replace(GOOD, starts=[]),
        replace(GOOD, starts=[start(ended=None)]),
        replace(GOOD, outputs={0: ("", "")}),
    ],
    ids="gone runs interrupted killed failed unstarted unended cut".split(),
)
def test_a_job_that_is_lost_is_found(found: Found) -> None:
    assert kinds(found) == ["lost"]


@pytest.mark.parametrize(
    "found, what",
    [
        (replace(GOOD, starts=[start(), start(began=30, ended=40)]), "an attempt was started twice"),
        (
            replace(GOOD, starts=[start(rc=3), start(began=30, ended=40, restart=1)]),
            "an attempt was started twice",
        ),
        (
            replace(GOOD, starts=[start(ended=50, rc=3), start(began=30, restart=1)], loses=True),
            "two ran at once",
        ),
        (replace(GOOD, starts=[start(beside=True)]), "two lived at once"),
        (TWO, "attempt 1 had not ended"),
        (replace(TWO, settled=failed(failure=Failure.LOST)), "cannot have ended by itself"),
        (replace(TWO, settled=failed(), starts=[start(), LATER]), "had not failed"),
        (
            replace(
                TWO, settled=failed(failure=Failure.LOST), starts=[start(), LATER],
                claims=[(0, 1, ENDED)], loses=True,
            ),
            "that is on record",
        ),
    ],
)  # fmt: skip
def test_a_job_that_ran_twice_is_found(found: Found, what: str) -> None:
    assert "twice" in kinds(found)
    assert what in words(found)


@pytest.mark.parametrize("failure", [Failure.LOST, Failure.NODE_FAIL, Failure.PREEMPTED])
def test_what_was_lost_may_run_again_where_something_can_be_lost(failure: Failure) -> None:
    assert judge(replace(TWO, settled=failed(failure=failure), loses=True)) == []


def test_what_had_not_been_recorded_has_to_run_again() -> None:
    starts = [start(), start(began=30, ended=40, restart=1)]
    second = (0, 1, Claim(claimed=0.000_025, rc=0))
    found = replace(
        GOOD, starts=starts, claims=[(0, 1, replace(ENDED, rc=None)), second], loses=True
    )
    assert judge(found) == []
    found = replace(found, claims=[(0, 1, ENDED), second])
    assert words(found).startswith("an attempt that had finished was started again")


def test_an_engine_may_start_a_job_again_where_it_was_made_to() -> None:
    starts = [start(ended=None), start(began=30, ended=40, restart=1)]
    assert judge(replace(GOOD, starts=starts, loses=True)) == []


def test_jobs_fail_as_their_kind_does() -> None:
    broken = job(JobStatus.FAILED, 2, rc=4, failure=Failure.EXIT)
    twice = [start(rc=4), start(2, 30, 40, rc=4)]
    found = Found(["broken"], {0: broken}, failed(), twice)
    assert judge(found) == []
    assert kinds(replace(found, kinds=["flaky"])) == ["lost", "lost"]
    once = replace(found, jobs={0: replace(broken, attempt=1)}, starts=twice[:1])
    assert "failed 1 times, not 2" in words(once)


def test_a_full_disk_is_a_reason_to_fail_only_where_there_was_one() -> None:
    full = job(JobStatus.FAILED, rc=DISK_WAS_FULL, failure=Failure.EXIT)
    found = Found(["plain"], {0: full}, {}, [start(rc=DISK_WAS_FULL)], fills=True, loses=True)
    assert judge(found) == []
    assert "its disk was not full" in words(replace(found, fills=False))
    setup = job(JobStatus.FAILED, rc=122, failure=Failure.SETUP)
    assert judge(replace(found, jobs={0: setup}, starts=[])) == []


def test_what_is_left_over_and_what_is_wrong_is_told() -> None:
    found = replace(GOOD, left=["process 7: sleep 1000"], wrong=["a traceback: driver-1.log"])
    assert kinds(found) == ["left over", "wrong"]


def test_notes_are_read_as_the_jobs_have_made_them() -> None:
    notes = """3.1.0.12-4.2000000.start 3.1.0.12-4.2000000.0.2500000.end 3.1.1.12-4.4000000.start
    3.1.1.12-4.4000000.beside 1.2.0.7.1000000.start 3.lock 1.failed""".split()
    assert read_starts(notes) == [
        Start(1, 1_000_000, 2, 0, "7"),
        Start(3, 2_000_000, 1, 0, "12-4", 2_500_000, 0),
        Start(3, 4_000_000, 1, 1, "12-4", beside=True),
    ]
