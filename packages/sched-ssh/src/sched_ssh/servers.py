"""The hosts that a user names. Pure."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from sched_core import CommandError, OptionError
from sched_core.model.command import check_environment
from sched_core.model.secret import Secret
from sched_core.scheduler.options import check_count

__all__ = ["Server", "check_variables", "parse_servers"]


@dataclass(frozen=True, slots=True)
class Server:
    """One host to run jobs on; what is None is left to the user's ssh configuration, or found out."""

    name: str
    host: str
    user: str | None = None
    port: int | None = None
    keyfile: str | None = None
    slots: int | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    workdir: str | None = None
    withheld: tuple[str, ...] = ()
    """The variables of `env` where only their names are known: a run's folder holds no values."""

    def to_json(self) -> dict[str, Any]:
        """Return the options of which the server can be made again, but for values of variables."""
        given = {name: getattr(self, name) for name in _OPTIONS}
        given["env"] = sorted(self.env) or list(self.withheld)
        return {key: value for key, value in given.items() if value}

    def in_words(self) -> str:
        """Return what is known of the server, for a person; of its variables, only how many."""
        user = f"{self.user}@" if self.user else ""
        port = f":{self.port}" if self.port else ""
        address = f"{user}{self.host}{port}"
        facts = [] if address == self.name else [address]
        if self.slots:
            facts.append(f"{self.slots} at a time")
        facts += [f"keyfile {self.keyfile}"] if self.keyfile else []
        facts += [f"workdir {self.workdir}"] if self.workdir else []
        if count := len(self.env):
            facts.append(f"{count} variable{'s' if count > 1 else ''}, told to the host alone")
        return f"{self.name}: {', '.join(facts)}" if facts else self.name


_OPTIONS = tuple(f.name for f in fields(Server) if f.name not in ("name", "withheld"))


def parse_servers(value: object) -> dict[str, Server]:
    """Return the servers by name, of a list of names or a mapping of names to options.

    Raises OptionError.
    """
    if isinstance(value, str):
        value = [name.strip() for name in value.split(",")]
    if isinstance(value, Mapping):
        named = {str(name): _server(str(name), options) for name, options in value.items()}
    elif isinstance(value, Iterable):
        named = {str(name): _server(str(name), None) for name in value}
    else:
        raise OptionError(
            f"servers {value!r}: give a list of hosts, or a mapping of names to options"
        )
    if not named:
        raise OptionError(
            'no servers: name the hosts to run jobs on, as in servers=["node1", "node2"]'
        )
    return named


def _server(name: str, options: object) -> Server:
    if not name or name != name.strip() or any(c.isspace() or c == "\0" for c in name):
        raise OptionError(f"{name!r} is no name of a host")
    if options is None:
        options = {}
    if not isinstance(options, Mapping):
        raise OptionError(f"the server {name}: give a mapping of {', '.join(_OPTIONS)}")
    for option in options:
        if option not in _OPTIONS:
            near = difflib.get_close_matches(str(option), _OPTIONS, 1)
            hint = f"did you mean {near[0]}?" if near else f"it takes {', '.join(_OPTIONS)}"
            raise OptionError(f"the server {name} has no option {option}; {hint}")
    given: dict[str, Any] = {key: value for key, value in options.items() if value is not None}
    _check_values(name, given)
    env = given.get("env")
    if isinstance(env, list):
        given["withheld"], env = tuple(map(str, env)), None
    given["env"] = _environment(name, env)
    given["host"] = str(given.get("host", name))
    return Server(name, **given)


def _check_values(name: str, given: dict[str, Any]) -> None:
    for option in ("slots", "port"):
        if option in given:
            given[option] = check_count(f"{option} of the server {name}", given[option], 1)
    for option in ("keyfile", "workdir"):
        if option in given:
            given[option] = os.fspath(given[option])
    workdir = given.get("workdir", "/")
    if not workdir.startswith(("/", "~/")) or "\n" in workdir:
        raise OptionError(
            f"workdir {workdir!r} of the server {name}: give an absolute path, or one that begins with ~/"
        )


def _environment(name: str, env: Any) -> dict[str, str]:
    try:
        given = check_environment(env) or {}
    except CommandError as error:
        raise OptionError(f"env of the server {name}: {error}") from None
    checked = {key: v.reveal() if isinstance(v, Secret) else v for key, v in given.items()}
    for key, value in checked.items():
        if "\n" in value:
            raise OptionError(f"env of the server {name}: {key} has more than one line")
    return checked


def check_variables(servers: Iterable[Server]) -> None:
    """Refuse to start jobs without variables that the run's earlier drivers had for them."""
    for server in servers:
        if server.withheld:
            raise OptionError(
                f"the server {server.name} has variables whose values are not recorded with the run: "
                f"{', '.join(server.withheld)}. Give servers again, with their values in env, or "
                "without env to do without them"
            )
