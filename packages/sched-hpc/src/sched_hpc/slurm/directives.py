"""What sbatch takes (https://slurm.schedmd.com/sbatch.html), and what `Resources` become."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from sched_core import Resources

from ..cluster.directives import expand

__all__ = ["RESERVED", "SBATCH_OPTIONS", "excluded", "leave_out", "sbatch_options"]

_LONG = """
account acctg_freq array batch bb bbf begin chdir cluster_constraint clusters comment consolidate_segments
constraint container container_id contiguous core_spec cores_per_socket cpu_freq cpus_per_gpu
cpus_per_task deadline delay_boot dependency distribution error exclude exclusive export export_file
extra extra_node_info get_user_env gid gpu_bind gpu_freq gpus gpus_per_node gpus_per_socket
gpus_per_task gres gres_flags hint hold ignore_pbs input job_name kill_on_invalid_dep licenses
mail_type mail_user mcs_label mem mem_bind mem_per_cpu mem_per_gpu mincpus network nice no_kill
no_requeue nodefile nodelist nodes ntasks ntasks_per_core ntasks_per_gpu ntasks_per_node
ntasks_per_socket oom_kill_step open_mode output overcommit oversubscribe parsable partition power
prefer priority profile propagate qos quiet reboot requeue reservation resv_ports segment signal
sockets_per_node spread_job spread_segments stepmgr switches test_only thread_spec threads_per_core
time time_min tmp tres_bind tres_per_task uid use_min_nodes verbose wait wait_all_nodes wckey wrap
"""
_SHORT = {
    "A": "account", "B": "extra_node_info", "C": "constraint", "F": "nodefile", "G": "gpus",
    "H": "hold", "L": "licenses", "N": "nodes", "O": "overcommit", "S": "core_spec",
    "a": "array", "b": "begin", "c": "cpus_per_task", "d": "dependency", "D": "chdir",
    "e": "error", "i": "input", "J": "job_name", "k": "no_kill", "M": "clusters",
    "m": "distribution", "n": "ntasks", "o": "output", "p": "partition", "q": "qos",
    "Q": "quiet", "s": "oversubscribe", "t": "time", "v": "verbose", "W": "wait",
    "w": "nodelist", "x": "exclude",
}  # fmt: skip

SBATCH_OPTIONS: Mapping[str, str] = {name: name for name in _LONG.split()} | _SHORT
"""Every option of sbatch, also those of releases to come after the oldest, under its long name."""

RESERVED: Mapping[str, str] = {
    "array": "jobs become arrays by themselves",
    "chdir": "use cwd",
    "error": "a job's own is job.stderr in its folder",
    "input": "jobs read nothing",
    "job_name": "use jobname_prefix",
    "output": "a job's own is job.stdout in its folder",
    "parsable": "leave it out",
    "quiet": "leave it out",
    "test_only": "use sched doctor slurm",
    "verbose": "leave it out",
    "wait": "the runner waits",
    "wrap": "feed commands",
}

_EXCLUDE = "--exclude="
_INSTEAD = {
    "cpus": {"cpus_per_task", "cpus_per_gpu"},
    "memory": {"mem", "mem_per_cpu", "mem_per_gpu"},
    "time": {"time"},
    "gpus": {"gpus", "gpus_per_node", "gpus_per_socket", "gpus_per_task", "gres", "tres_per_task"},
    "disk": {"tmp"},
}
"""The options any of which stands in place of a resource."""

_MIB = 1 << 20


def sbatch_options(
    native: Mapping[str, Any], resources: Resources, time_limit: float | None, grace: float
) -> tuple[str, ...]:
    """Return the options of a submission; native ones win over resources and the time limit.

    Slurm's own limit comes after the wrapper's, which records what it ends: it counts minutes.
    """
    wanted = {
        "cpus": ("cpus_per_task", _whole(resources.cpus)),
        "memory": ("mem", _in_mib(resources.memory)),
        "time": ("time", None if time_limit is None else math.ceil((time_limit + grace) / 60)),
        "gpus": ("gpus", resources.gpus or None),
        "disk": ("tmp", _in_mib(resources.disk)),
    }
    portable = {
        option: value
        for what, (option, value) in wanted.items()
        if value is not None and not _INSTEAD[what] & native.keys()
    }
    return tuple(_written(*option) for option in expand({**portable, **native}))


def leave_out(options: Sequence[str], bad: Sequence[str]) -> tuple[str, ...]:
    """Return the options with these nodes left out, unless the user has named those to be used."""
    if not bad or any(option.startswith(("--nodelist=", "--nodefile=")) for option in options):
        return tuple(options)
    others = [option for option in options if not option.startswith(_EXCLUDE)]
    named = ",".join(filter(None, [excluded(options), *bad]))
    return (*others, _EXCLUDE + named)


def excluded(options: Sequence[str]) -> str:
    """Return the nodes that these options leave out, as Slurm writes them."""
    return ",".join(one.removeprefix(_EXCLUDE) for one in options if one.startswith(_EXCLUDE))


def _written(name: str, value: str | None) -> str:
    option = "--" + name.replace("_", "-")
    return option if value is None else f"{option}={value}"


def _whole(number: float | None) -> int | None:
    return None if number is None else math.ceil(number)


def _in_mib(size: int | None) -> str | None:
    return None if size is None else f"{-(-size // _MIB)}M"
