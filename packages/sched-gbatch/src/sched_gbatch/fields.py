"""The fields of a Batch job that a user may give by keyword, and those that the scheduler sets.

See https://cloud.google.com/batch/docs/reference/rest/v1/projects.locations.jobs. The service's own
library, which knows every field, is loaded when the run opens: what lies deeper is checked there.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Collection, Mapping
from typing import Any

from sched_core import OptionError

__all__ = ["JOB_FIELDS", "merge", "take_fields"]

JOB_FIELDS = frozenset(
    "taskGroups allocationPolicy labels logsPolicy priority notifications".split()
)
_OUTPUT = frozenset("name uid status createTime updateTime".split())
_RESERVED = {
    "taskCount": "it is the number of jobs",
    "taskEnvironments": "give each job its own envs",
    "taskCountPerNode": "",
    "parallelism": "use forks",
    "schedulingPolicy": "",
    "runnables": "use the option runnables, with an order",
}
_BY_POSITION = frozenset("taskGroups instances networkInterfaces".split())
"""Lists whose elements are merged one by one, by where they stand."""
_JOINED = frozenset(["volumes"])


def take_fields(options: Mapping[str, Any], others: Collection[str]) -> dict[str, Any]:
    """Return the fields of a job, under the names of the REST API. Raises OptionError.

    `others` are the scheduler's own options, for hints.
    """
    fields: dict[str, Any] = {}
    for given, value in options.items():
        name = _camel(given)
        if name in _OUTPUT:
            raise OptionError(f"the scheduler gbatch sets {name} itself: leave it out")
        if name not in JOB_FIELDS:
            raise OptionError(f"the scheduler gbatch has no option {given}; {_hint(given, others)}")
        if name in fields:
            raise OptionError(f"the option {name} is given twice")
        fields[name] = _plain(name, value)
    _check_groups(fields.get("taskGroups"))
    return fields


def merge(ours: Any, theirs: Any, name: str = "") -> Any:
    """Return what a job's definition becomes with the user's own fields, which win."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        merged = {
            key: merge(value, theirs[key], key) for key, value in ours.items() if key in theirs
        }
        return ours | theirs | merged
    if isinstance(ours, list) and isinstance(theirs, list) and name in _JOINED:
        return [*ours, *theirs]
    if isinstance(ours, list) and isinstance(theirs, list) and name in _BY_POSITION:
        pairs = [merge(a, b) for a, b in zip(ours, theirs, strict=False)]
        return [*pairs, *ours[len(pairs) :], *theirs[len(pairs) :]]
    return theirs


def _camel(name: str) -> str:
    return re.sub(r"_([a-z])", lambda found: found[1].upper(), name)


def _hint(given: str, others: Collection[str]) -> str:
    near = difflib.get_close_matches(given, [*others, *JOB_FIELDS], n=1)
    if near:
        return f"did you mean {near[0]}?"
    return f"the fields of a Batch job are {', '.join(sorted(JOB_FIELDS))}"


def _plain(name: str, value: Any) -> Any:
    """Return a value as JSON has it, with its keys in the spelling of the REST API."""
    try:
        return _spelled(json.loads(json.dumps(value)), keep=name == "labels")
    except (TypeError, ValueError) as error:
        raise OptionError(f"{name}: it must be what JSON can say: {error}") from None


def _spelled(value: Any, *, keep: bool) -> Any:
    if isinstance(value, list):
        return [_spelled(one, keep=keep) for one in value]
    if not isinstance(value, dict):
        return value
    # The names of labels and variables are the user's own.
    free = {"labels", "variables", "secretVariables", "environments"}
    return {
        key if keep else _camel(key): _spelled(one, keep=keep or _camel(key) in free)
        for key, one in value.items()
    }


def _check_groups(groups: Any) -> None:
    if groups is None:
        return
    if not isinstance(groups, list) or len(groups) != 1 or not isinstance(groups[0], dict):
        raise OptionError("taskGroups: Batch takes a list of exactly one group")
    group = groups[0]
    spec = group.get("taskSpec") or {}
    if not isinstance(spec, dict):
        raise OptionError("taskGroups: taskSpec is no mapping")
    for name, instead in _RESERVED.items():
        if name in group or name in spec:
            raise OptionError(
                f"taskGroups: the scheduler gbatch sets {name} itself"
                + (instead and f"; {instead}")
            )
