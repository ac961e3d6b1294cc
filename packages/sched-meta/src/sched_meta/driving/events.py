"""`--json`: what happens to jobs, a JSON object a line."""

from __future__ import annotations

import json
import time

from sched_core import Job, hookimpl

from ..reading.jobevents import DETAILS, TIMES, job_event
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
        self._write("submitted", job)

    @hookimpl
    def on_job_started(self, job: Job) -> None:
        self._write("started", job)

    @hookimpl
    def on_job_succeeded(self, job: Job) -> None:
        self._write("finished", job)

    @hookimpl
    def on_job_failed(self, job: Job) -> None:
        self._write("failed", job)

    @hookimpl
    def on_job_killed(self, job: Job) -> None:
        self._write("killed", job)

    def _write(self, event: str, job: Job) -> None:
        details = {name: getattr(job, name) for name in DETAILS[event]}
        if "reason" in details:
            details["reason"] = details["reason"] or None
        known = getattr(job, TIMES[event])
        at = time.time() if known is None else known
        line = job_event(event, at, job.index, job.given_name, job.attempt, details)
        self._stdout.put(json.dumps(line).encode() + b"\n")
