"""What Cloud Storage says when it refuses, in its own words."""

from __future__ import annotations

import json
from typing import Any

__all__ = [
    "ApiError",
    "bad_request",
    "condition_not_met",
    "forbidden",
    "injected",
    "no_bucket",
    "no_object",
    "unauthorized",
]

_REASONS = {
    400: ("invalid", "Invalid argument."),
    401: ("required", "Anonymous caller does not have access."),
    403: ("forbidden", "Access denied."),
    404: ("notFound", "Not Found"),
    408: ("requestTimeout", "Request Timeout"),
    409: ("conflict", "The request conflicts with another one."),
    412: ("conditionNotMet", "At least one of the pre-conditions you specified did not hold."),
    429: ("rateLimitExceeded", "The rate of change requests exceeds the rate limit."),
    500: ("internalError", "We encountered an internal error. Please try again."),
    502: ("badGateway", "Bad Gateway"),
    503: ("backendError", "Service Unavailable. Please try again."),
    504: ("gatewayTimeout", "Gateway Timeout"),
}


class ApiError(Exception):
    """A request is refused; `details` are those of the JSON beside message, domain and reason."""

    def __init__(self, status: int, reason: str, message: str, **details: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self._details = {"message": message, "domain": "global", "reason": reason, **details}

    def body(self) -> bytes:
        error: dict[str, Any] = {
            "code": self.status,
            "message": self.message,
            "errors": [self._details],
        }
        return json.dumps({"error": error}, indent=2).encode()


def bad_request(message: str) -> ApiError:
    return ApiError(400, "invalid", message)


def no_bucket() -> ApiError:
    return ApiError(404, "notFound", "The specified bucket does not exist.")


def no_object(bucket: str, name: str) -> ApiError:
    return ApiError(404, "notFound", f"No such object: {bucket}/{name}")


def condition_not_met(status: int = 412) -> ApiError:
    reason, message = _REASONS[412]
    return ApiError(status, reason, message, locationType="header", location="If-Match")


def forbidden(bucket: str, permission: str) -> ApiError:
    message = (
        f"tester@project.iam.gserviceaccount.com does not have {permission} access to the Google "
        f"Cloud Storage bucket {bucket}. Permission '{permission}' denied on resource (or it may "
        "not exist)."
    )
    return ApiError(403, "forbidden", message)


def unauthorized(permission: str) -> ApiError:
    message = (
        f"Anonymous caller does not have {permission} access to the Google Cloud Storage bucket. "
        f"Permission '{permission}' denied on resource (or it may not exist)."
    )
    return ApiError(401, "required", message, locationType="header", location="Authorization")


def injected(status: int) -> ApiError:
    """Return the error of a status that somebody asked for."""
    reason, message = _REASONS.get(status, ("backendError", "Injected."))
    return ApiError(status, reason, message)
