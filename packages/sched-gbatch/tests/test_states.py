"""What Batch says, by the enums of the installed library, and what it means."""

from __future__ import annotations

from typing import Any

import pytest
from google.cloud import batch_v1

from sched_core import EngineState, Failure
from sched_gbatch.states import (
    CANCELLED_JOBS,
    ENDED_JOBS,
    JobNews,
    TaskEvent,
    TaskNews,
    failure_of_job,
    observation_of_task,
    observation_without_task,
    trouble_of,
)
from sched_gbatch.words import explain

RUNS = JobNews("RUNNING", counts={"RUNNING": 1})
FAILED_JOB = JobNews("FAILED", counts={"FAILED": 1})
QUOTA = (
    "Job state is set from SCHEDULED to SCHEDULED_PENDING_QUOTA_AVAILABLE for job "
    "projects/1/locations/us-central1/jobs/x. Quota checking process decided to delay scheduling "
    "for the job due to inadequate quotas [Quota: CPUS, limit: 8, usage: 8, wanted: 4.]."
)
STOCKOUT = (
    "Job state is set from SCHEDULED to FAILED for job projects/1/locations/l/jobs/x. Job failed "
    "due to: Batch Error: code - CODE_GCE_ZONE_RESOURCE_POOL_EXHAUSTED, description - error count is 4"
)
NO_IMAGE = (
    "Job state is set from SCHEDULED to FAILED for job projects/1/locations/l/jobs/x. Job failed due to: "
    "The resource 'projects/p/global/images/x' was not found"
)
VM = "on zones/us-central1-a/instances/8254129876"


def event(state: str, code: int | None = None, text: str = VM) -> TaskEvent:
    return TaskEvent(state, text, code)


def seen(task: TaskNews, job: JobNews = RUNS, *, sure: bool = True) -> tuple[object, ...]:
    found = observation_of_task(task, job, "b/0", sure=sure)
    assert found.jid == "b/0"
    return found.state, found.rc, found.failure


def failed(code: int | None) -> TaskNews:
    return TaskNews("FAILED", (event("ASSIGNED"), event("RUNNING"), event("FAILED", code)))


def names_of(states: Any) -> set[str]:
    return {state.name for state in states}


# --- all of them -------------------------------------------------------------------------------------

EXPECTED_OF_TASKS = {
    "STATE_UNSPECIFIED": EngineState.WAITING,
    "PENDING": EngineState.WAITING,
    "ASSIGNED": EngineState.WAITING,
    "RUNNING": EngineState.RUNNING,
    "FAILED": EngineState.FAILED,
    "SUCCEEDED": EngineState.SUCCEEDED,
    "UNEXECUTED": EngineState.FORGOTTEN,
}


def test_t12_every_state_of_tasks_is_known() -> None:
    assert names_of(batch_v1.TaskStatus.State) == EXPECTED_OF_TASKS.keys()


@pytest.mark.parametrize("name", EXPECTED_OF_TASKS)
def test_states_of_tasks(name: str) -> None:
    assert seen(TaskNews(name))[0] is EXPECTED_OF_TASKS[name]


GOING_ON = {"STATE_UNSPECIFIED", "QUEUED", "SCHEDULED", "RUNNING"}


def test_t12_every_state_of_jobs_is_known() -> None:
    assert names_of(batch_v1.JobStatus.State) == GOING_ON | ENDED_JOBS | CANCELLED_JOBS


@pytest.mark.parametrize("name", sorted(GOING_ON))
def test_a_task_that_waits_in_a_job_that_goes_on(name: str) -> None:
    assert seen(TaskNews("PENDING"), JobNews(name))[0] is EngineState.WAITING


@pytest.mark.parametrize("state", ["PENDING", "ASSIGNED", "RUNNING", "UNEXECUTED"])
def test_a_task_of_a_job_that_was_cancelled(state: str) -> None:
    expected = (EngineState.FAILED, None, Failure.CANCELLED)
    assert seen(TaskNews("FAILED", (event("FAILED", 137),)), JobNews("CANCELLED")) == expected
    if state != "RUNNING":
        assert seen(TaskNews(state), JobNews("CANCELLED")) == expected


