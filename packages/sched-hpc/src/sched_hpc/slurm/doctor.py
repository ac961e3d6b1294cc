"""What `sched doctor slurm` looks at."""

from __future__ import annotations

import shutil
from collections.abc import Awaitable, Callable, Mapping, Sequence

from sched_core import EngineUnavailable

from ..cluster.tool import Answer
from .commands import show_config, show_partitions
from .parsers import Config, parse_config

__all__ = ["check_slurm"]

Finding = tuple[str, bool | None, str]
Ask = Callable[[Sequence[str]], Awaitable[Answer]]


async def check_slurm(tools: Mapping[str, str], ask: Ask, cluster: str | None) -> Sequence[Finding]:
    """Return name, verdict (None: a warning) and detail of each check."""
    findings = [_tool(name, program) for name, program in tools.items()]
    if shutil.which(tools["scontrol"]) is None:
        return findings
    try:
        config = parse_config((await ask(show_config(tools["scontrol"], cluster))).stdout)
        partitions = (await ask(show_partitions(tools["scontrol"], cluster))).stdout
    except (EngineUnavailable, ValueError) as error:
        return [*findings, ("controller", False, f"{error}; is SLURM_CONF right?")]
    answers = ("controller", True, f"answers, Slurm {config.version}")
    return [*findings, answers, *_settings(config), _partitions(partitions)]


def _tool(name: str, program: str) -> Finding:
    path = shutil.which(program)
    if path is not None:
        return name, True, path
    needed = name != "sacct"
    return name, False if needed else None, f"{program} is not to be found: name it with {name}="


def _settings(config: Config) -> list[Finding]:
    kept = f"a job that has ended is listed for {config.min_job_age} s"
    ends = f"one that is killed has {config.kill_wait} s to end"
    limits = ("limits", True, f"{kept}, {ends}")
    return [_accounting(config), _arrays(config), limits, _memory(config)]


def _memory(config: Config) -> Finding:
    if config.limits_memory:
        return "memory", True, "a job that takes more than it asked for is ended"
    detail = (
        "a job that takes more than it asked for is not ended (TaskPlugin without task/cgroup, or "
        "ConstrainRAMSpace=no): none is OUT_OF_MEMORY, to be tried again with more"
    )
    return "memory", None, detail


def _accounting(config: Config) -> Finding:
    if config.accounting and not config.samples_usage:
        detail = "on, but what jobs use is not gathered (JobAcctGatherType): max_rss stays unknown"
        return "accounting", None, detail
    if config.accounting:
        return "accounting", True, "on"
    detail = (
        "off: what became of a job that left no record is only known for "
        f"{config.min_job_age} s after its end"
    )
    return "accounting", None, detail


def _arrays(config: Config) -> Finding:
    if config.max_array_size < 2:
        return "arrays", None, "off (MaxArraySize): each job is a submission of its own"
    return "arrays", True, f"of up to {config.max_array_size} tasks"


def _partitions(text: str) -> Finding:
    names = []
    for line in text.splitlines():
        words = dict(word.partition("=")[::2] for word in line.split() if "=" in word)
        if "PartitionName" in words:
            default = "*" if words.get("Default") == "YES" else ""
            state = "" if words.get("State", "UP") == "UP" else f" ({words['State']})"
            limit = words.get("MaxTime", "UNLIMITED")
            names.append(f"{words['PartitionName']}{default}{state} up to {limit}")
    return "partitions", bool(names), ", ".join(names) or "there are none"
