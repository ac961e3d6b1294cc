"""The way to a host: as the user's ssh configuration tells it, over the hosts of its ProxyJump."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

import anyio
import anyio.to_thread

from .differences import tell_differences
from .hostkeys import key_matcher, known_files
from .keys import key_options
from .servers import Server
from .troubles import HostUnavailable, explain_failure

if TYPE_CHECKING:
    import asyncssh

    from .link import ConnectOptions

__all__ = ["Opened", "connect"]


class Opened(Protocol):
    """What is to be closed: a connection, or a program that makes one."""

    def close(self) -> None: ...

    def abort(self) -> None: ...

    async def wait_closed(self) -> None: ...


_HOP = re.compile(r"(?:ssh://)?(?:(?P<user>.*)@)?(?P<host>\[.*\]|[^:]*)(?::(?P<port>\d+))?/?")


async def connect(
    server: Server,
    how: ConnectOptions,
    opened: list[Opened],
    over: asyncssh.SSHClientConnection | None = None,
    passed: tuple[str, ...] = (),
) -> asyncssh.SSHClientConnection:
    """Connect to a host; `opened` gets all connections on the way, which the caller closes.

    Raises HostUnavailable.
    """
    import asyncssh

    options: Any = None
    program: Program | None = None
    given = _given(server, how)
    try:
        options = await asyncssh.SSHClientConnectionOptions.construct(
            **given, known_hosts=b"", client_keys=None
        )
        await tell_differences(server, options, how)
        if not passed:  # each host on the way is connected to as often as the one behind it
            await how.turn(f"ssh {options.username}@{options.host}:{options.port}")
        passed = (*passed, server.host)
        tunnel = over or await _jump(server, options, how, opened, passed)
        given |= key_options(server, options.config)
        given["known_hosts"] = (
            None if how.skip_host_key_check else key_matcher(known_files(options.config))
        )
        given |= {"tunnel": tunnel, "proxy_command": None}
        if tunnel is None and (command := options.config.get("ProxyCommand")):
            program = Program(command)
            opened.append(program)
            given["sock"] = program.socket
        connection = await asyncssh.connect(**given)
    except asyncssh.ChannelOpenError as error:
        text = f"{server.name} cannot be reached from the host of its ProxyJump: {error.reason}"
        raise HostUnavailable(text) from error
    except (OSError, TimeoutError, ValueError, asyncssh.Error) as error:
        if program is not None and isinstance(error, OSError | asyncssh.ConnectionLost):
            text = f"{server.name}: its ProxyCommand does not reach it: {program.said()}"
            raise HostUnavailable(text) from error
        raise explain_failure(server, error, options) from error
    opened.append(connection)
    return connection


def _given(server: Server, how: ConnectOptions) -> dict[str, Any]:
    given: dict[str, Any] = {
        "host": server.host,
        "config": () if how.ssh_config is None else list(how.ssh_config),
        "connect_timeout": how.connect_timeout,
        "login_timeout": how.connect_timeout,
        "keepalive_interval": how.keepalive,
        "keepalive_count_max": 3,
        "request_pty": False,
    }
    if server.user is not None:
        given["username"] = server.user
    if server.port is not None:
        given["port"] = server.port
    return given


# --- other hosts on the way


async def _jump(
    server: Server,
    options: Any,
    how: ConnectOptions,
    opened: list[Opened],
    passed: tuple[str, ...],
) -> asyncssh.SSHClientConnection | None:
    """Connect to the hosts on the way, each over the one before it; the first one by its own way."""
    tunnel = None
    how = replace(how, skip_host_key_check=False)
    for hop in _hops(options.config.get("ProxyJump")):
        if hop.host in passed:
            circle = ", ".join([*passed, hop.host])
            raise HostUnavailable(
                f"{server.name}: its ProxyJump goes in a circle: {circle}", lasting=True
            )
        try:
            tunnel = await connect(hop, how, opened, tunnel, passed)
        except HostUnavailable as error:
            text = f"{server.name}, by way of {error}"
            raise HostUnavailable(text, lasting=error.lasting) from error
    return tunnel


def _hops(jumps: object) -> Iterator[Server]:
    for text in str(jumps).split(",") if jumps else ():
        found = _HOP.fullmatch(text.strip())
        if found is None:
            raise ValueError(f"ProxyJump {text.strip()!r} names no host")
        host, port = found["host"].strip("[]"), found["port"]
        yield Server(host, host, user=found["user"] or None, port=int(port) if port else None)


# --- a program on the way


class Program:
    """A ProxyCommand, run by a shell as ssh does it, and what it says."""

    def __init__(self, command: str) -> None:
        """Start it; `socket` is its stdin and stdout."""
        self.socket, its = socket.socketpair()
        self._words = tempfile.TemporaryFile()  # noqa: SIM115  # until it has ended
        with its:
            # asyncio's own processes cannot be killed without a race about who waits for them.
            self._process = subprocess.Popen(
                ["/bin/sh", "-c", f"exec {command}"],
                stdin=its.fileno(),
                stdout=its.fileno(),
                stderr=self._words,
                start_new_session=True,
            )

    def said(self) -> str:
        """Return its last line on stderr."""
        self._words.seek(0)
        lines = self._words.read().decode("utf-8", "replace").strip().splitlines()
        return lines[-1] if lines else "it says nothing"

    def abort(self) -> None:
        """End it, with all that it has started; its connection was ended before."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)

    close = abort

    async def wait_closed(self) -> None:
        """Wait until it has ended."""
        await anyio.to_thread.run_sync(self._process.wait)
        self._words.close()
