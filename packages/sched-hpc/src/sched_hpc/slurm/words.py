"""What Slurm's reasons mean to a person. See https://slurm.schedmd.com/job_reason_codes.html."""

from __future__ import annotations

import time

from sched_core import EngineState

from .parsers import Row
from .states import state_of

__all__ = ["explain_row", "is_held"]

_MEANINGS = {
    "AssociationJobLimit": "your account runs as many jobs as it may",
    "AssocMaxJobsLimit": "your account runs as many jobs as it may",
    "AssocGrpCpuLimit": "your group uses as many cores as it may",
    "AssocGrpMemLimit": "your group uses as much memory as it may",
    "BeginTime": "it may start only at a later time; after a requeue Slurm waits for two minutes",
    "BadConstraints": "no node has what it asks for",
    "Dependency": "a job that it depends on has not ended",
    "DependencyNeverSatisfied": "what it depends on can never be fulfilled: kill it",
    "InvalidAccount": "its account is not valid",
    "InvalidQOS": "its QOS is not valid",
    "JobArrayTaskLimit": "forks: as many tasks of its array run as may",
    "JobHeldAdmin": "an administrator holds it",
    "JobHeldUser": "it is held: scontrol release lets it go",
    "JobLaunchFailure": "its node could not start it",
    "Licenses": "it waits for a license",
    "NodeDown": "a node that it needs is down",
    "PartitionConfig": "it asks for more than its partition has",
    "PartitionDown": "its partition is down",
    "PartitionInactive": "its partition is not active",
    "PartitionNodeLimit": "it asks for more nodes than its partition allows",
    "PartitionTimeLimit": "it asks for more time than its partition allows",
    "Priority": "others come first",
    "QOSMaxJobsPerUserLimit": "you run as many jobs as your QOS allows",
    "QOSMaxCpuPerUserLimit": "you use as many cores as your QOS allows",
    "ReqNodeNotAvail": "a node that it asks for is not available",
    "Reservation": "it waits for its reservation",
    "Resources": "it waits for nodes to become free",
}


def is_held(reason: str) -> bool:
    """Tell whether a job starts only when somebody lets it go."""
    return "JobHeld" in reason or "requeued held" in reason.replace("_", " ")


def explain_row(jid: str, row: Row) -> str:
    """Return a line about a job: where Slurm has it, and why."""
    where = f" on cluster {row.cluster}" if row.cluster else ""
    text = f"Slurm job {jid}{where}: {row.state}"
    if row.reason:
        meaning = _MEANINGS.get(row.reason.split(",")[0].split()[0])
        text += f", {row.reason}" + (f": {meaning}" if meaning else "")
    if row.nodes:
        text += f", on {row.nodes}"
    if row.restarts:
        text += f", requeued {row.restarts} times"
    if row.started is not None and state_of(row.state).state is EngineState.WAITING:
        text += f", expected to start at {time.strftime('%F %T', time.localtime(row.started))}"
    return text
