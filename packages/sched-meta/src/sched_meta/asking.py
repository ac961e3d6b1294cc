"""Asking a run's engine about one of its jobs, whoever drives the run."""

from __future__ import annotations

from collections.abc import Sequence

import anyio

from sched_core import SchedError
from sched_core.runfolder import JobRecord
from sched_core.runner.opening import restore_job

from .reading.runfolder import RunFolder
from .wording import plain

__all__ = ["engines_words"]


def engines_words(folder: RunFolder, record: JobRecord) -> Sequence[str]:
    """Return what the engine says about a job that it has, in lines for a person."""
    if not record.status.active:
        return ()
    try:
        scheduler = folder.scheduler()
        words = anyio.run(scheduler.explain, restore_job(scheduler, record))
    except SchedError as error:
        words = f"it cannot be asked: {error}"
    if words == record.reason:
        return ()  # it was told with the job's state
    first, *others = map(plain, words.splitlines() or ("",))
    return (f"engine:   {first}", *(f"          {line}" for line in others)) if first else ()
