"""The service on the wire."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
from google.cloud import batch_v1
from google.longrunning import operations_pb2

from .batch_errors import ApiError
from .batch_service import Service

__all__ = ["BATCH", "OPERATIONS", "serve_grpc"]

BATCH: dict[str, Any] = {
    "CreateJob": batch_v1.CreateJobRequest.pb(),
    "GetJob": batch_v1.GetJobRequest.pb(),
    "ListJobs": batch_v1.ListJobsRequest.pb(),
    "CancelJob": batch_v1.CancelJobRequest.pb(),
    "DeleteJob": batch_v1.DeleteJobRequest.pb(),
    "GetTask": batch_v1.GetTaskRequest.pb(),
    "ListTasks": batch_v1.ListTasksRequest.pb(),
}
OPERATIONS: dict[str, Any] = {
    "GetOperation": operations_pb2.GetOperationRequest,
    "ListOperations": operations_pb2.ListOperationsRequest,
    "DeleteOperation": operations_pb2.DeleteOperationRequest,
    "CancelOperation": operations_pb2.CancelOperationRequest,
}
_NO_LIMIT = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]


async def serve_grpc(
    service: Service, certificate: Path | None, key: Path | None
) -> tuple[grpc.aio.Server, int, int]:
    """Serve, and return the server and its ports: the plain one, and the encrypted one or 0."""
    server = grpc.aio.server(options=_NO_LIMIT)
    server.add_generic_rpc_handlers(
        (
            _handlers("google.cloud.batch.v1.BatchService", service, BATCH),
            _handlers("google.longrunning.Operations", service, OPERATIONS),
        )
    )
    plain = server.add_insecure_port("127.0.0.1:0")
    encrypted = 0
    if certificate is not None and key is not None:
        pair = (key.read_bytes(), certificate.read_bytes())
        encrypted = server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([pair]))
    await server.start()
    return server, plain, encrypted


def _handlers(name: str, service: Service, requests: dict[str, Any]) -> Any:
    handlers: dict[str, Any] = {
        method: grpc.unary_unary_rpc_method_handler(
            _answering(service, method),
            request_deserializer=request.FromString,
            response_serializer=lambda answer: answer.SerializeToString(),
        )
        for method, request in requests.items()
    }
    return grpc.method_handlers_generic_handler(name, handlers)


def _answering(service: Service, method: str) -> Callable[[Any, Any], Awaitable[Any]]:
    async def answer(request: Any, context: Any) -> Any:
        metadata = dict(context.invocation_metadata() or ())
        try:
            return await service.call(method, request, metadata.get("authorization", ""))
        except ApiError as error:
            await context.abort(error.code, error.message, error.trailers())

    return answer
