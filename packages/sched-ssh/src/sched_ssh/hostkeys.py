"""Which keys of hosts the user knows."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from asyncssh.config import SSHConfig

__all__ = ["key_matcher", "known_files", "known_keys"]

_OF_USER = ("~/.ssh/known_hosts", "~/.ssh/known_hosts2")
_OF_ALL = ("/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2")


def known_files(config: SSHConfig) -> list[str]:
    """Return the files of known keys that the configuration names, or those that ssh looks into."""
    # "none" is an empty list: no file, and never an unchecked key.
    files = [
        *_named(config, "UserKnownHostsFile", _OF_USER),
        *_named(config, "GlobalKnownHostsFile", _OF_ALL),
    ]
    return [os.path.expanduser(name) for name in files]


def _named(config: SSHConfig, option: str, otherwise: tuple[str, ...]) -> tuple[str, ...]:
    named: Any = config.get(option)
    return otherwise if named is None else tuple(named)


def key_matcher(files: list[str]) -> Callable[[str, str, int | None], Any]:
    """Return what finds the keys of a host, by its name alone: whose address it is proves nothing."""

    def match(host: str, _: str, port: int | None) -> Any:
        import asyncssh

        there = [name for name in files if os.path.isfile(name)]
        return asyncssh.match_known_hosts(there or b"", host, "", port)

    return match


def known_keys(files: list[str], host: str, port: int) -> bool | None:
    """Tell whether some key of the host is known; None where that cannot be found out."""
    try:
        keys, authorities, *_ = key_matcher(files)(host, "", port if port != 22 else None)
    except (OSError, ValueError):
        return None
    return None if authorities and not keys else bool(keys)
