"""`--json`: what happens to jobs, a JSON object a line."""

from __future__ import annotations

import json
import time
from typing import Any

from sched_core import Job, hookimpl

from ..reading.jobevents import job_event
from .stdout import Stdout

__all__ = ["EventPlugin"]


class EventPlugin:
    """Writes a line for each change of state; never commands, environments or secrets."""

    def __init__(self, stdout: Stdout) -> None:
        self._stdout = stdout

    @hookimpl
    def on_job_queued(self, job: Job) -> None:
        self._write("queued", job)

    @hookimpl
    def on_job_submitted(self, job: Job) -> None:
        self._write("submitted", job, jid=job.jid)

    @hookimpl
    def on_job_started(self, job: Job) -> None:
        self._write("started", job, jid=job.jid, host=job.host)

    @hookimpl
    def on_job_succeeded(self, job: Job) -> None:
        self._write("finished", job, **_end(job))

    @hookimpl
    def on_job_failed(self, job: Job) -> None:
        self._write("failed", job, **_end(job), will_retry=job.will_retry)

    @hookimpl
    def on_job_killed(self, job: Job) -> None:
        self._write("killed", job, **_end(job))

    def _write(self, event: str, job: Job, **details: Any) -> None:
        line = job_event(event, time.time(), job.index, job.given_name, job.attempt, details)
        self._stdout.put(json.dumps(line).encode() + b"\n")


def _end(job: Job) -> dict[str, Any]:
    return {
        "rc": job.rc,
        "failure": job.failure,
        "reason": job.reason or None,
        "host": job.host,
        "started": job.started,
        "ended": job.ended,
        "cpu": job.cpu,
        "max_rss": job.max_rss,
    }
