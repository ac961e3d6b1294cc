"""What is shown before a run begins is what the service and the bucket are then given."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sched_core import JobStatus

from .cloud import Cloud


async def test_a_batch_job_is_what_was_shown(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    scheduler = cloud.scheduler(forks=2, resources={"cpus": 1}, labels={"team": "blue"})
    jobs = [scheduler.new_job(index, ["true"]) for index in range(3)]
    shown = dict(scheduler.preview(jobs, plugins=[]).parts)
    assert cloud.jobs() == {}
    assert not cloud.folder().exists()
    sent: list[Any] = []
    create = scheduler.service.create

    def recorded(batch: str, *definition: Any) -> None:
        sent.append(scheduler.service.shown(batch, *definition))
        create(batch, *definition)

    monkeypatch.setattr(scheduler.service, "create", recorded)
    async with cloud.run(scheduler) as runner:
        await runner.feed_all(jobs)
        await runner.stop_feeding()
    assert {job.status for job in jobs} == {JobStatus.FINISHED}
    (request,) = sent
    assert _comparable(shown["request CreateJob"]) == _comparable(request)


def _comparable(request: str) -> dict[str, Any]:
    """Take out the ids of the run and of the submission, which are new each time."""
    _, run, sid = json.loads(request)["jobId"].split("-")
    plain: dict[str, Any] = json.loads(request.replace(sid, "SID").replace(run, "RUN"))
    assert plain.pop("requestId")
    return plain
