"""The calls of Google Batch, each with a bounded wait. They block: offload them.

See https://cloud.google.com/python/docs/reference/batch/latest. The library repeats some calls by
itself, far beyond the time that it is given: here it repeats none, whoever calls decides.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from sched_core import OptionError
from sched_core.lifecycle.budget import Budget

from .states import JobNews, TaskEvent, TaskNews
from .troubles import NotThere, retry_after, translated

__all__ = ["ENDPOINT_VARIABLE", "BatchService"]

ENDPOINT_VARIABLE = "CLOUDSDK_API_ENDPOINT_OVERRIDES_BATCH"
"""The variable by which gcloud, too, is sent to another endpoint."""

_PATIENCE = 30.0
_PAGE = 1000
_GROUP = "group0"


class BatchService:
    """Google Batch in one project and region.

    `endpoint` is that of the library unless given, or named by `ENDPOINT_VARIABLE`; one of `http://`
    is spoken to in plain text and without credentials, as an emulator is. Calls raise Refused,
    EngineUnavailable and SubmitOutcomeUnknown.
    """

    def __init__(
        self,
        project: str,
        region: str,
        endpoint: str | None = None,
        budget: Callable[[], Budget | None] = lambda: None,
    ) -> None:
        """Call the service as often as `budget` allows."""
        self.parent = f"projects/{project}/locations/{region}"
        self._endpoint = endpoint or os.environ.get(ENDPOINT_VARIABLE) or None
        self._budget = budget

    @cached_property
    def _client(self) -> Any:
        from google.cloud import batch_v1

        if self._endpoint is None:
            return batch_v1.BatchServiceClient()
        url = urlsplit(self._endpoint if "//" in self._endpoint else f"https://{self._endpoint}")
        if url.scheme == "http":
            return batch_v1.BatchServiceClient(transport=_plain_transport(url.netloc))
        return batch_v1.BatchServiceClient(client_options={"api_endpoint": url.netloc})

    @property
    def address(self) -> str:
        """What tells it from other projects, regions and endpoints."""
        return f"{self._endpoint or 'batch.googleapis.com'} {self.parent}"

    def _call(self, method: str, request: Any, *, patient: bool = False) -> Any:
        """Call a method of the library, in its turn."""
        from google.api_core.exceptions import TooManyRequests

        call, budget = getattr(self._client, method), self._budget()
        if budget is not None:
            budget.take_blocking(patient=patient)
        began = time.monotonic()
        try:
            return call(request=request, timeout=_PATIENCE, retry=None)
        except TooManyRequests as error:
            if budget is not None:
                budget.complain_blocking(began, retry_after(error))
            raise

    # --- jobs ----------------------------------------------------------------------------------------

    @translated
    def check(self) -> None:
        """Ask something that needs credentials, the API, and the right to see jobs."""
        self._call("list_jobs", {"parent": self.parent, "page_size": 1})

    @translated
    def create(self, batch: str, definition: Mapping[str, Any], request: str) -> None:
        """Have a job made; repeated with the same request, or under an id that is there, it does nothing."""
        from google.api_core.exceptions import AlreadyExists

        try:
            self._call("create_job", self._to_create(batch, definition, request), patient=True)
        except AlreadyExists:
            return

    def _to_create(self, batch: str, definition: Mapping[str, Any], request: str) -> Any:
        from google.cloud import batch_v1

        return batch_v1.CreateJobRequest(
            parent=self.parent, job_id=batch, job=job_of(definition), request_id=request
        )

    def shown(self, batch: str, definition: Mapping[str, Any], request: str) -> str:
        """Return what `create` would send, in JSON as the REST API spells it. Raises OptionError."""
        from google.protobuf import json_format

        return json_format.MessageToJson(_plain(self._to_create(batch, definition, request)))

    @translated
    def cancel(self, batch: str, request: str) -> None:
        """Have all tasks of a job ended that have not; nothing where it has ended or is not there."""
        from google.api_core.exceptions import FailedPrecondition, NotFound

        try:
            self._call("cancel_job", {"name": self._name(batch), "request_id": request})
        except (FailedPrecondition, NotFound):
            return

    def job(self, batch: str) -> JobNews | None:
        """Return what is known of a job, None where there is none."""
        try:
            return self._job(batch)
        except NotThere:
            return None

    @translated
    def _job(self, batch: str) -> JobNews:
        message = _plain(self._call("get_job", {"name": self._name(batch)}))
        group = message.status.task_groups.get(_GROUP)
        groups = message.task_groups
        return JobNews(
            _state_name(message.status, "state"),
            tuple(event.description for event in message.status.status_events),
            None if group is None else dict(group.counts),
            _seconds(message.create_time) if message.HasField("create_time") else None,
            groups[0].parallelism if groups else 0,
        )

    def tasks(self, batch: str) -> Mapping[int, TaskNews]:
        """Return what is known of all tasks of a job, by their numbers; none where there is no job."""
        try:
            return dict(self._tasks(batch))
        except NotThere:
            return {}

    @translated
    def _tasks(self, batch: str) -> list[tuple[int, TaskNews]]:
        parent, found, token = f"{self._name(batch)}/taskGroups/{_GROUP}", [], ""
        while True:
            request = {"parent": parent, "page_size": _PAGE, "page_token": token}
            # The library's own way from page to page has a question for each without a limit.
            page = _plain(next(self._call("list_tasks", request).pages))
            found += [(_number(task.name), _task(task)) for task in page.tasks]
            token = page.next_page_token
            if not token:
                return found

    def _name(self, batch: str) -> str:
        return f"{self.parent}/jobs/{batch}"


def job_of(definition: Mapping[str, Any]) -> Any:
    """Return the definition as the library's message. Raises OptionError, naming what is wrong."""
    from google.cloud import batch_v1
    from google.protobuf import json_format

    job = batch_v1.Job()
    try:
        json_format.ParseDict(dict(definition), batch_v1.Job.pb(job))
    except json_format.ParseError as error:
        words = " ".join(str(error).split())
        raise OptionError(f"Google Batch has no such job: {words}") from None
    return job


def _plain_transport(netloc: str) -> Any:
    import grpc
    from google.cloud.batch_v1.services.batch_service.transports import BatchServiceGrpcTransport

    return BatchServiceGrpcTransport(channel=grpc.insecure_channel(netloc))


def _plain(message: Any) -> Any:
    """Return the message below the library's wrapper, whose every attribute costs more than it tells."""
    return type(message).pb(message)


def _state_name(message: Any, field: str) -> str:
    kinds: Any = message.DESCRIPTOR.fields_by_name[field].enum_type.values_by_number
    value = getattr(message, field)
    return str(kinds[value].name) if value in kinds else str(value)


def _number(name: str) -> int:
    return int(name.rpartition("/")[2])


def _task(message: Any) -> TaskNews:
    events: Iterable[Any] = message.status.status_events
    return TaskNews(_state_name(message.status, "state"), tuple(map(_event, events)))


def _event(message: Any) -> TaskEvent:
    execution = message.task_execution if message.HasField("task_execution") else None
    return TaskEvent(
        _state_name(message, "task_state"),
        message.description,
        None if execution is None else execution.exit_code,
    )


def _seconds(stamp: Any) -> float:
    return float(stamp.seconds + stamp.nanos / 1e9)
