"""A service of Google Batch of this process: what it answers is what a test has told it to."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.cloud import batch_v1
from google.longrunning import operations_pb2

_SERVICE = "google.cloud.batch.v1.BatchService"
_METHODS: Mapping[str, tuple[Any, Callable[[Any], bytes]]] = {
    "CreateJob": (batch_v1.CreateJobRequest, batch_v1.Job.serialize),
    "GetJob": (batch_v1.GetJobRequest, batch_v1.Job.serialize),
    "ListJobs": (batch_v1.ListJobsRequest, batch_v1.ListJobsResponse.serialize),
    "ListTasks": (batch_v1.ListTasksRequest, batch_v1.ListTasksResponse.serialize),
    "CancelJob": (
        batch_v1.CancelJobRequest,
        operations_pb2.Operation.SerializeToString,
    ),
}


@dataclass
class Emulated:
    """Answers each call with the next of the answers, or refuses it with the next of the codes.

    When there is one left it is for good.
    """

    answers: dict[str, list[Any]] = field(default_factory=dict)
    calls: list[tuple[str, Any]] = field(default_factory=list)
    limits: list[float | None] = field(default_factory=list)
    """How many seconds each call could have taken."""
    release: threading.Event = field(default_factory=threading.Event)
    """A call whose answer is this event waits for it."""
    url: str = ""

    def answer(self, method: str, *answers: Any) -> None:
        self.answers[method] = list(answers)

    def requests(self, method: str) -> list[Any]:
        return [request for name, request in self.calls if name == method]

    def _handle(self, method: str, request: Any, context: Any) -> Any:
        self.calls.append((method, request))
        self.limits.append(context.time_remaining())
        left = self.answers[method]
        found = left.pop(0) if len(left) > 1 else left[0]
        if found is self.release:
            found.wait()
            found = grpc.StatusCode.CANCELLED
        if isinstance(found, grpc.StatusCode):
            context.abort(found, f"{found.name} of a test")
        return found

    def handlers(self) -> dict[str, Any]:
        return {
            method: grpc.unary_unary_rpc_method_handler(
                lambda request, context, method=method: self._handle(method, request, context),
                request_deserializer=kind.deserialize,
                response_serializer=serialize,
            )
            for method, (kind, serialize) in _METHODS.items()
        }


@contextmanager
def emulated() -> Iterator[Emulated]:
    """Have such a service for a while."""
    service = Emulated()
    with ThreadPoolExecutor(4) as pool:
        server = grpc.server(pool)
        server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler(_SERVICE, service.handlers()),)
        )
        service.url = f"http://127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
        server.start()
        try:
            yield service
        finally:
            service.release.set()
            server.stop(None).wait()
