"""The scripts of a submission's jobs, many to a file: a bucket takes few large files better than
many small ones. Pure.

A bundle is `sched-bundle SID FIRST TASKS LINES`, a line `INDEX ATTEMPT SKIP LINES` for each task, the
scripts, and `end`: a task can tell whether all of it is there, and finds its own by counting lines.
"""

from __future__ import annotations

from collections.abc import Sequence

from sched_core import AttemptId

__all__ = ["TASKS_OF_A_BUNDLE", "bundle", "bundle_path", "bundle_paths", "bundles"]

TASKS_OF_A_BUNDLE = 128
"""Each task reads all of its bundle: some 200 kB."""


def bundle_path(folder: str, sid: str, number: int) -> str:
    """Return where the bundle lies that has a task of that number."""
    return f"{folder}/{sid}.{number // TASKS_OF_A_BUNDLE}"


def bundle_paths(folder: str, sid: str, tasks: int) -> list[str]:
    """Return where all bundles of a submission lie."""
    return [bundle_path(folder, sid, number) for number in range(0, tasks, TASKS_OF_A_BUNDLE)]


def bundles(sid: str, tasks: Sequence[AttemptId], scripts: Sequence[bytes | None]) -> list[bytes]:
    """Return the bundles of a submission; None is the script of a task that has nothing to do."""
    parts = range(0, len(tasks), TASKS_OF_A_BUNDLE)
    size = TASKS_OF_A_BUNDLE
    return [
        bundle(sid, first, tasks[first : first + size], scripts[first : first + size])
        for first in parts
    ]


def bundle(
    sid: str, first: int, tasks: Sequence[AttemptId], scripts: Sequence[bytes | None]
) -> bytes:
    """Return one bundle, whose first task has the number `first`."""
    whole = [_whole(script) for script in scripts]
    skip = 1 + len(tasks)
    table = []
    for task, script in zip(tasks, whole, strict=True):
        lines = script.count(b"\n")
        table.append(f"{task.job_index} {task.attempt} {skip} {lines}\n")
        skip += lines
    head = f"sched-bundle {sid} {first} {len(tasks)} {skip}\n"
    return b"".join([head.encode(), "".join(table).encode(), *whole, b"end\n"])


def _whole(script: bytes | None) -> bytes:
    if not script or script.endswith(b"\n"):
        return script or b""
    return script + b"\n"
