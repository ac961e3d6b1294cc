"""What doctor says where something is missing; the rest is seen on the emulators."""

from __future__ import annotations

import pytest
from google.cloud import batch_v1
from grpc import StatusCode

from sched_gbatch import GbatchScheduler
from sched_gbatch.doctor import check_cloud
from sched_gbatch.service import BatchService

from .emulated import emulated

Findings = dict[str, tuple[bool | None, str]]
NO_KEY = {"GOOGLE_APPLICATION_CREDENTIALS": "/no/such/key.json"}


def checked(url: str, workdir: str | None = None) -> Findings:
    found = check_cloud(BatchService("p", "us-central1", url), workdir)
    return {name: (verdict, detail) for name, verdict, detail in found}


@pytest.fixture(autouse=True)
def _emulator(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have nothing outside of this machine asked for anything."""
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", "http://127.0.0.1:1")


def test_a_service_that_can_be_used() -> None:
    with emulated() as cloud:
        cloud.answer("ListJobs", batch_v1.ListJobsResponse())
        found = checked(cloud.url)
    assert found["credentials"][0] is None
    assert found["Batch API"] == (True, "projects/p/locations/us-central1 can be used")
    assert found["bucket"] == (None, "none was named: -w gs://bucket/folder has one checked")


@pytest.mark.parametrize(
    "code, words",
    [
        (StatusCode.PERMISSION_DENIED, "roles/batch.jobsEditor"),
        (StatusCode.NOT_FOUND, "whether project and location are right"),
        (StatusCode.UNAVAILABLE, "Google Batch: "),
    ],
)
def test_a_service_that_cannot(code: StatusCode, words: str) -> None:
    with emulated() as cloud:
        cloud.answer("ListJobs", code)
        verdict, detail = checked(cloud.url)["Batch API"]
    assert verdict is False
    assert words in detail


def test_without_credentials_nothing_more_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STORAGE_EMULATOR_HOST")
    monkeypatch.setenv(*next(iter(NO_KEY.items())))
    found = checked("http://127.0.0.1:1", "gs://bucket/run1")
    assert found.keys() == {"credentials"}
    assert found["credentials"][0] is False
    assert "gcloud auth application-default login" in found["credentials"][1]


async def test_no_bucket_is_needed() -> None:
    with emulated() as cloud:
        cloud.answer("ListJobs", batch_v1.ListJobsResponse())
        scheduler = GbatchScheduler.for_doctor(
            "sched-doctor", project="p", location="us-central1", api_endpoint=cloud.url
        )
        found = {name: verdict for name, verdict, _ in await scheduler.doctor()}
    rest = {"bucket": None, "engine_rate": True}
    assert found == {"credentials": None, "Batch API": True, **rest}
