"""The emulator's faults: of calls, of machines, of jobs."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from google.api_core import exceptions
from google.cloud import batch_v1
from google.rpc import error_details_pb2

from . import batch_words as words
from .batch_calls import PARENT, Caller, group_of
from .batch_rig import caller, emulator, store
from .test_batch_emulator import until_there

__all__ = ["caller", "emulator", "store"]

TaskState = batch_v1.TaskStatus.State
JobState = batch_v1.JobStatus.State
VOLUMES = [{"gcs": {"remote_path": "b"}, "mount_path": "/mnt/disks/b"}]
UUID = "4f2d1f6e-3a44-4a6e-9a53-0f9f8d8b7c6d"
QUOTA = [
    {
        "@type": "type.googleapis.com/google.rpc.QuotaFailure",
        "violations": [{"subject": "project:p", "description": "Mutations per minute"}],
    }
]


# --- calls


def test_a_call_fails_with_a_code_and_details(caller: Caller) -> None:
    caller.emulator.fault("CreateJob", "RESOURCE_EXHAUSTED", "Quota exceeded", details=QUOTA)
    with pytest.raises(exceptions.ResourceExhausted, match="Quota exceeded") as caught:
        caller.create(group_of("true"), job_id="j")
    (detail,) = caught.value.details
    assert isinstance(detail, error_details_pb2.QuotaFailure)
    assert caller.emulator.jobs() == {}
    caller.create(group_of("true"), job_id="j")


def test_counts_the_calls_that_fail_and_those_before_them(caller: Caller) -> None:
    job = caller.create(group_of("true"))
    caller.emulator.fault("Get.*", "PERMISSION_DENIED", skip=1, count=-1)
    caller.get(job)
    for _ in range(2):
        with pytest.raises(exceptions.PermissionDenied):
            caller.get(job)
    caller.emulator.clear_faults()
    caller.get(job)


def test_a_lost_answer_and_the_same_request_again(caller: Caller) -> None:
    caller.emulator.fault("CreateJob", "UNAVAILABLE", applied=True, count=2)
    for _ in range(2):
        with pytest.raises(exceptions.ServiceUnavailable):
            caller.create(group_of("true"), job_id="j", request_id=UUID)
    assert caller.create(group_of("true"), job_id="j", request_id=UUID) == "j"
    with pytest.raises(exceptions.AlreadyExists):
        caller.create(group_of("true"), job_id="j")
    assert list(caller.emulator.jobs()) == ["j"]


def test_an_answer_that_never_comes(caller: Caller) -> None:
    caller.emulator.fault("CreateJob", hang=True, applied=True)
    request = {"parent": PARENT, "job_id": "j", "job": {"task_groups": [group_of("true")]}}
    with pytest.raises(exceptions.DeadlineExceeded):
        caller.client.create_job(request, timeout=3)
    assert list(caller.emulator.jobs()) == ["j"]


def test_notes_what_was_asked_for(caller: Caller) -> None:
    caller.create(group_of("true"), job_id="j", request_id=UUID)
    (asked,) = caller.emulator.requests("CreateJob")
    assert asked == {"method": "CreateJob", "parent": PARENT, "job_id": "j", "request_id": UUID}
    caller.emulator.reset_calls()
    assert caller.emulator.calls() == {}


# --- machines


@pytest.mark.parametrize("code", words.ENGINE_CODES)
def test_the_loss_of_a_machine(caller: Caller, store: Path, code: int) -> None:
    text = (
        "cd /mnt/disks/b; setsid sh -c ': >began; while [ ! -e go ]; do sleep 0.01; done; : >late'"
    )
    job = caller.create(group_of(text, volumes=VOLUMES))
    until_there(store / "b/began")
    caller.emulator.strike(job, 0, code)
    caller.emulator.wait(job)
    event = caller.task(job).status.status_events[-1]
    assert event.task_execution.exit_code == code
    assert event.description.endswith(f"due to {words.ENGINE_CODES[code]} with exit code {code}.")
    (store / "b/go").touch()
    caller.run("sleep 0.1")
    assert not (store / "b/late").exists()


def test_the_service_starts_a_task_again_and_that_succeeds(caller: Caller) -> None:
    caller.emulator.strike_next(again=True)
    job = caller.run("true")
    task = caller.task(job)
    codes = [event.task_execution.exit_code for event in task.status.status_events]
    assert (codes.count(50001), codes[-1]) == (1, 0)
    assert task.status.state == TaskState.SUCCEEDED
    assert caller.get(job).status.state == JobState.SUCCEEDED
    assert len(caller.emulator.starts()) == 2


def test_a_machine_of_which_nothing_is_heard_runs_on(caller: Caller, store: Path) -> None:
    text = "cd /mnt/disks/b; : >began; while [ ! -e go ]; do sleep 0.01; done; : >late"
    job = caller.create(group_of(text, volumes=VOLUMES))
    until_there(store / "b/began")
    caller.emulator.strike(job, 0, 50002, lives_on=True)
    caller.emulator.wait(job, "FAILED")
    (store / "b/go").touch()
    until_there(store / "b/late")


def test_strikes_those_starts_that_match(caller: Caller) -> None:
    caller.emulator.strike_next(count=-1, match=r"j/[13]/0")
    job = caller.create(group_of("true", tasks=5, max_retry_count=1), job_id="j")
    caller.emulator.wait(job)
    assert caller.get(job).status.state == JobState.SUCCEEDED
    again = [start["index"] for start in caller.emulator.starts() if start["attempt"]]
    assert sorted(again) == [1, 3]


def test_nothing_starts_while_it_is_frozen(caller: Caller) -> None:
    caller.emulator.freeze()
    job = caller.create(group_of("true"))
    caller.emulator.wait(job, "SCHEDULED")
    assert caller.emulator.starts() == []
    caller.emulator.resume()
    caller.emulator.wait(job, "SUCCEEDED")


# --- jobs


def test_a_job_that_fails_without_a_task(caller: Caller) -> None:
    caller.emulator.fail_next(words.MACHINE_TYPE_MISSING)
    job = caller.run("true")
    assert caller.get(job).status.state == JobState.FAILED
    assert caller.tasks(job) == []
    assert words.MACHINE_TYPE_MISSING in caller.words(job)


def test_a_job_that_waits_for_quota(caller: Caller) -> None:
    caller.emulator.hold_next(words.QUOTA_EXCEEDED)
    job = caller.create(group_of("true"))
    caller.emulator.wait(job, "SCHEDULED")
    caller.emulator.tell(job, words.ZONE_EXHAUSTED)
    assert caller.words(job)[-2:] == [words.QUOTA_EXCEEDED, words.ZONE_EXHAUSTED]
    caller.emulator.release(job)
    caller.emulator.wait(job, "SUCCEEDED")


def test_somebody_else_cancels_and_deletes(caller: Caller) -> None:
    job = caller.create(group_of("sleep 60"))
    caller.emulator.wait_for_starts(1)
    caller.emulator.cancel(job)
    assert caller.get(job).status.state == JobState.CANCELLED
    caller.emulator.delete(job)
    caller.emulator.wait(job, "DELETED")
    with pytest.raises(exceptions.NotFound):
        caller.get(job)


def test_a_job_that_ends_with_tasks_that_never_ran(caller: Caller) -> None:
    job = caller.create(group_of("sleep 60", tasks=3) | {"parallelism": 1})
    caller.emulator.wait_for_starts(1)
    caller.emulator.end(job, words="The project was closed")
    assert caller.emulator.tasks(job) == ["FAILED", "UNEXECUTED", "UNEXECUTED"]
    assert caller.words(job)[-1].endswith("The project was closed")


# --- the process


def test_machines_may_be_lost_at_any_moment(caller: Caller) -> None:
    job = caller.create(group_of("setsid sleep 60 & exit 0", tasks=100, max_retry_count=1))
    while (state := caller.emulator.jobs()[job]) not in ("SUCCEEDED", "FAILED"):
        for place in caller.emulator.running():
            with contextlib.suppress(RuntimeError):  # it has ended meanwhile
                caller.emulator.strike(job, int(place.split("/")[1]))
    counts = caller.get(job).status.task_groups["group0"].counts
    assert set(counts) <= {"SUCCEEDED", "FAILED"}
    assert sum(counts.values()) == 100
    assert (state == "FAILED") is ("FAILED" in counts)


def test_its_tasks_end_with_it(caller: Caller, store: Path) -> None:
    text = "cd /mnt/disks/b; setsid sh -c ': >began; while :; do sleep 0.01; : >alive; done'"
    caller.create(group_of(text, volumes=VOLUMES))
    until_there(store / "b/began")
    caller.emulator.stop()
    (store / "b/alive").unlink(missing_ok=True)
    # Its start takes longer than what runs would take to make the file again.
    caller.emulator.start()
    assert not (store / "b/alive").exists()
