"""What qsub takes (see qsub(1)), and what `Resources` become."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from sched_core import OptionError, Resources

from ..cluster.directives import expand

__all__ = ["QSUB_OPTIONS", "RESERVED", "has_soft_limit", "leave_out", "qsub_options", "requests"]

_NAMES = """
A M P R S V a ac ar binding ckpt clear c dc display dul cwd e h hard he hold_jid hold_jid_ad i j
jc js jsv l m mask masterl masterq mbind mods N notify now o ot p par pe q r rou rdi sc scope shell
si soft sync t tc tcon terse umask v verify w wd xd xdv b C dl mc
"""

QSUB_OPTIONS: Mapping[str, str] = {name: name for name in _NAMES.split()}
"""Every option of qsub, also those of other descendants of Grid Engine."""

RESERVED: Mapping[str, str] = {
    "C": "leave it out",
    "N": "use jobname_prefix",
    "S": "it is JOBCMD_WRAPPER_LANG",
    "b": "feed commands",
    "cwd": "use cwd",
    "e": "a job's own is job.stderr in its folder",
    "i": "jobs read nothing",
    "j": "a job's own are job.stdout and job.stderr in its folder",
    "now": "the runner waits",
    "o": "a job's own is job.stdout in its folder",
    "shell": "feed commands",
    "sync": "the runner waits",
    "t": "jobs become arrays by themselves",
    "tc": "use forks",
    "terse": "leave it out",
    "verify": "use sched doctor sge",
    "wd": "use cwd",
}

_YES_OR_NO = frozenset({"R", "he", "r", "rou"})
_MEMORY = frozenset(
    "h_vmem s_vmem h_rss s_rss h_data mem_free mf virtual_free vf mem_total".split()
)
_TIME = frozenset({"h_rt", "s_rt"})
_HOST = frozenset({"h", "host", "hostname"})
_QUEUES = frozenset({"-q", "-masterq"})
_FIRST = frozenset({"clear"})
"""It undoes what stands before it."""
_MIB = 1 << 20
_SPARE = 15
"""Seconds from the wrapper's own limit, which is recorded, to that of Grid Engine."""

_USUAL: Mapping[str, Any] = {"notify": True, "w": "e"}
"""The environment goes along; an end is announced; what no host could ever run is refused."""


def qsub_options(
    native: Mapping[str, Any],
    resources: Resources,
    time_limit: float | None,
    grace: float,
    environment: str | None,
) -> tuple[str, ...]:
    """Return the options of a submission; native ones win over resources and the time limit.

    `environment` is the parallel environment for jobs on several cores of one host, where there is
    one. Raises OptionError for what Grid Engine cannot promise.
    """
    asked = _requests(native)
    slots, native = _slots(native, resources, environment)
    limits = dict(_limits(asked, resources, slots))
    if time_limit is not None and not _TIME & asked:
        limits["h_rt"] = str(math.ceil(time_limit + grace) + _SPARE)
    usual = {name: value for name, value in _USUAL.items() if name not in native}
    # What is portable comes before the user's own: after -soft it would be no more than a wish.
    portable = {"l": ",".join(f"{name}={value}" for name, value in limits.items())}
    first = {name: native[name] for name in _FIRST & native.keys()}
    rest = {name: value for name, value in native.items() if name not in _FIRST}
    parts = (first, usual, portable if limits else {}, rest)
    return tuple(word for part in parts for word in _written(part))


def leave_out(options: Sequence[str], bad: Sequence[str]) -> tuple[str, ...]:
    """Return the options with these hosts left out, unless the user has named those to be used."""
    if not bad or "-soft" in options or _names_hosts(options):
        return tuple(options)
    first = 1 if options[:1] == ("-clear",) else 0
    return (*options[:first], "-l", f"hostname=!({'|'.join(bad)})", *options[first:])


def _names_hosts(options: Sequence[str]) -> bool:
    asked = {pair.partition("=")[0].strip() for pair in requests(options).split(",")}
    queues = [value for name, value in pairwise(options) if name in _QUEUES]
    return bool(asked & _HOST) or any("@" in queue for queue in queues)


def requests(options: Sequence[str]) -> str:
    """Return all that the options ask for by -l, as one list."""
    return ",".join(value for name, value in pairwise(options) if name == "-l")


def has_soft_limit(native: Mapping[str, Any]) -> bool:
    """Tell whether the user wants to hear of limits by USR1."""
    return "notify" in native or any(name.startswith("s_") for name in _requests(native))


def _written(options: Mapping[str, Any]) -> Iterator[str]:
    for name, value in options.items():
        if name in _YES_OR_NO and isinstance(value, bool):
            yield from (f"-{name}", "y" if value else "n")
            continue
        for _, one in expand({name: value}):
            yield f"-{name}"
            if one is not None:
                yield from one.split() if name == "pe" else [one]


def _requests(native: Mapping[str, Any]) -> set[str]:
    """Return the names of the resources that -l asks for."""
    values = native.get("l")
    lists = values if isinstance(values, list) else [values]
    return {
        pair.partition("=")[0].strip()
        for one in lists
        if isinstance(one, str)
        for pair in one.split(",")
    }


def _slots(
    native: Mapping[str, Any], resources: Resources, environment: str | None
) -> tuple[int, Mapping[str, Any]]:
    """Return how many slots there will be, and the options with `pe` in full."""
    cpus = math.ceil(resources.cpus) if resources.cpus is not None else 1
    words = str(native.get("pe") or "").split()
    if len(words) > 1:
        return _leading_number(words[1]), native
    name = words[0] if words else environment
    if words or cpus > 1:
        if name is None:
            raise OptionError(
                "Grid Engine gives several cores in parallel environments only, and the site has "
                'none for one host that is known here: name one with pe="NAME"'
            )
        return cpus, {**native, "pe": f"{name} {cpus}"}
    return 1, native


def _leading_number(text: str) -> int:
    number = text.partition("-")[0]
    return max(1, int(number)) if number.isdecimal() else 1


def _limits(asked: Iterable[str], resources: Resources, slots: int) -> Iterator[tuple[str, str]]:
    asked = set(asked)
    if resources.memory is not None and not _MEMORY & asked:
        # It is counted for each slot.
        yield "h_vmem", f"{-(-resources.memory // (slots * _MIB))}M"
    if resources.gpus and not any("gpu" in name or "cuda" in name for name in asked):
        raise OptionError(
            'Grid Engine has no word of its own for gpus: ask in the site\'s, such as l="gpu=1"'
        )
    if resources.disk is not None and not any(_about_disk(name) for name in asked):
        raise OptionError(
            'Grid Engine has no word of its own for disk: ask in the site\'s, such as l="scratch=9G"'
        )


def _about_disk(name: str) -> bool:
    return any(part in name for part in ("disk", "scratch", "tmp", "fsize", "ssd"))
