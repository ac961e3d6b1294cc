"""What the service tells people in the events of jobs and tasks: its own words."""

from __future__ import annotations

__all__ = [
    "ENGINE_CODES",
    "IMAGE_MISSING",
    "MACHINE_TYPE_MISSING",
    "OVERRUN",
    "QUOTA_EXCEEDED",
    "QUOTA_WAIT",
    "SPOT_PREEMPTION",
    "ZONE_EXHAUSTED",
    "job_moved",
    "task_failed",
    "task_moved",
]

SPOT_PREEMPTION, OVERRUN = 50001, 50005

ENGINE_CODES = {
    SPOT_PREEMPTION: "Spot VM preemption",
    50002: "Batch no longer receives VM updates",
    50003: "VM is rebooted during task execution",
    50004: "tasks cannot be canceled",
    OVERRUN: "task runs over the maximum runtime",
    50006: "VM is recreated during task execution",
}
"""https://cloud.google.com/batch/docs/troubleshooting#reserved-exit-codes"""

QUOTA_EXCEEDED = (
    "VM in Managed Instance Group meets error: Batch Error: code - CODE_GCE_QUOTA_EXCEEDED, "
    "description - error count is 4, latest message example: Instance 'vm-group0-0-x1yz' creation "
    "failed: Quota 'N2_CPUS' exceeded.  Limit: 24.0 in region us-central1"
)
QUOTA_WAIT = (
    "Quota checking process decided to delay scheduling for the job due to inadequate quotas "
    "[Quota: CPUS, limit: 24, usage: 24, wanted: 4]."
)
ZONE_EXHAUSTED = (
    "VM in Managed Instance Group meets error: Batch Error: code - "
    "CODE_GCE_ZONE_RESOURCE_POOL_EXHAUSTED, description - error count is 1, latest message example: "
    "Instance 'vm-group0-0-x1yz' creation failed: The zone 'projects/p/zones/us-central1-a' does not "
    "have enough resources available to fulfill the request.  Try a different zone, or try again later."
)
MACHINE_TYPE_MISSING = (
    "Job gets non-retryable information Batch Error: code - CODE_GCE_INVALID_FIELD_VALUE, "
    "description - Invalid value for field 'operation': ''. No zone supports all of the provided "
    "instance templates."
)
IMAGE_MISSING = (
    "Job gets non-retryable information Batch Error: code - CODE_GCE_RESOURCE_NOT_FOUND, "
    "description - The resource 'projects/p/global/images/none' was not found."
)


def job_moved(name: str, before: str, after: str, why: str = "") -> str:
    return f"Job state is set from {before} to {after} for job {name}.{why}"


def task_moved(before: str, after: str, zone: str, why: str = "", code: int | None = None) -> str:
    due = f" due to {why}" if why else ""
    with_code = "" if code is None else f" with exit code {code}."
    return f"Task state is updated from {before} to {after} on {zone}{due}{with_code}"


def task_failed(index: int, event: str) -> str:
    """Why a job has failed, which stands behind its move."""
    return (
        f"Job failed due to task failure. Specifically, task with index {index} failed due to the "
        f'following task event: "{event}"'
    )
