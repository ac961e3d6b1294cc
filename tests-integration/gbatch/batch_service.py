"""The methods of the service, whatever way they are called."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import grpc
from google.cloud import batch_v1
from google.longrunning import operations_pb2
from google.protobuf import empty_pb2

from .batch_errors import ApiError, invalid, missing
from .batch_faults import Faults, Traffic
from .batch_filter import filter_jobs, filter_tasks
from .batch_fleet import Fleet
from .batch_jobs import ENDED, Job, JobState, now
from .batch_validation import check_create, check_request_id, with_defaults

__all__ = ["Auth", "Service"]

Auth = Callable[[str], bool]
"""Says whether the value of an authorization header lets a call in."""

_TASK = re.compile(r"(?P<job>.*/jobs/[^/]+)/taskGroups/group0(/tasks/(?P<index>\d+))?")
_LARGEST_PAGE = 1000

_ListJobs: Any = batch_v1.ListJobsResponse.pb()
_ListTasks: Any = batch_v1.ListTasksResponse.pb()
_Cancelled: Any = batch_v1.CancelJobResponse.pb()
_Metadata: Any = batch_v1.OperationMetadata.pb()
_Message: Any = batch_v1.Job.pb()


class Service:
    """What may be called; `call` counts a call and has it meet its faults."""

    def __init__(self, fleet: Fleet, auth: Auth) -> None:
        self.fleet, self.faults, self.traffic = fleet, Faults(), Traffic()
        self._auth = auth
        self._created: dict[tuple[str, str], Job] = {}
        """By parent and request id."""
        self._asked: dict[tuple[str, str, str], str] = {}
        """Operations, by verb, name and request id."""
        self._operations: dict[str, Any] = {}
        self._methods: dict[str, Callable[[Any], Any]] = {
            "CreateJob": self._create_job,
            "GetJob": lambda request: self.job(request.name).message(),
            "ListJobs": self._list_jobs,
            "CancelJob": self._cancel_job,
            "DeleteJob": self._delete_job,
            "GetTask": self._get_task,
            "ListTasks": self._list_tasks,
            "GetOperation": lambda request: self._operation(request.name),
            "ListOperations": self._list_operations,
            "DeleteOperation": self._delete_operation,
            "CancelOperation": lambda _: empty_pb2.Empty(),
        }

    async def call(self, method: str, request: Any, authorization: str = "") -> Any:
        """Answer a call. Raises ApiError."""
        self.traffic.note(method, request)
        fault = self.faults.take(method)
        await fault.before()
        if not self._auth(authorization):
            raise ApiError(grpc.StatusCode.UNAUTHENTICATED, _NO_CREDENTIAL)
        answer = self._methods[method](request)
        await fault.after()
        return answer

    # --- jobs ------------------------------------------------------------------------------------

    def job(self, name: str) -> Job:
        try:
            return self.fleet.jobs[name]
        except KeyError:
            raise missing(name) from None

    def _create_job(self, request: Any) -> Any:
        check_request_id(request.request_id)
        key = (request.parent, request.request_id)
        if request.request_id and key in self._created:
            return self._created[key].message()
        check_create(request)
        job = Job(self._named(request))
        self.fleet.add(job)
        if request.request_id:
            self._created[key] = job
        return job.message()

    def _named(self, request: Any) -> Any:
        job_id = request.job_id or f"j-{uuid.uuid4()}"
        message = _Message()
        message.CopyFrom(request.job)
        message.name = f"{request.parent}/jobs/{job_id}"
        if message.name in self.fleet.jobs:
            words = f"Resource '{message.name}' already exists"
            raise ApiError(grpc.StatusCode.ALREADY_EXISTS, words)
        message.uid = f"{job_id[:20].rstrip('-')}-{uuid.uuid4()}"
        message.ClearField("status")
        message.create_time.CopyFrom(now())
        message.update_time.CopyFrom(message.create_time)
        return with_defaults(message)

    def _list_jobs(self, request: Any) -> Any:
        every = request.parent.endswith("/locations/-")
        place = request.parent.removesuffix("-") if every else f"{request.parent}/jobs/"
        jobs = [job for name, job in self.fleet.jobs.items() if name.startswith(place)]
        found = filter_jobs(jobs[::-1], request.filter)
        page, token = _page(found, request)
        return _ListJobs(jobs=[job.message() for job in page], next_page_token=token)

    # --- tasks -----------------------------------------------------------------------------------

    def _get_task(self, request: Any) -> Any:
        found = _TASK.fullmatch(request.name)
        job = self.job(found["job"] if found else request.name)
        index = int(found["index"] or -1) if found else -1
        if not job.has_tasks or not 0 <= index < len(job.tasks):
            raise missing(request.name)
        return job.tasks[index].message(job.group.name)

    def _list_tasks(self, request: Any) -> Any:
        found = _TASK.fullmatch(request.parent)
        job = self.job(found["job"] if found else request.parent)
        tasks = filter_tasks(job.tasks if job.has_tasks else [], request.filter)
        page, token = _page(tasks, request)
        messages = [task.message(job.group.name) for task in page]
        return _ListTasks(tasks=messages, next_page_token=token)

    # --- operations ------------------------------------------------------------------------------

    def _cancel_job(self, request: Any) -> Any:
        return self._once("cancel", request, self._begin_cancel)

    def _begin_cancel(self, job: Job) -> Coroutine[Any, Any, Any]:
        if job.state in ENDED or job.closing:
            words = f"Job {job.name} is in state {job.state.name}: it cannot be cancelled"
            raise ApiError(grpc.StatusCode.FAILED_PRECONDITION, words)
        job.move(JobState.CANCELLATION_IN_PROGRESS)
        job.drop_waiting()
        return self._finish_cancel(job)

    async def _finish_cancel(self, job: Job) -> Any:
        await self.fleet.end(job, JobState.CANCELLED)
        return _Cancelled()

    def _delete_job(self, request: Any) -> Any:
        return self._once("delete", request, self._begin_delete)

    def _begin_delete(self, job: Job) -> Coroutine[Any, Any, Any]:
        job.move(JobState.DELETION_IN_PROGRESS)
        job.drop_waiting()
        return self._finish_delete(job)

    async def _finish_delete(self, job: Job) -> Any:
        await self.fleet.end(job, JobState.DELETION_IN_PROGRESS)
        self.fleet.forget(job)
        return empty_pb2.Empty()

    def _once(
        self, verb: str, request: Any, begin: Callable[[Job], Coroutine[Any, Any, Any]]
    ) -> Any:
        """Begin what a request asks for, unless the same request has begun it."""
        check_request_id(request.request_id)
        key = (verb, request.name, request.request_id)
        if request.request_id and key in self._asked:
            return self._operation(self._asked[key])
        finish = begin(self.job(request.name))
        operation = self._begin_operation(verb, request.name)
        if request.request_id:
            self._asked[key] = operation.name
        self.fleet.spawn(self._finish(operation, finish))
        return operation

    def _begin_operation(self, verb: str, target: str) -> Any:
        place, _, _ = target.partition("/jobs/")
        operation = operations_pb2.Operation(name=f"{place}/operations/operation-{uuid.uuid4()}")
        operation.metadata.Pack(
            _Metadata(create_time=now(), target=target, verb=verb, api_version="v1")
        )
        self._operations[operation.name] = operation
        return operation

    async def _finish(self, operation: Any, what: Coroutine[Any, Any, Any]) -> None:
        operation.response.Pack(await what)
        metadata = _Metadata()
        operation.metadata.Unpack(metadata)
        metadata.end_time.CopyFrom(now())
        operation.metadata.Pack(metadata)
        operation.done = True

    def _operation(self, name: str) -> Any:
        try:
            return self._operations[name]
        except KeyError:
            raise missing(name) from None

    def _list_operations(self, request: Any) -> Any:
        found = [one for name, one in self._operations.items() if name.startswith(request.name)]
        page, token = _page(found, request)
        return operations_pb2.ListOperationsResponse(operations=page, next_page_token=token)

    def _delete_operation(self, request: Any) -> Any:
        self._operation(request.name)
        del self._operations[request.name]
        return empty_pb2.Empty()


_NO_CREDENTIAL = (
    "Request is missing required authentication credential. Expected OAuth 2 access token, login "
    "cookie or other valid authentication credential. See "
    "https://developers.google.com/identity/sign-in/web/devconsole-project."
)


def _page(items: Sequence[Any], request: Any) -> tuple[Sequence[Any], str]:
    """Return the page that is asked for, and the token of the next one."""
    token = request.page_token.removeprefix("at-") or "0"
    if request.page_size < 0 or not token.isdecimal():
        raise invalid("page_token", "The page token is invalid")
    first = int(token)
    last = first + min(request.page_size or _LARGEST_PAGE, _LARGEST_PAGE)
    return items[first:last], f"at-{last}" if last < len(items) else ""
