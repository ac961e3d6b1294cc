"""The settings that are in effect here: files read, and put beside what was typed."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from sched_core.errors import OptionError

from .files import FoundFile, find_files
from .layers import Settings, check_scheduler_name, merge_layers, settings_layers
from .tomltext import Document, parse_document

__all__ = ["documents_in_effect", "fill_in", "located", "read_settings"]


def documents_in_effect() -> list[Document]:
    """Return the files of settings that are in effect here, the user's before the project's.

    Raises OptionError for one that is no TOML.
    """
    return _documents(find_files())


def _documents(files: Iterable[FoundFile]) -> list[Document]:
    return [parse_document(f.content, str(f)) for f in files if f.content is not None]


def read_settings(
    profile: str | None = None, scheduler: str | None = None, *, of_the_session: bool = False
) -> Settings:
    """Return what the files say for a run on `scheduler` (None: the one that they name).

    `of_the_session` is for a run that has options of its own. Raises OptionError, and
    NoSuchSchedulerError where the files name a scheduler that is not installed.
    """
    found = find_files()
    layers = settings_layers(_documents(found), profile, of_the_session=of_the_session)
    settings = merge_layers(layers, scheduler)
    if scheduler is None:
        check_scheduler_name(settings)
    warnings = [f"warning: {file.distrust}" for file in found if file.distrust]
    return Settings(settings.values, (*warnings, *settings.notes))


def fill_in(
    values: Mapping[str, Any], typed: Collection[str], settings: Settings
) -> dict[str, Any]:
    """Return the options of a command, by their names in Python, with the settings in effect.

    What was typed wins; `options` and `env` are merged key by key.
    """
    filled = dict(values)
    for key, setting in settings.values.items():
        name = key.replace("-", "_")
        if name in values and name not in typed:
            filled[name] = setting.value
    if "on_error" in typed and values["on_error"] != "retry" and "retries" not in typed:
        filled["retries"] = values.get("retries")
    for table in ("options", "env"):
        if table in values:
            filled[table] = (*_pairs(settings.table(table), values[table]), *values[table])
    return filled


def _pairs(table: Mapping[str, Any], typed: Collection[str]) -> list[str]:
    """What the table says of keys that were not typed, as the command line would have it."""
    keys = {pair.partition("=")[0].strip().replace("-", "_") for pair in typed}
    return [
        f"{name}={text}"
        for name, texts in table.items()
        if name.replace("-", "_") not in keys
        for text in ([texts] if isinstance(texts, str) else texts)
    ]


def located(error: OptionError, settings: Settings, typed: Collection[str]) -> OptionError:
    """Return the error with the place of a setting that it speaks of, if there is one."""
    message = str(error)
    for key, setting in settings.values.items():
        name = key.partition(".")[2] or key
        if key.replace("-", "_") not in typed and _speaks_of(message, name):
            return OptionError(f"{message} ({name}: {setting.where})")
    return error


def _speaks_of(message: str, name: str) -> bool:
    return bool(re.search(rf"(?:\A|\bno option |-o |asks for ){re.escape(name)}\b", message))
