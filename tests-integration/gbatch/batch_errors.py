"""The service's errors, as the wire protocol has them and as HTTP has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import grpc
from google.protobuf import any_pb2, json_format
from google.rpc import error_details_pb2, status_pb2

__all__ = ["HTTP_CODES", "ApiError", "invalid", "missing", "of_code"]

HTTP_CODES = {
    "CANCELLED": 499,
    "INVALID_ARGUMENT": 400,
    "FAILED_PRECONDITION": 400,
    "OUT_OF_RANGE": 400,
    "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403,
    "NOT_FOUND": 404,
    "ALREADY_EXISTS": 409,
    "ABORTED": 409,
    "RESOURCE_EXHAUSTED": 429,
    "UNIMPLEMENTED": 501,
    "UNAVAILABLE": 503,
    "DEADLINE_EXCEEDED": 504,
}
"""Whatever is not here is 500."""


class ApiError(Exception):
    """What a call is answered with instead of a message."""

    def __init__(self, code: grpc.StatusCode, message: str, *details: Any) -> None:
        super().__init__(message)
        self.code, self.message = code, message
        self._details = [_packed(detail) for detail in details]

    def trailers(self) -> tuple[tuple[str, bytes], ...]:
        """Return the metadata in which gRPC carries the details."""
        status = status_pb2.Status(
            code=self.code.value[0], message=self.message, details=self._details
        )
        return (("grpc-status-details-bin", status.SerializeToString()),) if self._details else ()

    @property
    def http_code(self) -> int:
        return HTTP_CODES.get(self.code.name, 500)

    def as_json(self) -> dict[str, Any]:
        """Return the body of an answer by HTTP."""
        error = {"code": self.http_code, "message": self.message, "status": self.code.name}
        details = [json_format.MessageToDict(detail) for detail in self._details]
        return {"error": error | ({"details": details} if details else {})}


def invalid(field: str, why: str) -> ApiError:
    """Refuse a request for what it says in a field."""
    violation = error_details_pb2.BadRequest.FieldViolation(field=field, description=why)
    details = error_details_pb2.BadRequest(field_violations=[violation])
    return ApiError(grpc.StatusCode.INVALID_ARGUMENT, why, details)


def missing(name: str) -> ApiError:
    return ApiError(grpc.StatusCode.NOT_FOUND, f"Resource '{name}' was not found")


def of_code(code: str, message: str, details: Sequence[Mapping[str, Any]] = ()) -> ApiError:
    """Return any error; details are JSON with an @type each, as Google's HTTP answers have them."""
    packed = [json_format.ParseDict(dict(detail), any_pb2.Any()) for detail in details]
    return ApiError(grpc.StatusCode[code], message or code.lower(), *packed)


def _packed(detail: Any) -> any_pb2.Any:
    if isinstance(detail, any_pb2.Any):
        return detail
    packed = any_pb2.Any()
    packed.Pack(detail)
    return packed