def test_a_task_that_still_runs_while_its_job_is_being_cancelled() -> None:
    for name in CANCELLED_JOBS - ENDED_JOBS:
        assert seen(TaskNews("RUNNING"), JobNews(name))[0] is EngineState.RUNNING
        assert seen(TaskNews("SUCCEEDED"), JobNews(name))[0] is EngineState.SUCCEEDED


# --- exit codes --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "code, failure",
    [
        (50001, Failure.PREEMPTED),
        (50002, Failure.NODE_FAIL),
        (50003, Failure.NODE_FAIL),
        (50004, Failure.NODE_FAIL),
        (50005, Failure.TIMEOUT),
        (50006, Failure.NODE_FAIL),
    ],
)
@pytest.mark.parametrize("sure", [True, False])
def test_codes_that_are_batchs_own_are_believed_at_once(
    code: int, failure: Failure, sure: bool
) -> None:
    assert seen(failed(code), sure=sure) == (EngineState.FAILED, None, failure)
    found = observation_of_task(failed(code), RUNS, "b/0", sure=sure)
    assert found.reason.startswith("Batch: ")
    assert str(code) in found.reason


@pytest.mark.parametrize("code, failure", [
    (1, Failure.EXIT), (137, Failure.EXIT), (122, Failure.SETUP), (125, Failure.SETUP),
    (127, Failure.SETUP), (None, Failure.SETUP),
])  # fmt: skip
def test_codes_of_commands_wait_for_their_record(code: int | None, failure: Failure) -> None:
    assert seen(failed(code), sure=False) == (EngineState.SUCCEEDED, code, None)
    assert seen(failed(code)) == (EngineState.FAILED, code, failure)


def test_a_code_of_batchs_own_that_only_its_words_tell() -> None:
    text = (
        "Task state is updated from RUNNING to FAILED on zones/z/instances/i with exit code 50002."
    )
    assert seen(TaskNews("FAILED", (TaskEvent("FAILED", text),)))[2] is Failure.NODE_FAIL
    assert seen(TaskNews("FAILED", (TaskEvent("FAILED", text, 0),)))[2] is Failure.NODE_FAIL


def test_a_task_that_started_nothing_proves_nothing() -> None:
    assert seen(failed(121))[0] is EngineState.SUCCEEDED


def test_a_second_start_that_succeeds_is_no_failure() -> None:
    task = TaskNews("SUCCEEDED", (*failed(50001).events, event("RUNNING"), event("SUCCEEDED", 0)))
    assert seen(task) == (EngineState.SUCCEEDED, None, None)
    assert observation_of_task(task, RUNS, "b/0", sure=True).restart == 1


def test_the_code_of_a_first_start_is_no_word_on_the_second() -> None:
    again = (*failed(50001).events, event("ASSIGNED"), event("RUNNING"))
    assert TaskNews("RUNNING", again).exit_code is None
    assert seen(TaskNews("RUNNING", again)) == (EngineState.RUNNING, None, None)
    assert TaskNews("FAILED", (*again, event("FAILED", 3))).exit_code == 3


@pytest.mark.parametrize("state, starts, restart", [
    ("PENDING", 0, 0), ("PENDING", 1, 1), ("RUNNING", 1, 0), ("RUNNING", 2, 1), ("ASSIGNED", 2, 2),
])  # fmt: skip
def test_how_often_it_was_started_again(state: str, starts: int, restart: int) -> None:
    task = TaskNews(state, (event("RUNNING"),) * starts)
    assert observation_of_task(task, RUNS, "b/0", sure=True).restart == restart


def test_the_vm_is_the_last_one() -> None:
    events = (event("RUNNING"), event("RUNNING", text="on zones/z/instances/vm-7"))
    assert TaskNews("RUNNING", (*events, event("FAILED", 1, "it failed"))).host == "vm-7"
    assert TaskNews("PENDING").host is None


# --- tasks that never ran ----------------------------------------------------------------------------


