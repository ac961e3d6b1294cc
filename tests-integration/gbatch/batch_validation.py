"""What the service refuses of a request, and what it fills in."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from typing import Any

from .batch_errors import invalid

__all__ = ["check_create", "check_request_id", "task_count", "with_defaults"]

_JOB_ID = re.compile(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?")
_PARENT = re.compile(r"projects/[^/]+/locations/[^/]+")
_LABEL_KEY = re.compile(r"[a-z][a-z0-9_-]{0,62}")
_LABEL_VALUE = re.compile(r"[a-z0-9_-]{0,63}")
_MOST_LABELS = 64
_MOST_TASKS = 100_000
_MOST_PARALLEL = 5_000
_MOST_BYTES = 1_000_000
_MOST_RETRIES = 10
_IN_ORDER = 2
_CPU_MILLI = _MEMORY_MIB = 2000
_SPEC = "job.task_groups[0].task_spec"


def check_request_id(request_id: str) -> None:
    if not request_id:
        return
    try:
        number = uuid.UUID(request_id).int
    except ValueError:
        number = 0
    if not number:
        raise invalid("request_id", f"Request ID {request_id!r} is not a valid non-zero UUID")


def check_create(request: Any) -> None:
    """Refuse what the service would. Raises ApiError."""
    check_request_id(request.request_id)
    if not _PARENT.fullmatch(request.parent):
        raise invalid("parent", f"Invalid parent {request.parent!r}")
    if request.job_id and not _JOB_ID.fullmatch(request.job_id):
        raise invalid(
            "job_id",
            f"Job ID {request.job_id!r} is invalid: it must match the pattern {_JOB_ID.pattern!r}",
        )
    _check_job(request.job)


def _check_job(job: Any) -> None:
    if job.ByteSize() > _MOST_BYTES:
        raise invalid("job", f"Job definition exceeds {_MOST_BYTES} bytes")
    if len(job.task_groups) != 1:
        raise invalid("job.task_groups", "Exactly one task group is supported")
    if not 0 <= job.priority < 100:
        raise invalid("job.priority", "Priority must be in [0, 100)")
    if len(job.allocation_policy.instances) > 1:
        raise invalid("job.allocation_policy.instances", "Only instances[0] is supported")
    _check_labels("job.labels", job.labels)
    _check_labels("job.allocation_policy.labels", job.allocation_policy.labels)
    _check_group(job.task_groups[0])
    _check_spec(job.task_groups[0].task_spec)


def _check_labels(field: str, labels: Mapping[str, str]) -> None:
    if len(labels) > _MOST_LABELS:
        raise invalid(field, f"At most {_MOST_LABELS} labels are allowed")
    for key, value in labels.items():
        if key.startswith(("goog-", "google-")):
            raise invalid(field, f"Label key {key!r} has a reserved prefix")
        if not (_LABEL_KEY.fullmatch(key) and _LABEL_VALUE.fullmatch(value)):
            raise invalid(field, f"Invalid label {key!r}: {value!r}")


def _check_group(group: Any) -> None:
    if not 0 <= task_count(group) <= _MOST_TASKS:
        raise invalid("job.task_groups[0].task_count", f"task_count exceeds {_MOST_TASKS}")
    if group.task_environments and group.task_count not in (0, len(group.task_environments)):
        raise invalid(
            "job.task_groups[0].task_environments",
            "The number of task_environments must equal task_count",
        )
    if not 0 <= group.parallelism <= _MOST_PARALLEL:
        raise invalid("job.task_groups[0].parallelism", f"parallelism exceeds {_MOST_PARALLEL}")
    if group.scheduling_policy == _IN_ORDER and group.parallelism > 1:
        raise invalid(
            "job.task_groups[0].parallelism", "parallelism must be 1 if tasks run IN_ORDER"
        )


def _check_spec(spec: Any) -> None:
    if not spec.runnables:
        raise invalid(f"{_SPEC}.runnables", "At least one runnable is required")
    for number, runnable in enumerate(spec.runnables):
        _check_runnable(f"{_SPEC}.runnables[{number}]", runnable)
    if not 0 <= spec.max_retry_count <= _MOST_RETRIES:
        raise invalid(
            f"{_SPEC}.max_retry_count", f"max_retry_count must be in [0, {_MOST_RETRIES}]"
        )
    if len(spec.lifecycle_policies) > 1:
        raise invalid(f"{_SPEC}.lifecycle_policies", "Only one lifecycle policy is supported")
    for volume in spec.volumes:
        _check_volume(volume)


def _check_runnable(field: str, runnable: Any) -> None:
    kind = runnable.WhichOneof("executable")
    if kind is None:
        raise invalid(field, "A runnable needs a container, a script or a barrier")
    if kind == "container" and not runnable.container.image_uri:
        raise invalid(f"{field}.container.image_uri", "image_uri is required")
    if kind == "script" and runnable.script.WhichOneof("command") is None:
        raise invalid(f"{field}.script", "A script needs a path or a text")


def _check_volume(volume: Any) -> None:
    # The service takes any folder; these machines share their disk, except for /mnt.
    if not re.fullmatch(r"/mnt(/(?!\.\.?(/|$))[^/]+)+/?", volume.mount_path):
        raise invalid(f"{_SPEC}.volumes", f"Invalid mount_path {volume.mount_path!r}")


def task_count(group: Any) -> int:
    return int(group.task_count or len(group.task_environments) or 1)


def with_defaults(job: Any) -> Any:
    """Fill in what was left out, as the service answers it."""
    group = job.task_groups[0]
    group.name = f"{job.name}/taskGroups/group0"
    group.task_count = task_count(group)
    group.parallelism = group.parallelism or min(group.task_count, _MOST_PARALLEL)
    needs = group.task_spec.compute_resource
    needs.cpu_milli = needs.cpu_milli or _CPU_MILLI
    needs.memory_mib = needs.memory_mib or _MEMORY_MIB
    return job
