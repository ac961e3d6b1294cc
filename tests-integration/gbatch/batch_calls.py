"""The unmodified client, and short ways to say what a job is."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import grpc
from google.cloud import batch_v1
from google.cloud.batch_v1.services.batch_service.transports import BatchServiceGrpcTransport

from .batch import BatchEmulator

__all__ = ["PARENT", "Caller", "calling", "group_of"]

PARENT = "projects/p/locations/us-central1"


def group_of(*scripts: str, tasks: int = 1, **spec: Any) -> dict[str, Any]:
    """Return a task group whose tasks run these texts."""
    runnables = [{"script": {"text": text}} for text in scripts]
    return {"task_count": tasks, "task_spec": {"runnables": runnables} | spec}


class Caller:
    """Makes calls with the client, and waits for what they have led to."""

    def __init__(self, emulator: BatchEmulator, client: batch_v1.BatchServiceClient) -> None:
        self.emulator, self.client = emulator, client
        self._numbers = itertools.count(1)

    def create(self, group: Any, *, request_id: str = "", job_id: str = "", **job: Any) -> str:
        """Create a job and return its id."""
        wanted = job_id or f"job-{next(self._numbers)}"
        request = batch_v1.CreateJobRequest(
            parent=PARENT,
            job_id=wanted,
            request_id=request_id,
            job=batch_v1.Job({"task_groups": [group], **job}),
        )
        created = self.client.create_job(request)
        return created.name.rpartition("/")[2]

    def run(self, *scripts: str, **spec: Any) -> str:
        """Create a job of these texts, wait for its end and return its id."""
        job_id = self.create(group_of(*scripts, **spec))
        self.emulator.wait(job_id)
        return job_id

    def cancel(self, job_id: str, **words: Any) -> Any:
        """Ask for a job's end, and return the operation."""
        return self.client.cancel_job({"name": f"{PARENT}/jobs/{job_id}", **words})

    def delete(self, job_id: str, **words: Any) -> Any:
        return self.client.delete_job({"name": f"{PARENT}/jobs/{job_id}", **words})

    def get(self, job_id: str) -> batch_v1.Job:
        return self.client.get_job(name=f"{PARENT}/jobs/{job_id}")

    def tasks(self, job_id: str, **words: Any) -> list[batch_v1.Task]:
        parent = f"{PARENT}/jobs/{job_id}/taskGroups/group0"
        return list(self.client.list_tasks({"parent": parent, **words}))

    def task(self, job_id: str, index: int = 0) -> batch_v1.Task:
        name = f"{PARENT}/jobs/{job_id}/taskGroups/group0/tasks/{index}"
        return self.client.get_task(name=name)

    def words(self, job_id: str) -> list[str]:
        """Return the descriptions of a job's events."""
        return [event.description for event in self.get(job_id).status.status_events]


@contextmanager
def calling(emulator: BatchEmulator) -> Iterator[Caller]:
    """Have a client that talks to an emulator without encryption."""
    with grpc.insecure_channel(emulator.address) as channel:
        client = batch_v1.BatchServiceClient(transport=BatchServiceGrpcTransport(channel=channel))
        yield Caller(emulator, client)
