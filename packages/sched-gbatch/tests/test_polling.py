"""What is asked of Batch, how often, and what is concluded."""

from __future__ import annotations

import pytest

from sched_core import (
    AttemptId,
    BackendError,
    EngineState,
    EngineUnavailable,
    Failure,
    Job,
    Observation,
    SubmitOutcomeUnknown,
    SubmitRejected,
)
from sched_gbatch.parallelism import Parallelism
from sched_gbatch.polling import Poll
from sched_gbatch.states import TaskEvent, TaskNews
from sched_gbatch.troubles import Refused

from .fakes import Open

QUOTA = "Job state is set from QUEUED to SCHEDULED for job x. inadequate quotas [Quota: CPUS]"


@pytest.fixture
def run() -> Open:
    return Open()


def poll_of(run: Open, start_timeout: float | None = None) -> Poll:
    return Poll(run.session, run.service, start_timeout, Parallelism())


async def seen(poll: Poll, jobs: list[Job]) -> list[Observation | None]:
    found = await poll.ask(jobs)
    return [found.get(AttemptId(job.index, job.attempt)) for job in jobs]


def states(observations: list[Observation | None]) -> list[EngineState | None]:
    return [None if one is None else one.state for one in observations]


async def test_t03_one_question_while_nothing_has_ended(run: Open) -> None:
    batch, jobs = run.submitted(500)
    run.service.be(batch, "RUNNING", *["RUNNING"] * 100, *["PENDING"] * 400)
    found = await seen(poll_of(run), jobs)
    assert run.service.calls == {"job": 1}
    assert set(states(found)) <= {EngineState.WAITING, EngineState.RUNNING}
    assert found[7] is not None
    assert found[7].jid == f"{batch}/7"


async def test_tasks_are_listed_once_more_have_ended_than_is_known(run: Open) -> None:
    batch, jobs = run.submitted(3)
    poll = poll_of(run)
    run.service.be(batch, "RUNNING", "SUCCEEDED", "FAILED:50001", "RUNNING")
    found = await seen(poll, jobs)
    assert run.service.calls["tasks"] == 1
    assert states(found) == [EngineState.SUCCEEDED, EngineState.FAILED, EngineState.RUNNING]
    run.ended(*jobs[:2])
    await seen(poll, jobs[2:])
    assert run.service.calls["tasks"] == 1


async def test_a_task_that_ended_without_a_record_is_asked_about_again(run: Open) -> None:
    batch, jobs = run.submitted(2)
    poll = poll_of(run)
    run.service.be(batch, "RUNNING", "RUNNING", "RUNNING")
    run.session.active[0].engine_ended = 1.0
    await seen(poll, jobs)
    assert run.service.calls["tasks"] == 1


async def test_ends_that_batch_has_not_counted_yet_hide_no_failure(run: Open) -> None:
    batch, jobs = run.submitted(4)
    poll = poll_of(run)
    run.ended(*jobs[:2])  # by their events
    run.service.be(batch, "RUNNING", "RUNNING", "RUNNING", "FAILED:50001", "RUNNING")
    found = await seen(poll, jobs[2:])
    assert states(found) == [EngineState.FAILED, EngineState.RUNNING]
    run.ended(jobs[2])
    await seen(poll, jobs[3:])
    assert run.service.calls["tasks"] == 1


async def test_jobs_of_several_batch_jobs(run: Open) -> None:
    first, jobs = run.submitted(2)
    second, more = run.submitted(1, "0002")
    run.service.be(first, "RUNNING", "RUNNING", "SUCCEEDED")
    run.service.be(second, "QUEUED", "PENDING")
    found = await seen(poll_of(run), [*jobs, *more])
    assert run.service.calls == {"job": 2, "tasks": 1}
    assert states(found) == [EngineState.RUNNING, EngineState.SUCCEEDED, EngineState.WAITING]
    assert found[2] is not None
    assert found[2].jid == f"{second}/0"


