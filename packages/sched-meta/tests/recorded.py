"""Runs that nobody ran: folders with the records that a driver would have left."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from sched_core.model.status import JobStatus
from sched_core.ports.localfiles import LocalFiles
from sched_core.runfolder import (
    JobRecord,
    Journal,
    Layout,
    RunFile,
    job_entry,
    state_entry,
    write_run,
)
from sched_meta.reading.runfolder import RunFolder

BEGUN = 1767268800.0
"""2026-01-01 12:00 UTC."""
_SPEC = ("cmd", "name", "envs", "resources", "timeout")
_NOT_MOVED = ("index", "inputs", "outputs", "container", "generation", "status", "sid")


def record_run(
    path: Path,
    jobs: Iterable[JobRecord],
    outputs: Mapping[int, tuple[bytes, bytes]] | None = None,
    options: Mapping[str, Any] | None = None,
    scheduler: tuple[str, str] = ("local", "sched_local:LocalScheduler"),
) -> RunFolder:
    """Write the run; `outputs` are stdout and stderr by index, `scheduler` its name and class."""
    layout, files = Layout(str(path)), LocalFiles()
    for folder in layout.folders():
        files.make_folder(folder)
    write_run(files, layout, RunFile("r1", 1, BEGUN, *scheduler, dict(options or {}), str(path)))
    journal = Journal(files, layout, 1)
    for job in jobs:
        journal.add(job_entry(job.index, {name: getattr(job, name) for name in _SPEC}))
        for entry in _moves(job):
            journal.add(entry)
    journal.write(journal.take())
    for index, (stdout, stderr) in (outputs or {}).items():
        metadir = path / str(index)
        metadir.mkdir()
        (metadir / "job.stdout").write_bytes(stdout)
        (metadir / "job.stderr").write_bytes(stderr)
    return RunFolder(path)


def _moves(job: JobRecord) -> Iterable[dict[str, Any]]:
    if job.status is not JobStatus.INIT:
        moved = {f.name for f in fields(job)} - {*_SPEC, *_NOT_MOVED}
        state = {name: getattr(job, name) for name in moved}
        at = job.ended or job.started or BEGUN
        known = {name: value for name, value in state.items() if value is not None}
        yield state_entry(job.index, job.status, at, known)
