"""What the service's errors mean, and what to do about them.

See https://cloud.google.com/apis/design/errors: the codes tell whether to ask again.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from sched_core import BackendError, EngineUnavailable, SubmitOutcomeUnknown, SubmitRejected

__all__ = ["NotThere", "Refused", "retry_after", "translated"]

P = ParamSpec("P")
T = TypeVar("T")

_CREDENTIALS = "log in (gcloud auth application-default login), or have GOOGLE_APPLICATION_CREDENTIALS name a key"
_ROLES = (
    "give the account the role roles/batch.jobsEditor in the project, and roles/iam.serviceAccountUser "
    "for the account of the VMs"
)
_PLACE = "see whether project and location are right, and the Batch API is enabled in the project"


class Refused(BackendError):
    """The service does not do it, now or later; the message says what to do next."""


class NotThere(Refused):
    """There is no such job, or no such place."""


def translated(function: Callable[P, T]) -> Callable[P, T]:
    """Have a function that calls the service raise Refused, EngineUnavailable where it certainly did
    nothing, or SubmitOutcomeUnknown.
    """

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return function(*args, **kwargs)
        except BackendError:
            raise
        except Exception as error:
            found = _translate(error)
            if found is None:
                raise
            raise found from error

    return call


def _translate(error: Exception) -> BackendError | None:
    from google.api_core import exceptions as api
    from google.auth import exceptions as auth

    if isinstance(error, auth.DefaultCredentialsError | auth.RefreshError):
        return Refused(f"there are no credentials for Google Cloud: {_CREDENTIALS} ({error})")
    if isinstance(error, auth.TransportError | api.RetryError):
        return SubmitOutcomeUnknown(f"Google Cloud cannot be reached: {error}")
    return _of_call(error) if isinstance(error, api.GoogleAPICallError) else None


def _of_call(error: Exception) -> BackendError:
    from google.api_core import exceptions as api

    words = _words(error)
    if isinstance(error, api.NotFound):
        return NotThere(f"{words}: {_PLACE}")
    if isinstance(error, api.Unauthenticated):
        return Refused(f"{words}: {_CREDENTIALS}")
    if isinstance(error, api.Forbidden):
        return Refused(f"{words}: {_ROLES}")
    if isinstance(error, api.TooManyRequests | api.Aborted):
        return EngineUnavailable(words, retry_after=retry_after(error))
    if isinstance(error, api.ClientError) and not isinstance(error, api.Cancelled):
        return SubmitRejected(words)
    return SubmitOutcomeUnknown(words)


def _words(error: Exception) -> str:
    """Return what the service says, with the fields that it complains of."""
    text = str(getattr(error, "message", error))
    fields = [
        f"{violation.field}: {violation.description}"
        for detail in getattr(error, "details", ())
        for violation in getattr(detail, "field_violations", ())
    ]
    return f"Google Batch: {text}" + (f" ({'; '.join(fields)})" if fields else "")


def retry_after(error: Exception) -> float | None:
    """Return how many seconds the service wants to be left alone for, if it says so."""
    for detail in getattr(error, "details", ()):
        delay = getattr(detail, "retry_delay", None)
        if delay is not None:
            return float(delay.seconds + delay.nanos / 1e9)
    return None
