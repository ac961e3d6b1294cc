"""What each error of the service becomes, and that it says what to do next."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from google.api_core import exceptions as api_exceptions
from google.auth import exceptions as auth_exceptions
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import BadRequest, RetryInfo

from sched_core import BackendError, EngineUnavailable, SubmitOutcomeUnknown, SubmitRejected
from sched_gbatch.troubles import NotThere, Refused, translated

# Their constructors have no types.
api: Any = api_exceptions
auth: Any = auth_exceptions


def raised(error: Exception) -> BackendError:
    @translated
    def call() -> None:
        raise error

    with pytest.raises(BackendError) as caught:
        call()
    if not isinstance(error, BackendError):
        assert caught.value.__cause__ is error
    return caught.value


@pytest.mark.parametrize(
    "error, kind, words",
    [
        (auth.DefaultCredentialsError("none"), Refused, "gcloud auth application-default login"),
        (auth.RefreshError("expired"), Refused, "gcloud auth application-default login"),
        (api.Unauthenticated("who"), Refused, "gcloud auth application-default login"),
        (api.PermissionDenied("no"), Refused, "roles/batch.jobsEditor"),
        (api.NotFound("no such project"), NotThere, "whether project and location are right"),
        (api.InvalidArgument("bad"), SubmitRejected, "Google Batch: bad"),
        (api.FailedPrecondition("bad"), SubmitRejected, "Google Batch: bad"),
        (api.OutOfRange("bad"), SubmitRejected, "Google Batch: bad"),
        (api.ResourceExhausted("slow"), EngineUnavailable, "Google Batch: slow"),
        (api.Aborted("again"), EngineUnavailable, "Google Batch: again"),
    ],
)
def test_what_certainly_did_nothing(error: Exception, kind: type[BackendError], words: str) -> None:
    found = raised(error)
    assert type(found) is kind
    assert words in str(found)


@pytest.mark.parametrize(
    "error",
    [
        api.ServiceUnavailable("away"),
        api.DeadlineExceeded("late"),
        api.InternalServerError("oops"),
        api.Unknown("what"),
        api.Cancelled("cut"),
        api.DataLoss("gone"),
        api.RetryError("gave up", cause=api.ServiceUnavailable("away")),
        auth.TransportError("no route"),
    ],
)
def test_what_may_have_been_done(error: Exception) -> None:
    assert type(raised(error)) is SubmitOutcomeUnknown


def test_what_is_translated_already_stays() -> None:
    error = SubmitRejected("no")
    assert raised(error) is error


@pytest.mark.parametrize("error", [ValueError("a bug"), KeyboardInterrupt()])
def test_what_is_no_error_of_the_service_is_left_alone(error: BaseException) -> None:
    @translated
    def call() -> None:
        raise error

    with pytest.raises(type(error)):
        call()


def test_the_fields_that_the_service_complains_of_are_named() -> None:
    detail = BadRequest()
    detail.field_violations.add(field="job.task_groups", description="too many")
    found = raised(api.InvalidArgument("bad", details=[detail]))
    assert "bad (job.task_groups: too many)" in str(found)


@pytest.mark.parametrize(
    "details, seconds",
    [
        ([RetryInfo(retry_delay=Duration(seconds=7, nanos=500_000_000))], 7.5),
        ([BadRequest()], None),
        ([], None),
    ],
)
def test_when_the_service_wants_to_be_asked_again(
    details: list[Any], seconds: float | None
) -> None:
    found = raised(api.ResourceExhausted("slow", details=details))
    assert isinstance(found, EngineUnavailable)
    assert found.retry_after == seconds


def test_what_goes_well_is_returned() -> None:
    double: Callable[[int], int] = translated(lambda number: number * 2)
    assert double(3) == 6
    assert timedelta(seconds=double(3)).seconds == 6
