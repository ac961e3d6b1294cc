"""The calls, by the real library, to a service of this process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import grpc
import pytest
from google.cloud import batch_v1
from google.longrunning import operations_pb2

from sched_core import BackendError, EngineUnavailable, SubmitOutcomeUnknown, SubmitRejected
from sched_gbatch import service as module
from sched_gbatch.definition import Needs
from sched_gbatch.names import request_id
from sched_gbatch.service import ENDPOINT_VARIABLE, BatchService
from sched_gbatch.troubles import NotThere, Refused

from .emulated import Emulated, emulated
from .helpers import made

CODE = grpc.StatusCode
NAME = "projects/p/locations/us-central1/jobs/b"
DEFINITION = made().definition(Needs(), tasks=2, parallelism=1)
OPERATION = operations_pb2.Operation(name="operations/1")
REQUEST = request_id("x")

Calls = Callable[[BatchService], Any]
CREATE: Calls = lambda service: service.create("b", DEFINITION, REQUEST)  # noqa: E731  # a table
CALLS: dict[str, Calls] = {
    "CreateJob": CREATE,
    "GetJob": lambda service: service.job("b"),
    "ListTasks": lambda service: service.tasks("b"),
    "ListJobs": lambda service: service.check(),
    "CancelJob": lambda service: service.cancel("b", REQUEST),
}


@pytest.fixture
def cloud() -> Iterator[Emulated]:
    # One for each: a call that was given up may be seen there only later.
    with emulated() as found:
        yield found


@pytest.fixture
def service(cloud: Emulated) -> BatchService:
    return BatchService("p", "us-central1", cloud.url)


def task(number: int, state: str = "RUNNING", code: int | None = None) -> Any:
    events = [
        {"description": "on zones/z/instances/vm-1", "task_state": "RUNNING"},
        {"task_state": state, "task_execution": {"exit_code": code}} if code is not None else {},
    ]
    return {
        "name": f"{NAME}/taskGroups/group0/tasks/{number}",
        "status": {"state": state, "status_events": events},
    }


# --- what is asked -----------------------------------------------------------------------------------


def test_a_job_is_made(cloud: Emulated, service: BatchService) -> None:
    cloud.answer("CreateJob", batch_v1.Job(name=NAME))
    service.create("b", DEFINITION, REQUEST)
    (asked,) = cloud.requests("CreateJob")
    assert (asked.parent, asked.job_id) == ("projects/p/locations/us-central1", "b")
    assert asked.request_id == REQUEST
    assert asked.job.task_groups[0].task_count == 2
    assert asked.job.labels["sched-submission"] == "0"


def test_a_job_that_is_there_was_made_before(cloud: Emulated, service: BatchService) -> None:
    cloud.answer("CreateJob", CODE.ALREADY_EXISTS)
    service.create("b", DEFINITION, REQUEST)


def test_what_is_known_of_a_job(cloud: Emulated, service: BatchService) -> None:
    status = {
        "state": "RUNNING",
        "status_events": [{"description": "one"}, {"description": "two"}],
        "task_groups": {"group0": {"counts": {"RUNNING": 2, "SUCCEEDED": 3}}},
    }
    groups = [{"parallelism": 7}]
    found = batch_v1.Job(
        status=status, task_groups=groups, create_time={"seconds": 100, "nanos": 500_000_000}
    )
    cloud.answer("GetJob", found)
    news = service.job("b")
    assert news is not None
    assert (news.state, news.events, news.created) == ("RUNNING", ("one", "two"), 100.5)
    assert news.counts == {"RUNNING": 2, "SUCCEEDED": 3}
    assert news.parallelism == 7
    assert [request.name for request in cloud.requests("GetJob")] == [NAME]


def test_a_job_of_which_little_is_known(cloud: Emulated, service: BatchService) -> None:
    cloud.answer("GetJob", batch_v1.Job(status={"state": "QUEUED"}))
    news = service.job("b")
    assert news is not None
    assert (news.state, news.events, news.created, news.counts) == ("QUEUED", (), None, None)


def test_no_such_job(cloud: Emulated, service: BatchService) -> None:
    cloud.answer("GetJob", CODE.NOT_FOUND)
    cloud.answer("ListTasks", CODE.NOT_FOUND)
    assert service.job("b") is None
    assert service.tasks("b") == {}


def test_tasks_page_by_page(cloud: Emulated, service: BatchService) -> None:
    first = [task(number) for number in range(3)]
    last = [task(3, "FAILED", 7)]
    cloud.answer(
        "ListTasks",
        batch_v1.ListTasksResponse(tasks=first, next_page_token="more"),
        batch_v1.ListTasksResponse(tasks=last),
    )
    found = service.tasks("b")
    assert sorted(found) == [0, 1, 2, 3]
    assert (found[0].state, found[0].host) == ("RUNNING", "vm-1")
    assert (found[3].state, found[3].exit_code) == ("FAILED", 7)
    asked = cloud.requests("ListTasks")
    assert [request.page_token for request in asked] == ["", "more"]
    assert {request.parent for request in asked} == {f"{NAME}/taskGroups/group0"}
    assert {request.page_size for request in asked} == {1000}


def test_t02_half_an_answer_is_none(cloud: Emulated, service: BatchService) -> None:
    cloud.answer(
        "ListTasks",
        batch_v1.ListTasksResponse(tasks=[task(0)], next_page_token="more"),
        CODE.UNAVAILABLE,
    )
    with pytest.raises(SubmitOutcomeUnknown):
        service.tasks("b")


@pytest.mark.parametrize("answer", [OPERATION, CODE.NOT_FOUND, CODE.FAILED_PRECONDITION])
def test_a_job_is_cancelled_or_has_ended(
    cloud: Emulated, service: BatchService, answer: Any
) -> None:
    cloud.answer("CancelJob", answer)
    service.cancel("b", REQUEST)
    (asked,) = cloud.requests("CancelJob")
    assert (asked.name, asked.request_id) == (NAME, REQUEST)


def test_little_is_asked_to_see_whether_it_can_be_used(
    cloud: Emulated, service: BatchService
) -> None:
    cloud.answer("ListJobs", batch_v1.ListJobsResponse())
    service.check()
    (asked,) = cloud.requests("ListJobs")
    assert (asked.parent, asked.page_size) == (service.parent, 1)


# --- what goes wrong ---------------------------------------------------------------------------------


@pytest.mark.parametrize("method", CALLS)
@pytest.mark.parametrize(
    "code, kind",
    [
        (CODE.UNAVAILABLE, SubmitOutcomeUnknown),
        (CODE.DEADLINE_EXCEEDED, SubmitOutcomeUnknown),
        (CODE.INTERNAL, SubmitOutcomeUnknown),
        (CODE.RESOURCE_EXHAUSTED, EngineUnavailable),
        (CODE.PERMISSION_DENIED, Refused),
        (CODE.UNAUTHENTICATED, Refused),
        (CODE.INVALID_ARGUMENT, SubmitRejected),
    ],
)
def test_the_library_repeats_nothing(
    cloud: Emulated, service: BatchService, method: str, code: Any, kind: type[BackendError]
) -> None:
    cloud.answer(method, code)
    with pytest.raises(BackendError) as caught:
        CALLS[method](service)
    assert type(caught.value) is kind
    assert len(cloud.calls) == 1


def test_no_such_place(cloud: Emulated, service: BatchService) -> None:
    cloud.answer("CreateJob", CODE.NOT_FOUND)
    cloud.answer("ListJobs", CODE.NOT_FOUND)
    for call in (CALLS["CreateJob"], CALLS["ListJobs"]):
        with pytest.raises(NotThere, match="whether project and location are right"):
            call(service)


@pytest.mark.parametrize("method", CALLS)
def test_the_wait_for_an_answer_is_bounded(
    cloud: Emulated, service: BatchService, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_PATIENCE", 0.4)
    cloud.answer(method, cloud.release)
    with pytest.raises(SubmitOutcomeUnknown, match=r"(?i)deadline"):
        CALLS[method](service)
    # A call that came too late to be seen there has none.
    assert all(limit is not None and limit < 1 for limit in cloud.limits)
    assert len(cloud.limits) <= 1


def test_nobody_there() -> None:
    with pytest.raises(SubmitOutcomeUnknown, match=r"Google Batch: .*refused"):
        BatchService("p", "us-central1", "http://127.0.0.1:1").check()


# --- where it is -------------------------------------------------------------------------------------


def test_the_endpoint_that_gcloud_is_told(cloud: Emulated, monkeypatch: pytest.MonkeyPatch) -> None:
    cloud.answer("ListJobs", batch_v1.ListJobsResponse())
    monkeypatch.setenv(ENDPOINT_VARIABLE, f"{cloud.url}/")
    BatchService("p", "us-central1").check()
    assert len(cloud.calls) == 1


def test_no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(ENDPOINT_VARIABLE, raising=False)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/no/such/key.json")
    with pytest.raises(Refused, match="gcloud auth application-default login"):
        BatchService("p", "us-central1").check()
