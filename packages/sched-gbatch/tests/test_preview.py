"""What is shown of a Batch job before a run begins: without credentials, a service or a bucket."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sched_core import OptionError
from sched_gbatch import GbatchScheduler

from .helpers import made


def parts_of(scheduler: GbatchScheduler, count: int = 3) -> dict[str, str]:
    jobs = [scheduler.new_job(index, ["true"]) for index in range(count)]
    return dict(scheduler.preview(jobs, plugins=[]).parts)


@pytest.fixture(autouse=True)
def _nothing_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **words: object) -> Any:
        raise AssertionError("it was called")

    monkeypatch.setattr("sched_gbatch.service.BatchService._call", refuse)
    monkeypatch.setattr("sched_core.ports.bucket.storage_client", refuse)


def test_the_request_is_shown_as_the_rest_api_spells_it() -> None:
    parts = parts_of(made(forks=2, labels={"team": "blue"}, resources={"cpus": 2}))
    assert list(parts) == ["request CreateJob", "script of each task", "script of job 0"]
    request = json.loads(parts["request CreateJob"])
    assert set(request) == {"parent", "jobId", "job", "requestId"}
    (group,) = request["job"]["taskGroups"]
    assert (group["taskCount"], group["parallelism"]) == ("3", "2")
    assert group["taskSpec"]["computeResource"] == {"cpuMilli": "2000"}
    assert request["job"]["labels"]["team"] == "blue"
    assert request["jobId"].endswith("0000000000-0000000000000000")


def test_each_task_starts_what_is_shown() -> None:
    parts = parts_of(made())
    request = json.loads(parts["request CreateJob"])
    (runnable,) = request["job"]["taskGroups"][0]["taskSpec"]["runnables"]
    assert "/.sched/tasks/0000000000000000.bash" in runnable["script"]["text"]
    assert "_sched_sid=0000000000000000 " in parts["script of each task"]


def test_what_batch_would_not_understand_is_refused() -> None:
    with pytest.raises(OptionError, match="Google Batch has no such job"):
        parts_of(made(labels={"team": 3.5}))
