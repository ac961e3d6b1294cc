"""How tasks are told to end, and when a whole Batch job is cancelled instead."""

from __future__ import annotations

import pytest

from sched_core import BackendError, EngineUnavailable, Job, JobStatus, SubmitOutcomeUnknown
from sched_gbatch.kills import Kills
from sched_gbatch.troubles import Refused

from .fakes import Open

GRACE = 5.0


@pytest.fixture
def run() -> Open:
    return Open()


@pytest.fixture
def kills(run: Open) -> Kills:
    return Kills(run.session, run.service, GRACE)


def told(run: Open) -> list[tuple[str, str]]:
    """Return the submissions that were told to end something, and what."""
    found = []
    for path, data in run.objects.stored.items():
        folder, _, name = path.rpartition("/")
        assert folder == "gs://bucket/run1/.sched/kills"
        found.append((name.partition(".")[0], data.decode()))
    return found


def dying(*jobs: Job) -> list[Job]:
    for job in jobs:
        job.status = JobStatus.KILLING
    return list(jobs)


async def test_one_of_many_is_told(run: Open, kills: Kills) -> None:
    _, jobs = run.submitted(5)
    run.started(*jobs)
    await kills.kill(dying(jobs[1], jobs[3]))
    assert told(run) == [("0001", "1:1\n3:1\n")]
    assert run.service.calls == {}


async def test_t20_all_that_wait_are_cancelled_by_one_call(run: Open, kills: Kills) -> None:
    batch, jobs = run.submitted(500)
    await kills.kill(dying(*jobs))
    assert run.service.cancelled == [batch]
    assert told(run) == []


async def test_all_of_which_some_run_get_their_grace(run: Open, kills: Kills) -> None:
    batch, jobs = run.submitted(500)
    run.started(*jobs[:3])
    await kills.kill(dying(*jobs))
    assert told(run) == [("0001", "*\n")]
    run.ports.time += GRACE
    await kills.cancel_late()
    assert run.service.cancelled == []
    run.ports.time += 60
    await kills.cancel_late()
    assert run.service.cancelled == [batch]


async def test_what_ended_in_time_is_not_cancelled(run: Open, kills: Kills) -> None:
    _, jobs = run.submitted(2)
    run.started(*jobs)
    await kills.kill(dying(*jobs))
    run.ended(*jobs)
    run.ports.time += 60
    await kills.cancel_late()
    assert run.service.cancelled == []


async def test_t20_a_cancellation_that_fails_is_tried_again(run: Open, kills: Kills) -> None:
    batch, jobs = run.submitted(1)
    run.started(*jobs)
    await kills.kill(dying(*jobs))
    run.service.error = EngineUnavailable("slow")
    run.ports.time += 60
    await kills.cancel_late()
    assert run.warnings == ["a Batch job cannot be cancelled now: slow"]
    run.service.error = None
    run.ports.time += 60
    await kills.cancel_late()
    assert run.service.cancelled == [batch]


async def test_the_last_of_a_batch_job_end_it_as_a_whole(run: Open, kills: Kills) -> None:
    batch, jobs = run.submitted(3)
    dying(jobs[0])
    run.ended(jobs[1])
    await kills.kill(dying(jobs[2]))
    assert run.service.cancelled == [batch]


async def test_those_of_two_batch_jobs(run: Open, kills: Kills) -> None:
    _, first = run.submitted(2)
    second, more = run.submitted(1, "0002")
    run.started(*first)
    await kills.kill(dying(first[0], *more))
    assert told(run) == [("0001", "0:1\n")]
    assert run.service.cancelled == [second]


@pytest.mark.parametrize("error", [EngineUnavailable("x"), SubmitOutcomeUnknown("x"), Refused("x")])
async def test_what_cannot_be_cancelled_now(run: Open, kills: Kills, error: BackendError) -> None:
    _, jobs = run.submitted(1)
    run.service.error = error
    with pytest.raises(EngineUnavailable, match="x"):
        await kills.kill(dying(*jobs))


async def test_what_cannot_be_told_now(run: Open, kills: Kills) -> None:
    _, jobs = run.submitted(2)
    run.started(*jobs)
    run.objects.error = OSError("away")
    with pytest.raises(EngineUnavailable, match="cannot be told: away"):
        await kills.kill(dying(jobs[0]))
    run.objects.error = None
    await kills.kill(dying(jobs[0]))
    assert told(run) == [("0001", "0:1\n")]


async def test_what_cannot_be_told_is_cancelled_when_its_time_is_over(
    run: Open, kills: Kills
) -> None:
    batch, jobs = run.submitted(3)
    run.started(*jobs)
    run.objects.error = OSError("away")
    with pytest.raises(EngineUnavailable):
        await kills.kill(dying(*jobs))
    run.ports.time += 60
    await kills.cancel_late()
    assert run.service.cancelled == [batch]


async def test_large_submissions_that_end_as_a_whole_need_no_fences(
    run: Open, kills: Kills
) -> None:
    _, large = run.submitted(100)
    _, small = run.submitted(3, "0002")
    _, part = run.submitted(100, "0003")
    asked = dying(*large, *small, *part[:50])
    assert kills.few(asked) == [*small, *part[:50]]


async def test_nothing_is_left_in_the_bucket(run: Open, kills: Kills) -> None:
    _, first = run.submitted(2)
    _, second = run.submitted(2, "0002")
    run.started(*first, *second)
    await kills.kill(dying(first[0], second[0]))
    run.ended(*first)
    await kills.tidy()
    assert told(run) == [("0002", "2:1\n")]
    run.objects.error = OSError("away")
    run.ended(*second)
    await kills.tidy()
    assert run.warnings == ["objects in .sched/kills cannot be removed: away"]
