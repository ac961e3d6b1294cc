"""A scheduler of a bucket that no test reaches, and its definitions as the library reads them."""

from __future__ import annotations

from typing import Any

from sched_gbatch import GbatchScheduler
from sched_gbatch.definition import Needs
from sched_gbatch.service import job_of

RUN = "gs://bucket/run1"
SCRIPT = "/mnt/disks/run1/.sched/tasks/0001.bash"


def made(workdir: Any = RUN, **options: Any) -> GbatchScheduler:
    """Return a scheduler; what it must be told and the test does not care for is filled in."""
    return GbatchScheduler(workdir, **{"project": "p", "location": "us-central1"} | options)


def defined(
    needs: Needs | None = None, *, tasks: int = 3, parallelism: int = 2, **options: Any
) -> dict[str, Any]:
    """Return the definition that such a scheduler asks for, after the library has accepted it."""
    scheduler = made(**options)
    scheduler.mount_volumes()
    found = scheduler.definition(needs or Needs(), tasks=tasks, parallelism=parallelism, sid="0001")
    job_of(found)
    return found


def group_of(definition: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = definition["taskGroups"][0]
    return found


def spec_of(definition: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = group_of(definition)["taskSpec"]
    return found


def policy_of(definition: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = definition["allocationPolicy"]["instances"][0]["policy"]
    return found
