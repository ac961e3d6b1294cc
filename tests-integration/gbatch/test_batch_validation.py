"""What the emulator refuses, as the service does."""

from __future__ import annotations

from typing import Any

import pytest
from google.cloud import batch_v1

from .batch_errors import ApiError
from .batch_validation import check_create

PARENT = "projects/p/locations/l"
GROUP = {"task_spec": {"runnables": [{"script": {"text": "true"}}]}}
IN_ORDER = batch_v1.TaskGroup.SchedulingPolicy.IN_ORDER


def refused(job: dict[str, Any], job_id: str = "j", parent: str = PARENT) -> str:
    """Return the field for which a job is refused, or nothing."""
    request = batch_v1.CreateJobRequest(parent=parent, job_id=job_id, job=batch_v1.Job(job))
    try:
        check_create(batch_v1.CreateJobRequest.pb(request))
    except ApiError as error:
        return str(error.as_json()["error"]["details"][0]["fieldViolations"][0]["field"])
    return ""


def group(**words: Any) -> dict[str, Any]:
    return {"task_groups": [GROUP | words]}


def spec(**words: Any) -> dict[str, Any]:
    return {"task_groups": [{"task_spec": GROUP["task_spec"] | words}]}


@pytest.mark.parametrize("job_id", ["j", "a1-b", "a" * 63, ""])
def test_takes_legal_ids(job_id: str) -> None:
    assert refused(group(), job_id) == ""


@pytest.mark.parametrize("job_id", ["1a", "-a", "a-", "A", "a_b", "a" * 64, "é"])
def test_refuses_other_ids(job_id: str) -> None:
    assert refused(group(), job_id) == "job_id"


@pytest.mark.parametrize("labels", [{"a": ""}, {"run_1": "x-1"}, {"a" * 63: "b" * 63}])
def test_takes_legal_labels(labels: dict[str, str]) -> None:
    assert refused(group() | {"labels": labels}) == ""


@pytest.mark.parametrize(
    "labels",
    [
        {"A": "b"},
        {"a": "B"},
        {"1": "a"},
        {"goog-x": "a"},
        {"google-x": "a"},
        {"a": "b" * 64},
        {f"a{number}": "" for number in range(65)},
    ],
)
def test_refuses_other_labels(labels: dict[str, str]) -> None:
    assert refused(group() | {"labels": labels}) == "job.labels"


@pytest.mark.parametrize(
    "job,field",
    [
        ({}, "job.task_groups"),
        ({"task_groups": [GROUP, GROUP]}, "job.task_groups"),
        (group() | {"priority": 100}, "job.priority"),
        (group(task_count=100_001), "task_count"),
        (group(task_count=3, task_environments=[{}]), "task_environments"),
        (group(parallelism=5001), "parallelism"),
        (group(parallelism=2, scheduling_policy=IN_ORDER), "parallelism"),
        (spec(runnables=[]), "runnables"),
        (spec(runnables=[{}]), "runnables[0]"),
        (spec(runnables=[{"container": {}}]), "image_uri"),
        (spec(runnables=[{"script": {}}]), "script"),
        (spec(max_retry_count=11), "max_retry_count"),
        (spec(lifecycle_policies=[{}, {}]), "lifecycle_policies"),
        (spec(volumes=[{"mount_path": "mnt/x"}]), "volumes"),
        (spec(environment={"variables": {"A": "x" * 1_000_001}}), "job"),
    ],
)
def test_names_the_field_that_is_wrong(job: dict[str, Any], field: str) -> None:
    assert refused(job).endswith(field)


def test_takes_what_is_just_allowed() -> None:
    assert refused(group(task_count=100_000, parallelism=5000)) == ""
    assert refused(spec(max_retry_count=10)) == ""


@pytest.mark.parametrize("request_id", ["x", "00000000-0000-0000-0000-000000000000"])
def test_refuses_a_request_id_that_is_none(request_id: str) -> None:
    request = batch_v1.CreateJobRequest.pb()(request_id=request_id)
    with pytest.raises(ApiError, match="UUID"):
        check_create(request)
