"""Lists of jobs (`--from`): a shell line a row, or a JSON object a row."""

from __future__ import annotations

import difflib
import json
import os
import re
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

from sched_core.errors import CommandError, SchedError
from sched_core.model.command import (
    Environment,
    check_command,
    check_environment,
    check_name,
    check_paths,
)
from sched_core.model.container import Container
from sched_core.model.resources import Resources
from sched_core.model.units import parse_time

from .jobspec import JobSpec
from .shellline import shell_command

__all__ = ["parse_list"]

_KEYS = ("cmd", "name", "envs", "resources", "timeout", "inputs", "outputs", "container")
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
# What starts an object but hardly ever a line of shell, where `{` wants a space and a command.
_OBJECT = re.compile(r"\{\s*[\"}]")


def parse_list(content: bytes, name: str = "the list") -> list[JobSpec]:
    """Return the jobs of a list; blank rows and rows that start with `#` are skipped.

    Raises CommandError, which names the list and the line, for the first row that is no job.
    """
    _check_text(content, name)
    rows = list(_rows(content))
    if not rows:
        raise CommandError(f"{name} is empty: it needs a shell line or a JSON object a row")
    json_rows = _is_object(rows[0][1])
    return [_parse_row(name, number, row, json_rows) for number, row in rows]


def _check_text(content: bytes, name: str) -> None:
    found = _CONTROL.search(content)
    if not found or (found[0] != b"\0" and _is_utf8(content)):
        return
    line = content.count(b"\n", 0, found.start()) + 1
    raise CommandError(f"{name} is no text: line {line} holds the byte 0x{found[0].hex()}")


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def _rows(content: bytes) -> Iterator[tuple[int, str]]:
    content = content.removeprefix(b"\xef\xbb\xbf")
    for number, line in enumerate(content.split(b"\n"), 1):
        row = os.fsdecode(line.removesuffix(b"\r"))
        if row.strip() and not row.lstrip().startswith("#"):
            yield number, row


def _is_object(row: str) -> bool:
    return bool(_OBJECT.match(row.lstrip()))


def _parse_row(name: str, number: int, row: str, json_rows: bool) -> JobSpec:
    where = f"{name}, line {number}"
    if json_rows != _is_object(row):
        kinds = ("JSON objects", "shell lines")
        have, first = kinds if not json_rows else kinds[::-1]
        raise CommandError(
            f"{where}: the list starts with {first}, and here are {have}: {row[:60]}"
        )
    if not json_rows:
        return JobSpec(shell_command(row))
    try:
        return _parse_object(json.loads(row, parse_constant=_no_constant))
    except json.JSONDecodeError as error:
        raise CommandError(f"{where}: no JSON: {error.msg} at column {error.colno}") from None
    except (SchedError, RecursionError) as error:
        raise CommandError(f"{where}: {error}") from None


def _no_constant(text: str) -> NoReturn:
    raise CommandError(f"{text} is no number of JSON")


def _parse_object(data: dict[str, Any]) -> JobSpec:
    for key in data:
        if key not in _KEYS:
            near = difflib.get_close_matches(key, _KEYS, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(_KEYS)}"
            raise CommandError(f"unknown key {key!r}; {hint}")
    if "cmd" not in data:
        raise CommandError('the key "cmd" is missing')
    return JobSpec(
        cmd=_command(data["cmd"]),
        name=check_name(_of_type(data, "name", str, "a text")),
        envs=_environment(_of_type(data, "envs", dict, "an object")),
        resources=_resources(_of_type(data, "resources", dict, "an object")),
        timeout=_timeout(data.get("timeout")),
        inputs=_paths(data, "inputs"),
        outputs=_paths(data, "outputs"),
        container=_container(data.get("container")),
    )


def _of_type(data: dict[str, Any], key: str, kind: type, words: str) -> Any:
    value = data.get(key)
    if value is not None and not isinstance(value, kind):
        raise CommandError(f"{key!r} must be {words}, not {json.dumps(value)}")
    return value


def _command(value: object) -> list[str]:
    if isinstance(value, str):
        return check_command(value)
    if not isinstance(value, list) or not all(isinstance(part, str) for part in value):
        raise CommandError("'cmd' must be a list of texts, or one text that is split at its spaces")
    return check_command(value)


def _paths(data: dict[str, Any], key: str) -> tuple[str, ...]:
    paths = _of_type(data, key, list, "a list of paths") or ()
    if not all(isinstance(path, str) for path in paths):
        raise CommandError(f"{key!r} must be a list of paths, not {json.dumps(paths)}")
    return check_paths(key, paths)


def _environment(value: dict[str, Any] | None) -> Environment | None:
    for name, text in (value or {}).items():
        if isinstance(text, bool) or not isinstance(text, str | int | float):
            raise CommandError(f"the value of {name} in 'envs' must be a text or a number")
    return check_environment(value) or None


def _resources(value: dict[str, Any] | None) -> Resources | None:
    return None if value is None else Resources.from_value(value)


def _container(value: Any) -> Mapping[str, Any] | str | None:
    Container.from_value(value, Container(image="of the scheduler"))
    checked: Mapping[str, Any] | str | None = value
    return checked


def _timeout(value: Any) -> float | None:
    return None if value is None else parse_time(value, "timeout")