async def test_a_commands_code_is_believed_when_its_record_is_late(run: Open) -> None:
    batch, jobs = run.submitted(1)
    poll = poll_of(run)
    run.service.be(batch, "FAILED", "FAILED:3")
    assert states(await seen(poll, jobs)) == [EngineState.SUCCEEDED]
    run.ports.time += 60
    (found,) = await seen(poll, jobs)
    assert found is not None
    assert (found.state, found.rc, found.failure) == (EngineState.FAILED, 3, Failure.EXIT)


async def test_a_code_of_batchs_own_is_believed_at_once(run: Open) -> None:
    batch, jobs = run.submitted(1)
    run.service.be(batch, "FAILED", "FAILED:50001")
    (found,) = await seen(poll_of(run), jobs)
    assert found is not None
    assert (found.state, found.failure) == (EngineState.FAILED, Failure.PREEMPTED)


async def test_a_second_start_is_not_judged_by_the_first(run: Open) -> None:
    batch, jobs = run.submitted(1)
    poll = poll_of(run)
    run.service.be(batch, "RUNNING", "FAILED:3")
    await seen(poll, jobs)
    run.service.be(batch, "RUNNING", "RUNNING")
    run.session.active[0].engine_ended = 1.0
    assert states(await seen(poll, jobs)) == [EngineState.RUNNING]
    run.ports.time += 60
    run.service.be(batch, "RUNNING", "FAILED:4")
    assert states(await seen(poll, jobs)) == [EngineState.SUCCEEDED]


async def test_t02_a_batch_job_that_is_gone_is_so_the_second_time(run: Open) -> None:
    _, jobs = run.submitted(2)
    poll = poll_of(run)
    assert states(await seen(poll, jobs)) == [None, None]
    found = await seen(poll, jobs)
    assert {one and one.failure for one in found} == {Failure.CANCELLED}
    assert {one and one.reason for one in found} == {"Batch: the job was deleted"}


async def test_a_second_start_whose_batch_job_is_gone(run: Open) -> None:
    _, (job,) = run.submitted(1)
    job.restart = 1
    poll = poll_of(run)
    await seen(poll, [job])
    (found,) = await seen(poll, [job])
    assert found is not None
    assert found.restart == 1  # one of an earlier start would be left unheard


async def test_a_batch_job_that_is_there_again_is_not_gone(run: Open) -> None:
    batch, jobs = run.submitted(1)
    poll = poll_of(run)
    await seen(poll, jobs)
    run.service.be(batch, "RUNNING", "RUNNING")
    await seen(poll, jobs)
    del run.service.jobs[batch]
    assert states(await seen(poll, jobs)) == [None]


@pytest.mark.parametrize(
    "error",
    [
        EngineUnavailable("slow"),
        SubmitOutcomeUnknown("late"),
        Refused("no rights"),
        SubmitRejected("bad"),
    ],
)
async def test_t01_no_answer_is_no_news(run: Open, error: BackendError) -> None:
    batch, jobs = run.submitted(1)
    poll = poll_of(run)
    run.service.be(batch, "RUNNING", "RUNNING")
    run.service.error = error
    for question in (poll.ask(jobs), poll.unstarted(jobs), poll.has(jobs[0]), poll.job(batch)):
        with pytest.raises(EngineUnavailable, match=str(error)):
            await question


# --- what waits --------------------------------------------------------------------------------------


async def test_why_jobs_wait_is_told(run: Open) -> None:
    batch, jobs = run.submitted(2)
    poll = poll_of(run)
    run.service.be(batch, "SCHEDULED", "PENDING", "PENDING", events=[QUOTA])
    await seen(poll, jobs)
    assert {job.reason for job in jobs} == {"inadequate quotas [Quota: CPUS]"}
    assert run.warnings == [f"Batch job {batch} waits: inadequate quotas [Quota: CPUS]"]
    run.service.be(batch, "RUNNING", "RUNNING", "PENDING", events=[QUOTA])
    await seen(poll, jobs)
    assert {job.reason for job in jobs} == {""}


