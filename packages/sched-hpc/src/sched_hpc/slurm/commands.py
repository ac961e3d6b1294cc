"""The command lines of Slurm's tools. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..cluster.places import JobIds
from ..cluster.ranges import join_ranges

__all__ = [
    "SACCT_FIELDS",
    "SQUEUE_FIELDS",
    "cancel_ids",
    "sacct_by_id",
    "sacct_by_name",
    "sbatch",
    "scancel",
    "set_excluded",
    "set_limit",
    "show_config",
    "show_partitions",
    "squeue",
]

SEPARATOR = "\x1f"
"""Between the fields of squeue: no name or comment holds it."""

SQUEUE_FIELDS = (
    "JobArrayID State RestartCnt exit_code StartTime EndTime NodeList Reason Name Comment".split()
)
SACCT_FIELDS = "JobID State ExitCode Start End NodeList MaxRSS JobName".split()

_IDS_A_CALL = 100


def sbatch(
    program: str,
    name: str,
    directory: str,
    options: Sequence[str],
    tasks: int | None = None,
    limit: int | None = None,
    clusters: str | None = None,
) -> list[str]:
    """Return the command that submits the script on its stdin; as an array where `tasks` is given.

    `limit` is how many of them may run at once.
    """
    argv = [program, "--parsable", f"--job-name={name}", f"--comment={name}"]
    argv += _clusters(clusters)
    argv += ["--input=/dev/null", "--output=/dev/null", "--error=/dev/null", "--open-mode=append"]
    if directory:
        argv.append(f"--chdir={directory}")
    if tasks is not None:
        throttle = "" if limit is None or limit >= tasks else f"%{limit}"
        argv.append(f"--array=0-{tasks - 1}{throttle}")
    return [*argv, *options]


def squeue(program: str, uid: int, clusters: str | None, *, ended: bool) -> list[str]:
    """Return the question for all jobs of a user; with `ended`, also for those that have ended."""
    # With its headings: of several clusters, only they tell which one a job is in.
    form = ",".join(f"{field}:{SEPARATOR}" for field in SQUEUE_FIELDS)
    states = ["--states=all"] if ended else []
    return [
        program,
        *_clusters(clusters),
        f"--user={uid}",
        *states,
        f"--Format={form}",
    ]


def sacct_by_id(program: str, ids: JobIds, since: int, clusters: str | None) -> list[str]:
    """Return the question to the accounting for these jobs."""
    jobs = ",".join(word for id_, tasks in ids.items() for word in _single_ids(id_, tasks))
    return [*_sacct(program, since, clusters), f"--jobs={jobs}"]


def sacct_by_name(
    program: str, names: Iterable[str], since: int, clusters: str | None
) -> list[str]:
    """Return the question to the accounting for the jobs of these names."""
    return [*_sacct(program, since, clusters), f"--name={','.join(names)}"]


def _sacct(program: str, since: int, clusters: str | None) -> list[str]:
    # Without a start it shows what has run since midnight. Only steps tell of memory.
    return [
        program,
        *_clusters(clusters),
        "--noheader",
        "--parsable2",
        "--noconvert",
        f"--starttime=now-{max(1, since)}seconds",
        f"--format={','.join(SACCT_FIELDS)}",
    ]


def scancel(program: str, ids: Sequence[str], clusters: str | None) -> list[str]:
    """Return the command that ends jobs, given as `cancel_ids` writes them."""
    return [program, *_clusters(clusters), *ids]


def cancel_ids(ids: JobIds) -> list[list[str]]:
    """Write jobs as scancel takes them, at most a hundred words a call."""
    words = [
        id_ if tasks is None else f"{id_}_[{join_ranges(tasks)}]" for id_, tasks in ids.items()
    ]
    return [words[i : i + _IDS_A_CALL] for i in range(0, len(words), _IDS_A_CALL)]


def set_limit(program: str, array: str, limit: int, cluster: str | None) -> list[str]:
    """Return the command that changes how many tasks of an array may run at once."""
    return [
        program,
        *_clusters(cluster),
        "update",
        f"JobId={array}",
        f"ArrayTaskThrottle={limit}",
    ]


def set_excluded(program: str, array: str, nodes: str, cluster: str | None) -> list[str]:
    """Return the command that keeps the tasks of an array that wait from some nodes."""
    return [program, *_clusters(cluster), "update", f"JobId={array}", f"ExcNodeList={nodes}"]


def show_config(program: str, cluster: str | None = None) -> list[str]:
    """Return the command that tells how the controller is set up."""
    return [program, *_clusters(cluster), "show", "config"]


def show_partitions(program: str, cluster: str | None = None) -> list[str]:
    """Return the command that tells which partitions there are, a line each."""
    return [program, *_clusters(cluster), "--oneliner", "show", "partition"]


def _clusters(clusters: str | None) -> list[str]:
    return [f"--clusters={clusters}"] if clusters else []


def _single_ids(id_: str, tasks: Sequence[int] | None) -> list[str]:
    return [id_] if tasks is None else [f"{id_}_{task}" for task in tasks]
