"""Runs whose jobs have all the files that a driver and wrappers would have left."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from sched_core.model.failure import Failure
from sched_core.model.status import JobStatus
from sched_core.runfolder import JobRecord
from sched_meta.reading.runfolder import RunFolder

from .recorded import BEGUN, record_run

_EFFECTS = ("unlink", "rmdir", "replace", "mkdir", "fsync", "utime", "rename")


def record(index: int, status: JobStatus = JobStatus.FINISHED, **state: Any) -> JobRecord:
    """A job that took a second; by default one that finished."""
    times = {"started": BEGUN + index, "ended": BEGUN + index + 1} if status.final else {}
    rc = {"rc": 0} if status is JobStatus.FINISHED else {}
    return JobRecord(index, ["echo", str(index)], status=status, **{**times, **rc, **state})


def failed(index: int, **state: Any) -> JobRecord:
    return record(index, JobStatus.FAILED, rc=1, failure=Failure.EXIT, **state)


def make_run(path: Path, jobs: Iterable[JobRecord]) -> RunFolder:
    """Write the run with files of all jobs but those that are waiting."""
    jobs = list(jobs)
    folder = record_run(path, jobs)
    for job in jobs:
        if job.status is not JobStatus.QUEUED:
            write_attempt(path, job)
    return folder


def write_attempt(path: Path, job: JobRecord) -> None:
    """Write the files of the job's attempt, and of those before it."""
    metadir = path / str(job.index)
    for attempt in range(1, job.attempt):
        kept = metadir / "job.retry" / str(attempt)
        kept.mkdir(parents=True)
        (kept / "job.stdout").write_text(f"attempt {attempt} of {job.index}\n")
    metadir.mkdir(exist_ok=True)
    for attempt in range(1, job.attempt + 1):
        (metadir / f"job.claim.{attempt}").write_text(f"claim {attempt}\n")
    (metadir / "job.stdout").write_text(f"out {job.index}\n" * 20)
    (metadir / "job.stderr").write_text(f"err {job.index}\n")
    (metadir / "job.rc").write_text(f"{job.rc}\n")
    (metadir / "job.wrapped.local").write_text("#!/bin/bash\n")


def contents(folder: RunFolder, indexes: Iterable[int]) -> dict[str, bytes]:
    """All files of jobs, as commands read them."""
    found: dict[str, bytes] = {}
    for index in indexes:
        if folder.files.exists(folder.of_job(index)):
            _collect(folder, folder.of_job(index), found)
    return {path[len(folder.path) + 1 :]: data for path, data in found.items()}


def _collect(folder: RunFolder, top: str, found: dict[str, bytes]) -> None:
    for name, entry in folder.files.entries(top).items():
        path = f"{top}/{name}"
        if entry.is_folder:
            _collect(folder, path, found)
        else:
            found[path] = folder.files.read(path)


def fresh(folder: RunFolder) -> RunFolder:
    """The same run as another process sees it."""
    return RunFolder(folder.path)


def killed_at(effect: int, do: Callable[[], object]) -> bool:
    """Do it in a process that is killed just before the effect of that number on the disk; tell whether
    it came that far.
    """
    pid = os.fork()
    if pid == 0:
        _die_at(effect)
        try:
            do()
        except BaseException:  # noqa: BLE001  # the tests must not go on here
            os._exit(1)
        os._exit(0)
    status = os.waitpid(pid, 0)[1]
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return True
    assert os.WEXITSTATUS(status) == 0
    return False


def _die_at(effect: int) -> None:
    left = [effect]

    def counted(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **options: Any) -> Any:
            left[0] -= 1
            if left[0] <= 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*args, **options)

        return call

    for name in _EFFECTS:
        setattr(os, name, counted(getattr(os, name)))