async def test_what_waits_too_long_is_given_up(run: Open) -> None:
    batch, jobs = run.submitted(2)
    poll = poll_of(run, start_timeout=100)
    run.service.be(batch, "SCHEDULED", "PENDING", "PENDING", events=[QUOTA])
    run.service.change(batch, created=run.ports.now())
    run.ports.time += 99
    await seen(poll, jobs)
    assert run.service.cancelled == []
    run.ports.time += 1
    await seen(poll, jobs)
    assert run.service.cancelled == [batch]
    run.service.be(batch, "CANCELLED", "UNEXECUTED", "UNEXECUTED")
    found = await seen(poll, jobs)
    assert {one and one.failure for one in found} == {Failure.UNAVAILABLE}
    reason = "it did not start within start_timeout: inadequate quotas [Quota: CPUS]"
    assert {one and one.reason for one in found} == {reason}


async def test_what_has_begun_is_not_given_up(run: Open) -> None:
    batch, jobs = run.submitted(2)
    run.service.be(batch, "RUNNING", "RUNNING", "PENDING")
    run.service.change(batch, created=0.0)
    await seen(poll_of(run, start_timeout=1), jobs)
    assert run.service.cancelled == []


async def test_what_somebody_cancels_is_cancelled(run: Open) -> None:
    batch, jobs = run.submitted(1)
    run.service.be(batch, "CANCELLED", "UNEXECUTED")
    (found,) = await seen(poll_of(run), jobs)
    assert found is not None
    assert (found.failure, found.reason) == (Failure.CANCELLED, "Batch: the job was cancelled")


# --- one job -----------------------------------------------------------------------------------------


async def test_which_have_certainly_not_begun(run: Open) -> None:
    batch, jobs = run.submitted(4)
    run.service.be(batch, "RUNNING", "PENDING", "ASSIGNED", "RUNNING", "UNEXECUTED")
    assert set(await poll_of(run).unstarted(jobs)) == {AttemptId(0, 1), AttemptId(3, 1)}


async def test_whether_batch_has_started_a_job_again(run: Open) -> None:
    batch, (job,) = run.submitted(1)
    poll = poll_of(run)
    begun = TaskEvent("RUNNING", "begun")
    for state, starts, restart, again in [
        ("RUNNING", 1, 0, False),
        ("PENDING", 1, 0, False),
        ("ASSIGNED", 1, 0, True),
        ("RUNNING", 2, 0, True),
        ("RUNNING", 2, 1, False),
        ("FAILED", 1, 0, False),
    ]:
        run.service.of_tasks[batch] = {0: TaskNews(state, (begun,) * starts)}
        job.restart = restart
        assert await poll.starts_again(job) is again


async def test_tasks_that_are_not_told_of_yet(run: Open) -> None:
    batch, jobs = run.submitted(2)
    poll = poll_of(run)
    run.service.be(batch, "QUEUED")
    assert len(await poll.unstarted(jobs)) == 2
    run.service.change(batch, state="SUCCEEDED")
    assert not await poll.unstarted(jobs)
    run.service.change(batch, state="SCHEDULED", counts={"ASSIGNED": 1, "PENDING": 1})
    assert not await poll.unstarted(jobs)


async def test_whether_batch_has_a_job(run: Open) -> None:
    batch, (runs, ended, waits) = run.submitted(3)
    poll = poll_of(run)
    run.service.be(batch, "RUNNING", "RUNNING", "SUCCEEDED", "PENDING")
    assert [await poll.has(job) for job in (runs, ended, waits)] == [True, False, True]


async def test_a_job_by_its_id_alone(run: Open) -> None:
    batch, (job, _) = run.submitted(2)
    run.session.active.clear()
    poll = poll_of(run)
    job.jid = ""
    assert not await poll.has(job)
    job.jid = f"{batch}/1"
    run.service.be(batch, "RUNNING", "SUCCEEDED", "RUNNING")
    assert await poll.has(job)