def test_tasks_that_their_job_did_not_come_to() -> None:
    expected = (EngineState.FORGOTTEN, None, None)
    assert seen(TaskNews("UNEXECUTED"), FAILED_JOB) == expected
    assert seen(TaskNews("PENDING"), FAILED_JOB) == expected
    assert seen(TaskNews("PENDING"), JobNews("SUCCEEDED")) == expected


@pytest.mark.parametrize("job, state, failure", [
    (JobNews("QUEUED"), EngineState.WAITING, None),
    (RUNS, EngineState.WAITING, None),
    (JobNews("CANCELLATION_IN_PROGRESS"), EngineState.WAITING, None),
    (FAILED_JOB, EngineState.SUCCEEDED, None),
    (JobNews("SUCCEEDED"), EngineState.SUCCEEDED, None),
    (JobNews("CANCELLED"), EngineState.FAILED, Failure.CANCELLED),
    (JobNews("FAILED", (STOCKOUT,)), EngineState.FAILED, Failure.UNAVAILABLE),
])  # fmt: skip
def test_a_task_that_is_not_told_of(
    job: JobNews, state: EngineState, failure: Failure | None
) -> None:
    found = observation_without_task(job, "b/0", 2)
    assert (found.state, found.failure, found.jid, found.restart) == (state, failure, "b/0", 2)


@pytest.mark.parametrize("events, failure", [
    ([STOCKOUT], Failure.UNAVAILABLE), ([QUOTA], Failure.UNAVAILABLE), ([NO_IMAGE], Failure.REJECTED),
    (["Job failed due to: PERMISSION_DENIED of the service account"], Failure.REJECTED),
    (["something"], Failure.SETUP), ([], Failure.SETUP),
])  # fmt: skip
def test_t07_a_job_that_failed_without_a_task(events: list[str], failure: Failure) -> None:
    job = JobNews("FAILED", tuple(events), {"PENDING": 3})
    assert seen(TaskNews("PENDING"), job) == (EngineState.FAILED, None, failure)
    reason = observation_of_task(TaskNews("PENDING"), job, "b/0", sure=True).reason
    assert reason.startswith("Batch: ")
    assert "Job state is set" not in reason
    assert failure_of_job(events) == (failure, reason)


def test_why_a_job_waits() -> None:
    assert trouble_of(["Job state is set from QUEUED to SCHEDULED for job x."]) is None
    told = trouble_of([STOCKOUT, QUOTA])
    assert told is not None
    assert told.startswith("Quota checking process decided")


def test_the_name_of_a_job_is_no_reason_why_it_waits() -> None:
    sentence = "Job state is set from QUEUED to SCHEDULED for job projects/p/jobs/quota-ab12-1."
    assert trouble_of([sentence]) is None
    assert failure_of_job([sentence])[0] is Failure.SETUP


@pytest.mark.parametrize("job, waits", [
    (JobNews("QUEUED"), True), (JobNews("SCHEDULED", counts={"PENDING": 3}), True),
    (RUNS, False), (JobNews("RUNNING", counts={"PENDING": 2, "SUCCEEDED": 1}), False),
    (JobNews("FAILED"), False), (JobNews("CANCELLATION_IN_PROGRESS"), False),
])  # fmt: skip
def test_which_jobs_wait(job: JobNews, waits: bool) -> None:
    assert job.waits is waits


def test_counts() -> None:
    job = JobNews("RUNNING", counts={"SUCCEEDED": 2, "FAILED": 1, "UNEXECUTED": 4, "RUNNING": 8})
    assert (job.ended_tasks, job.begun_tasks) == (7, 11)


# --- for people --------------------------------------------------------------------------------------


def test_what_people_read() -> None:
    job = JobNews("SCHEDULED", (QUOTA,), {"PENDING": 2})
    text = explain("b", job, TaskNews("PENDING"))
    assert text.splitlines()[:2] == [
        "Batch job b is SCHEDULED (tasks: 2 PENDING)",
        "its task is PENDING",
    ]
    assert "inadequate quotas [Quota: CPUS" in text
    assert explain("b", None, None) == "Batch has no job b: it was deleted"
    ran = explain("b", RUNS, failed(50001))
    assert ran.splitlines()[1] == "its task is FAILED on 8254129876"
