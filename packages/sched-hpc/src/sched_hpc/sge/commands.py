"""The command lines of Grid Engine's tools. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from ..cluster.places import JobIds
from ..cluster.ranges import join_ranges

__all__ = [
    "delete_ids",
    "qacct",
    "qdel",
    "qstat",
    "qstat_reasons",
    "qsub",
    "set_limit",
    "set_requests",
    "show_config",
    "show_environment",
    "show_environments",
    "show_queues",
    "version",
]

_IDS_A_CALL = 100


def qsub(
    program: str,
    name: str,
    shell: str,
    options: Sequence[str],
    tasks: int | None = None,
    limit: int | None = None,
) -> list[str]:
    """Return the command that submits the script on its stdin; as an array where `tasks` is given.

    `limit` is how many of them may run at once. No line of the script is taken for an option.
    """
    argv = [program, "-terse", "-C", "", "-N", name, "-S", shell, "-wd", "/"]
    argv += ["-i", "/dev/null", "-o", "/dev/null", "-e", "/dev/null", "-j", "n"]
    if tasks is not None:
        argv += ["-t", f"1-{tasks}"]
        # Without a limit it takes 0, and says nothing of -tc for a task alone.
        argv += [] if limit is None or limit >= tasks else ["-tc", str(limit)]
    return [*argv, *options]


def qstat(program: str, user: str) -> list[str]:
    """Return the question for all jobs of a user: their names in full, states and tasks."""
    return [program, "-xml", "-u", user]


def qstat_reasons(program: str, ids: Sequence[str]) -> list[str]:
    """Return the question why these jobs, given by their arrays' ids, wait or have failed."""
    return [program, "-j", ",".join(ids)]


def qacct(program: str, job: str) -> list[str]:
    """Return the question to the accounting for a job's id, or a name."""
    return [program, "-j", job]


def qdel(program: str, words: Sequence[str]) -> list[str]:
    """Return the command that ends jobs, given as `delete_ids` writes them."""
    return [program, *words]


def delete_ids(ids: JobIds) -> list[list[str]]:
    """Write jobs as qdel takes them, at most a hundred words a call."""
    words = []
    for id_, tasks in ids.items():
        if tasks is None:
            words.append(id_)
        else:
            words += [f"{id_}.{span}" for span in join_ranges(tasks).split(",")]
    return [words[i : i + _IDS_A_CALL] for i in range(0, len(words), _IDS_A_CALL)]


def set_limit(program: str, array: str, limit: int) -> list[str]:
    """Return the command that changes how many tasks of an array may run at once."""
    return [program, "-tc", str(limit), array]


def set_requests(program: str, array: str, requests: str) -> list[str]:
    """Return the command that changes what the tasks of an array that wait ask for."""
    return [program, "-l", requests, array]


def show_config(program: str) -> list[str]:
    """Return the command that tells how the cell is set up."""
    return [program, "-sconf"]


def show_environments(program: str) -> list[str]:
    """Return the command that lists the parallel environments."""
    return [program, "-spl"]


def show_environment(program: str, name: str) -> list[str]:
    """Return the command that tells of one parallel environment."""
    return [program, "-sp", name]


def show_queues(program: str) -> list[str]:
    """Return the command that tells how full each queue is."""
    return [program, "-g", "c"]


def version(program: str) -> list[str]:
    """Return the command whose first line is the version."""
    return [program, "-help"]
