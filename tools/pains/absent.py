"""Why a pain has no test on a backend: each empty cell of the table needs a reason."""

from __future__ import annotations

from collections.abc import Mapping

from .places import BACKENDS

__all__ = ["reason_for", "reasons"]

ABSENT: Mapping[int, Mapping[str, str]] = {
    1: {},
    2: {},
    3: {
        "Nobody is asked: a job is a process of the driver's own machine, whose end the kernel tells.": "local container",
    },
    4: {
        "A job is started by the driver itself: there is no answer that could be lost.": "local container",
    },
    5: {},
    6: {},
    7: {
        "Nothing waits but in the driver's own queue.": "local ssh container",
    },
    8: {
        "Records are read where they were written, by the machine that ran the job.": "local ssh container",
    },
    9: {
        "There is no accounting.": "local ssh container gbatch",
    },
    10: {},
    11: {
        "There is no other machine, and nothing that preempts.": "local",
    },
    12: {
        "There is no engine that would name states.": "core local ssh container",
    },
    13: {},
    14: {},
    15: {},
    16: {
        "A submission prints nothing: it is a process, a message or a call of a library.": "core local ssh container gbatch",
    },
    17: {
        "It has neither arrays nor a queue with limits of its own.": "local ssh container",
        "Its arrays are Batch jobs of many tasks: T34.": "gbatch",
    },
    18: {},
    19: {},
    20: {},
    21: {
        "Its jobs have no names but their own, which no engine sees.": "local ssh",
    },
    22: {},
    23: {},
    24: {},
    25: {},
    26: {
        "What is inside a container is the engines' matter: its backends show it.": "core",
    },
    27: {
        "Its recorders are processes of this machine, told apart as the local scheduler's are.": "container",
        "Ids follow from the run and the submission and are never given again; there are no processes of this machine.": "gbatch",
    },
    28: {},
    29: {
        "It has no engine of its own that would open anything: its backends show it.": "core",
    },
    30: {
        "It keeps no connection.": "core local slurm sge container",
        "Its calls are short, each by itself; that they fail is T33.": "gbatch",
    },
    31: {
        "There is no connection on which jobs would hang.": "core local slurm sge container gbatch",
    },
    32: {
        "Its codes and Spot VMs are Google Batch's own.": "core local slurm sge ssh container",
    },
    33: {
        "Quotas of VMs and calls of an API are Google Batch's own; other engines' limits are T18.": "core local slurm sge ssh container",
    },
    34: {
        "One Batch job of many tasks and pages of them are Google Batch's own; arrays are T17.": "core local slurm sge ssh container",
    },
    35: {
        "No service keeps its logs: they are files.": "core local slurm sge ssh container",
    },
    36: {
        "Its files are on a disk, not in a bucket; late ones are T08.": "local slurm sge ssh container",
    },
    37: {
        "It sets no limit of memory: what this machine's kernel ends is a command that ended by KILL.": "local",
    },
    38: {},
    39: {
        "The recorder stays outside of the container: it is the local scheduler's.": "container",
    },
    40: {
        "The journal is the core's; other than a disk, only a bucket has an implementation of its own.": "slurm sge ssh container",
    },
    41: {},
    42: {},
    43: {},
    44: {},
    45: {},
    46: {},
    47: {"Only Slurm has steps.": "core local sge ssh container gbatch"},
    48: {},
    49: {
        "There is one host.": "local container",
        "Batch gives each task a VM of its own choice; one that fails is not given again.": "gbatch",
    },
    50: {},
    51: {
        "It reads nothing that a tool prints but ids and words for people.": "core local container gbatch",
    },
    52: {"Only Grid Engine has this accounting.": "core local slurm ssh container gbatch"},
    53: {},
    54: {},
}
"""By the pain's number: a reason, and the backends for which it holds (`"core local ssh"`)."""


def reason_for(pain: int, backend: str) -> str | None:
    """Return why the pain has no test on this backend, if it is to have none."""
    found = (why for why, backends in ABSENT[pain].items() if backend in backends.split())
    return next(found, None)


def reasons() -> list[str]:
    """Return all reasons, each once, in the order in which the table has them."""
    named = [reason_for(pain, backend) for pain in ABSENT for backend in BACKENDS]
    return list(dict.fromkeys(why for why in named if why is not None))
