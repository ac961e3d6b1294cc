"""The emulator's jobs and tasks, by the unmodified client."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from google.api_core import exceptions
from google.cloud import batch_v1

from .batch_calls import PARENT, Caller, group_of
from .batch_rig import caller, emulator, store

__all__ = ["caller", "emulator", "store"]

TaskState = batch_v1.TaskStatus.State
JobState = batch_v1.JobStatus.State
MOUNTED = [{"gcs": {"remote_path": "b/run1"}, "mount_path": "/mnt/disks/run1"}]
TOLD = "projects/p/locations/us-central1/jobs"


def test_runs_a_script_and_keeps_what_it_prints(caller: Caller) -> None:
    job = caller.run("echo out; echo err >&2")
    assert caller.emulator.printed(job, 0) == "out\nerr\n"
    assert caller.get(job).status.state == JobState.SUCCEEDED


def test_tells_of_a_job_what_the_service_does(caller: Caller) -> None:
    job = caller.run("true")
    found = caller.get(job)
    assert found.uid.startswith(f"{job}-")
    assert dict(found.status.task_groups["group0"].counts) == {"SUCCEEDED": 1}
    needs = found.task_groups[0].task_spec.compute_resource
    assert (needs.cpu_milli, needs.memory_mib) == (2000, 2000)
    moves = ["QUEUED to SCHEDULED", "SCHEDULED to RUNNING", "RUNNING to SUCCEEDED"]
    assert caller.words(job) == [
        f"Job state is set from {move} for job {TOLD}/{job}." for move in moves
    ]


def test_a_task_that_fails_fails_the_job(caller: Caller) -> None:
    job = caller.run('exit "$BATCH_TASK_INDEX"', tasks=4)
    states = [task.status.state for task in caller.tasks(job)]
    assert states == [TaskState.SUCCEEDED, *[TaskState.FAILED] * 3]
    last = caller.task(job, 3).status.status_events[-1]
    assert last.task_execution.exit_code == 3
    assert "with exit code 1." in caller.words(job)[-1]
    assert caller.get(job).status.state == JobState.FAILED


def test_tasks_see_the_bucket_and_their_variables(caller: Caller, store: Path) -> None:
    text = 'env | sort >"/mnt/disks/run1/$BATCH_TASK_INDEX"; [ -w "$TMPDIR" ]; ls /mnt/disks'
    environment = {"variables": {"WORDS": "two words; $HOME"}}
    job = caller.run(text, volumes=MOUNTED, environment=environment)
    assert caller.emulator.printed(job, 0) == "run1\n"
    told = (store / "b/run1/0").read_text().splitlines()
    assert "WORDS=two words; $HOME" in told
    assert {f"BATCH_JOB_ID={job}", "BATCH_TASK_COUNT=1", "BATCH_TASK_RETRY_ATTEMPT=0"} < set(told)
    assert f"BATCH_JOB_UID={caller.get(job).uid}" in told


def test_a_bucket_that_is_not_there_fails_the_task(caller: Caller) -> None:
    volumes = [{"gcs": {"remote_path": "none"}, "mount_path": "/mnt/disks/none"}]
    job = caller.run("true", volumes=volumes)
    assert caller.task(job).status.state == TaskState.FAILED
    assert "there is no bucket" in caller.emulator.printed(job, 0, runnable=None)


def test_nothing_of_a_task_outlives_it(caller: Caller, store: Path) -> None:
    waiting = "while [ ! -e go ]; do sleep 0.02; done; : >late"
    text = f"cd /mnt/disks/run1; setsid sh -c '{waiting}' & : >began"
    caller.run(text, volumes=MOUNTED)
    (store / "b/run1/go").touch()
    # The next one takes longer than the first would take to see it.
    caller.run("sleep 0.3")
    assert not (store / "b/run1/late").exists()


def test_never_runs_more_than_the_job_allows(caller: Caller) -> None:
    job = caller.create(group_of("sleep 0.1", tasks=6) | {"parallelism": 2})
    caller.emulator.wait(job)
    assert caller.emulator.most_running(job) == 2
    other = caller.create(group_of("sleep 0.1", tasks=8))
    caller.emulator.wait(other)
    assert caller.emulator.most_running() == 4


def test_lists_tasks_by_pages_and_states(caller: Caller) -> None:
    job = caller.run('[ "$BATCH_TASK_INDEX" != 3 ]', tasks=5)
    pages = caller.tasks(job, page_size=2)
    assert [task.name.rpartition("/")[2] for task in pages] == list("01234")
    assert caller.emulator.calls()["ListTasks"] == 3
    assert caller.emulator.calls()["ListTasks.next"] == 2
    failed = caller.tasks(job, filter="State=FAILED")
    assert [task.name.rpartition("/")[2] for task in failed] == ["3"]


def test_lists_jobs_by_labels_and_states(caller: Caller) -> None:
    caller.emulator.freeze()
    jobs = [caller.create(group_of("true"), labels={"run": name}) for name in "aab"]
    mine = caller.client.list_jobs({"parent": PARENT, "filter": "labels.run=a", "page_size": 1})
    assert [job.name.rpartition("/")[2] for job in mine] == [jobs[1], jobs[0]]
    caller.emulator.resume()
    caller.emulator.wait(jobs[2])
    caller.emulator.freeze()
    caller.create(group_of("true"), labels={"run": "b"})
    ended = 'labels.run="b" AND status.state="SUCCEEDED"'
    found = caller.client.list_jobs({"parent": PARENT, "filter": ended})
    assert [job.name.rpartition("/")[2] for job in found] == [jobs[2]]


def test_refuses_a_filter_it_does_not_know(caller: Caller) -> None:
    caller.create(group_of("true"))
    with pytest.raises(exceptions.InvalidArgument, match="Unknown field"):
        list(caller.client.list_jobs({"parent": PARENT, "filter": "colour=red"}))


def test_cancels_a_job_with_all_that_runs(caller: Caller, store: Path) -> None:
    text = "setsid sh -c 'echo >/mnt/disks/run1/began; sleep 60; echo >/mnt/disks/run1/late' & wait"
    job = caller.create(group_of(text, tasks=3, volumes=MOUNTED) | {"parallelism": 1})
    until_there(store / "b/run1/began")
    operation = caller.cancel(job)
    operation.result(timeout=30)
    assert operation.metadata.verb == "cancel"
    assert caller.get(job).status.state == JobState.CANCELLED
    states = [task.status.state for task in caller.tasks(job)]
    assert states == [TaskState.FAILED, TaskState.UNEXECUTED, TaskState.UNEXECUTED]
    with pytest.raises(exceptions.FailedPrecondition):
        caller.cancel(job)


def test_deletes_a_job(caller: Caller) -> None:
    job = caller.create(group_of("sleep 60"))
    caller.emulator.wait_for_starts(1)
    caller.delete(job).result(timeout=30)
    with pytest.raises(exceptions.NotFound):
        caller.get(job)
    with pytest.raises(exceptions.NotFound):
        caller.tasks(job)


def test_a_request_id_makes_a_call_happen_once(caller: Caller) -> None:
    request_id = "4f2d1f6e-3a44-4a6e-9a53-0f9f8d8b7c6d"
    caller.emulator.freeze()
    job = caller.create(group_of("true"), request_id=request_id, job_id="once")
    assert caller.create(group_of("true"), request_id=request_id, job_id="once") == job
    with pytest.raises(exceptions.AlreadyExists):
        caller.create(group_of("true"), job_id="once")
    first, second = (caller.cancel(job, request_id=request_id) for _ in range(2))
    assert first.operation.name == second.operation.name
    gone = [caller.delete(job, request_id=request_id) for _ in range(2)]
    assert gone[0].operation.name == gone[1].operation.name


def test_tasks_of_a_job_that_waits_are_not_there_yet(caller: Caller) -> None:
    caller.emulator.hold_next(state="QUEUED")
    job = caller.create(group_of("true"))
    assert caller.get(job).status.state == JobState.QUEUED
    assert caller.tasks(job) == []
    caller.emulator.release(job)
    caller.emulator.wait(job)
    assert len(caller.tasks(job)) == 1


def test_a_thousand_tasks_in_one_job(caller: Caller) -> None:
    job = caller.run("true", tasks=1000)
    assert caller.get(job).status.state == JobState.SUCCEEDED
    assert len(caller.tasks(job)) == 1000


def until_there(path: Path) -> None:
    while not path.exists():
        time.sleep(0.02)
