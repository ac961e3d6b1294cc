"""Settings by layers: the user's, the project's, and of each the profile that was chosen."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from sched_core.errors import NoSuchSchedulerError, OptionError

from .keys import KEYS, OF_ONE_SCHEDULER, OF_THE_SESSION, TABLES, check_value, nearest
from .tomltext import Document

__all__ = [
    "Layer",
    "Setting",
    "Settings",
    "check_scheduler_name",
    "merge_layers",
    "profiles",
    "settings_layers",
]

_PROFILE = "profile"


@dataclass(frozen=True, slots=True)
class Setting:
    """A value, and where it was written."""

    value: Any
    where: str


Layer = Mapping[str, Setting]
"""Settings by their keys. Tables are taken apart: the option `mem` is `options.mem`."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What is in effect, and in words what is not, and why."""

    values: Layer
    notes: Sequence[str] = ()

    def of(self, key: str) -> Any:
        """Return the value of a key, None where there is none."""
        setting = self.values.get(key)
        return setting.value if setting else None

    def table(self, key: str) -> dict[str, Any]:
        """Return what there is of a table."""
        start = f"{key}."
        found = self.values.items()
        return {name.removeprefix(start): s.value for name, s in found if name.startswith(start)}


def settings_layers(
    documents: Sequence[Document], profile: str | None = None, *, of_the_session: bool = False
) -> list[Layer]:
    """Return the layers of these files, the strongest last: their defaults, then the profile's.

    `of_the_session` leaves out of the defaults what a run has recorded of its own. All of every
    file is checked. Raises OptionError.
    """
    everything = [_check_file(document) for document in documents]
    defaults = [layers[""] for layers in everything]
    if of_the_session:
        defaults = [_only(OF_THE_SESSION, layer) for layer in defaults]
    if profile is None:
        return defaults
    chosen = [layers[profile] for layers in everything if profile and profile in layers]
    if not chosen:
        raise OptionError(_no_such_profile(profile, documents))
    return [*defaults, *chosen]


def merge_layers(layers: Iterable[Layer], scheduler: str | None = None) -> Settings:
    """Return what the layers say together, where `scheduler` was asked for.

    Forks and options that were written for another scheduler are left out.
    """
    merged: dict[str, Setting] = {}
    bound: list[tuple[str | None, str, Setting]] = []
    named: str | None = None
    for layer in layers:
        named = layer["scheduler"].value if "scheduler" in layer else named
        for key, setting in layer.items():
            if _is_of(key, OF_ONE_SCHEDULER):
                bound.append((named, key, setting))
            else:
                merged[key] = setting
    used = scheduler or named
    fitting = [(key, setting) for whose, key, setting in bound if whose in (None, used)]
    others = [(whose, key, setting) for whose, key, setting in bound if whose not in (None, used)]
    return Settings(merged | dict(fitting), tuple(_left_out(others, used or "local")))


def profiles(document: Document) -> list[str]:
    """Return the names of the profiles that the file has."""
    table = document.data.get(_PROFILE)
    return list(table) if isinstance(table, dict) else []


def check_scheduler_name(settings: Settings) -> None:
    """Raise NoSuchSchedulerError, with the place, for a scheduler that is not installed."""
    from ..registry import find_scheduler

    if setting := settings.values.get("scheduler"):
        try:
            find_scheduler(setting.value)
        except NoSuchSchedulerError as error:
            raise NoSuchSchedulerError(f"{setting.where}: {error}") from None


def _check_file(document: Document) -> dict[str, Layer]:
    """The defaults of the file under '', and its profiles by their names."""
    data = dict(document.data)
    tables = data.pop(_PROFILE, {})
    if not isinstance(tables, dict):
        raise OptionError(f"{document.where(_PROFILE)}: profile: write a table [profile.NAME]")
    layers = {"": _check_layer(document, data)}
    for name, table in tables.items():
        layers[name] = _check_profile(document, name, table)
    return layers


def _check_profile(document: Document, name: str, table: object) -> Layer:
    if name and isinstance(table, dict):
        return _check_layer(document, table, _PROFILE, name)
    place = document.where(_PROFILE, name)
    if not name:
        raise OptionError(f"{place}: a profile needs a name: [profile.NAME]")
    hint = f"; {name} = ... stands in [profile] and not in [profile.NAME]" if name in KEYS else ""
    raise OptionError(f"{place}: the profile {name!r} is no table [profile.{name}]{hint}")


def _check_layer(document: Document, data: Mapping[str, Any], *table: str) -> Layer:
    layer: dict[str, Setting] = {}
    for key, given in data.items():
        where = partial(document.where, *table, key)
        value = check_value(key, given, where)
        if key not in TABLES:
            layer[key] = Setting(value, where())
            continue
        for name, part in value.items():
            layer[f"{key}.{name}"] = Setting(part, where(name))
    return layer


def _only(keys: Collection[str], layer: Layer) -> Layer:
    return {key: setting for key, setting in layer.items() if _is_of(key, keys)}


def _is_of(key: str, keys: Collection[str]) -> bool:
    return key.partition(".")[0] in keys


def _left_out(others: Iterable[tuple[str | None, str, Setting]], used: str) -> Iterator[str]:
    seen: dict[tuple[str | None, str], str] = {}
    for whose, key, setting in others:
        seen.setdefault((whose, key.partition(".")[0]), setting.where)
    for (whose, key), where in seen.items():
        yield f"{where}: {key} is for {whose}, and left out with {used}"


def _no_such_profile(name: str, documents: Sequence[Document]) -> str:
    known = {profile: document.name for document in documents for profile in profiles(document)}
    if not known:
        files = " or ".join(document.name for document in documents) or "a sched.toml"
        return f"there is no profile {name!r}: write [profile.{name}] into {files}"
    near = nearest(name, known)
    have = ", ".join(f"{profile} ({file})" for profile, file in known.items())
    hint = f"did you mean {near!r}? There are" if near else "there are"
    return f"there is no profile {name!r}; {hint} {have}"
