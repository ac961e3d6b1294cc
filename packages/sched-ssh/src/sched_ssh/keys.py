"""The keys with which a user shows who they are."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from .servers import Server

if TYPE_CHECKING:
    from asyncssh.config import SSHConfig

__all__ = ["key_options", "locked_keys"]

_DEFAULTS = ("ed25519", "ecdsa", "rsa", "ed25519_sk", "ecdsa_sk")


def key_options(server: Server, config: SSHConfig) -> dict[str, Any]:
    """Return asyncssh's options for keys, where it would not look for them as ssh does."""
    given: dict[str, Any] = _agent(config)
    files = _named(server, config)
    if files is None:
        return given
    if server.keyfile is None:
        files = [name for name in files if os.path.exists(name)]
    # One that is locked may be in the agent; of one that is only there the public part is enough.
    given |= {"client_keys": [n for n in files if not _is_public(n)], "ignore_encrypted": True}
    if config.get("IdentitiesOnly"):
        given["agent_identities"] = list(_public(files)) or [b"none"]
    return given


def _agent(config: SSHConfig) -> dict[str, Any]:
    path = config.get("IdentityAgent")
    if path == "SSH_AUTH_SOCK":
        path = "$SSH_AUTH_SOCK"
    if not isinstance(path, str) or not path.startswith("$"):
        return {}
    return {"agent_path": os.environ.get(path[1:].strip("{}"), "")}


def _is_public(name: str) -> bool:
    return name.endswith(".pub")


def _named(server: Server, config: SSHConfig) -> list[str] | None:
    if server.keyfile is not None:
        return [os.path.expanduser(server.keyfile)]
    named: Any = config.get("IdentityFile")
    return None if named is None else [os.path.expanduser(name) for name in named]


def _public(files: Iterable[str]) -> Iterator[str]:
    for name in files:
        if _is_public(name):
            yield name
        elif os.path.exists(f"{name}.pub"):
            yield f"{name}.pub"


def locked_keys(server: Server, config: SSHConfig) -> list[str]:
    """Return the files of keys with a passphrase among those that would be used."""
    files = _named(server, config)
    if files is None:
        files = [os.path.expanduser(f"~/.ssh/id_{name}") for name in _DEFAULTS]
    return [name for name in files if _is_locked(name)]


def _is_locked(name: str) -> bool:
    import asyncssh

    try:
        asyncssh.read_private_key(name)
    except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError) as error:
        return "assphrase" in str(error)
    except (OSError, ValueError):
        return False
    return False
