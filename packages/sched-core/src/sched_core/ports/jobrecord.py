"""The names of what wrappers and drivers write for a job, below the run's folder."""

from __future__ import annotations

import os
import re

__all__ = ["ATTEMPT_RECORD", "is_job_record", "is_path", "is_scheds_own"]

ATTEMPT_RECORD = re.compile(r"job\.(stdout|stderr|status|rc|jid|wrapped\..+)", re.DOTALL)
"""Those that the next attempt has anew, so that a retry moves them to `job.retry/<attempt>`."""

_OWN = re.compile(
    r"(?:job\.retry/[0-9]+/)?"
    r"job\.(?:stdout|stderr|status|rc|jid|wrapped\.[^/]+|claim\.[0-9]+(?:\.r[0-9]+)?)",
    re.DOTALL | re.ASCII,
)
_RECORD = re.compile(r"(?:0|[1-9][0-9]*)/job\.[^/]+(?:/.*)?", re.DOTALL)


def is_job_record(name: str) -> bool:
    """Tell whether this is a file that wrappers and drivers write, such as 3/job.stdout."""
    return _RECORD.fullmatch(name) is not None


def is_scheds_own(name: str) -> bool:
    """Tell whether a file of this name in a job's folder is one that sched wrote: a host, or the job
    itself, may have put others beside them.
    """
    return _OWN.fullmatch(name) is not None


def is_path(name: str) -> bool:
    """Tell whether an object's name is that of a file within a folder."""
    parts = name.split("/")
    plain = "\0" not in name and not {"", ".", ".."}.intersection(parts)
    return plain and all(len(os.fsencode(part)) < 256 for part in parts)
