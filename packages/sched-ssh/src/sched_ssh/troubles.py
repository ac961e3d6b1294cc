"""Why a host cannot be reached, in words that name the host and the next step."""

from __future__ import annotations

import os
import shlex
import socket
from typing import TYPE_CHECKING, Any

from sched_core import EngineUnavailable, SchedError

from .hostkeys import known_files, known_keys
from .keys import locked_keys

if TYPE_CHECKING:
    from .servers import Server

__all__ = ["FilesRefused", "HostUnavailable", "explain_failure"]


class HostUnavailable(EngineUnavailable):
    """One host cannot be used now. `lasting`: until somebody changes keys or configuration."""

    def __init__(self, message: str, *, lasting: bool = False) -> None:
        super().__init__(message)
        self.lasting = lasting


class FilesRefused(SchedError):
    """A host that can be reached cannot take or give these files."""


def explain_failure(server: Server, error: BaseException, options: Any = None) -> HostUnavailable:
    """Return the error that a failed connection means; `options` are asyncssh's for it."""
    import asyncssh

    who = _who(server, options)
    if isinstance(error, asyncssh.HostKeyNotVerifiable):
        return _host_key(server, error, options)
    if isinstance(error, asyncssh.PermissionDenied):
        text = f"{who} lets nobody in with the keys that you have: {_keys(server, options)}"
        return HostUnavailable(text, lasting=True)
    if isinstance(error, asyncssh.KeyEncryptionError | asyncssh.KeyImportError):
        add = " ".join(["ssh-add", *([server.keyfile] if server.keyfile else [])])
        text = f"{who}: a key cannot be read ({error}); add it to your agent with `{add}`"
        return HostUnavailable(text, lasting=True)
    if isinstance(error, asyncssh.Error):
        return HostUnavailable(f"{who}: the connection was lost: {error.reason}")
    if isinstance(error, OSError):
        return _network(who, error)
    return HostUnavailable(f"{who}: {str(error) or type(error).__name__}")


def _network(who: str, error: OSError) -> HostUnavailable:
    if isinstance(error, socket.gaierror):
        return HostUnavailable(
            f"{who}: its name cannot be resolved ({error.strerror}); check the name, or give HostName "
            "in ~/.ssh/config"
        )
    if isinstance(error, FileNotFoundError | PermissionError):
        return HostUnavailable(f"{who}: {error.strerror}: {error.filename}")
    if isinstance(error, ConnectionRefusedError):
        return HostUnavailable(f"{who} refuses the connection: does sshd run there, on that port?")
    if isinstance(error, BrokenPipeError | ConnectionResetError):
        return HostUnavailable(f"{who}: the connection was lost")
    if isinstance(error, TimeoutError) or not error.errno:
        return HostUnavailable(
            f"{who} does not answer: is it up, and does a firewall let you through?"
        )
    text = os.strerror(error.errno)
    return HostUnavailable(f"{who} cannot be reached: {text}; is it up, and the network?")


def _who(server: Server, options: Any) -> str:
    host = getattr(options, "host", "") or server.host
    port = getattr(options, "port", 0) or server.port or 22
    return server.name if (host, port) == (server.name, 22) else f"{server.name} ({host}:{port})"


def _keys(server: Server, options: Any) -> str:
    hint = f"try `{_by_hand(server)} true`"
    locked = locked_keys(server, options.config) if options is not None else []
    if locked:
        key = shlex.quote(locked[0])
        agent = "" if os.environ.get("SSH_AUTH_SOCK") else "; none runs (`eval $(ssh-agent)`)"
        return f"{hint}; {key} has a passphrase: add it to your agent with `ssh-add {key}`{agent}"
    return (
        f"{hint}; name the right user and keyfile in servers or ~/.ssh/config; a key with a passphrase "
        "must be in your agent (`ssh-add`)"
    )


def _by_hand(server: Server) -> str:
    """Return how somebody connects to the host by hand."""
    port = ["-p", str(server.port)] if server.port is not None else []
    host = server.host if server.user is None else f"{server.user}@{server.host}"
    return shlex.join(["ssh", *port, host])


def _host_key(server: Server, error: Any, options: Any) -> HostUnavailable:
    who = _who(server, options)
    files = known_files(options.config)
    host = options.host_key_alias or options.host
    known = known_keys(files, host, options.port)
    if known is None or "revoked" in error.reason:
        return HostUnavailable(f"{who}: its host key is not trusted ({error.reason})", lasting=True)
    if known:
        entry = host if options.port == 22 else f"[{host}]:{options.port}"
        return HostUnavailable(
            f"{who} has CHANGED its host key: somebody may listen in, or the host was installed anew. "
            "Make sure of the new key, then remove the old one with "
            f"`ssh-keygen -R {shlex.quote(entry)}`",
            lasting=True,
        )
    if not any(os.path.isfile(name) for name in files):
        return HostUnavailable(
            f"{who}: its host key is unknown, since there is no file of known keys: "
            f"{', '.join(files) or 'UserKnownHostsFile is none'}; connect once by hand with one "
            f"(`{_by_hand(server)}`), compare the fingerprint and accept it",
            lasting=True,
        )
    return HostUnavailable(
        f"{who}: its host key is unknown; connect once by hand (`{_by_hand(server)}`), compare the "
        "fingerprint and accept it",
        lasting=True,
    )
