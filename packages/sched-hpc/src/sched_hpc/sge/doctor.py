"""What `sched doctor sge` looks at."""

from __future__ import annotations

import os
import shutil
from collections.abc import Awaitable, Callable, Mapping, Sequence

from sched_core import EngineUnavailable

from ..cluster.tool import Answer
from .cell import Config, parse_config
from .commands import show_config, show_environments, show_queues, version

__all__ = ["check_sge"]

Finding = tuple[str, bool | None, str]
Ask = Callable[[Sequence[str]], Awaitable[Answer]]


async def check_sge(
    named: Mapping[str, str], tools: Mapping[str, str], where: Mapping[str, str], ask: Ask
) -> Sequence[Finding]:
    """Return name, verdict (None: a warning) and detail of each check.

    `named` are the tools as the user calls them, `tools` what is run for them, in the cell that
    `where` tells.
    """
    findings = [_tool(name, program, tools[name]) for name, program in named.items()]
    if not all(shutil.which(tools[name]) for name in ("qstat", "qconf")):
        return findings
    try:
        words = (await ask(version(tools["qstat"]))).stdout.split("\n")[0].strip()
        config = parse_config((await ask(show_config(tools["qconf"]))).stdout)
        queues = (await ask(show_queues(tools["qstat"]))).stdout
    except (EngineUnavailable, ValueError) as error:
        return [*findings, ("qmaster", False, f"{error}; are SGE_ROOT and SGE_CELL right?")]
    answers = ("qmaster", True, f"answers, {words}")
    found = [answers, _accounting(config, where), _arrays(config), _limits(config)]
    return [*findings, *found, _queues(queues), await _environments(tools["qconf"], ask)]


def _tool(name: str, program: str, real: str) -> Finding:
    path = shutil.which(real)
    if path is None:
        needed = name not in ("qacct", "qalter")
        return (
            name,
            False if needed else None,
            f"{program} is not to be found: name it with {name}=",
        )
    before = shutil.which(program)
    instead = f" (instead of the slower {before})" if before != path else ""
    return name, True, path + instead


def _accounting(config: Config, where: Mapping[str, str]) -> Finding:
    lost = "what became of a job that left no record is not known"
    if not config.accounting:
        return "accounting", None, f"off (reporting_params): {lost}"
    cell = where.get("SGE_CELL") or "default"
    path = os.path.join(where.get("SGE_ROOT", ""), cell, "common", "accounting")
    if os.path.exists(path) and not os.access(path, os.R_OK):
        return "accounting", None, f"{path} cannot be read: {lost}"
    late = f", up to {config.flush_time} s late" if config.flush_time else ""
    return "accounting", True, f"{path}{late}"


def _arrays(config: Config) -> Finding:
    size = config.largest_array
    if size is None:
        return "arrays", True, "of any size"
    if size < 2:
        return "arrays", None, "off (max_aj_tasks): each job is a submission of its own"
    return "arrays", True, f"of up to {size} tasks"


def _limits(config: Config) -> Finding:
    limits = {"a user": config.max_jobs_of_user, "all": config.max_jobs}
    words = [f"{number} jobs of {whose}" for whose, number in limits.items() if number]
    return "limits", True, ", ".join(words) or "none on the number of jobs"


def _queues(text: str) -> Finding:
    names = []
    for line in text.splitlines():
        words = line.split()
        # name, load, used, reserved, available, total, not usable for now, not usable
        if len(words) == 8 and words[2].isdecimal():
            names.append(f"{words[0]} ({words[4]} of {words[5]} places free)")
    return "queues", bool(names), ", ".join(names) or "there are none"


async def _environments(qconf: str, ask: Ask) -> Finding:
    name = "parallel environments"
    try:
        names = (await ask(show_environments(qconf))).stdout.split()
    except EngineUnavailable:
        names = []  # with rc 1 where there is none
    if not names:
        return name, None, "there are none: a job has one core"
    return name, True, ", ".join(names)
