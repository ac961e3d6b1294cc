"""One connection to one host: the agent's channel, and others for files."""

from __future__ import annotations

import contextlib
import logging
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import anyio

from .route import Opened, connect
from .servers import Server
from .troubles import HostUnavailable, explain_failure
from .wire import Hello, Message, command, opening, parse_message, script

if TYPE_CHECKING:
    import asyncssh

__all__ = ["ConnectOptions", "Link", "open_link", "open_script"]

_LONGEST_NOISE = 1 << 20
_CLOSING = 2.0


async def _at_once(endpoint: str) -> None:
    """Let nobody wait."""


@dataclass(frozen=True, slots=True)
class ConnectOptions:
    """How hosts are connected to."""

    ssh_config: tuple[str, ...] | None = None
    connect_timeout: float = 20.0
    keepalive: float = 15.0
    skip_host_key_check: bool = False
    warn: Callable[[str], None] = logging.getLogger("sched").warning
    turn: Callable[[str], Awaitable[None]] = _at_once
    """Waits until one more connection may be made to "ssh USER@HOST:PORT"."""
    compared: list[Server] = field(default_factory=list)
    """Of whom it is known how ssh itself would connect."""


class Link:
    """A connection with an agent at its other end."""

    def __init__(self, server: Server, how: ConnectOptions) -> None:
        self.server = server
        self._how = how
        self._connection: asyncssh.SSHClientConnection | None = None
        self._second: asyncssh.SSHClientConnection | None = None
        self._opened: list[Opened] = []
        """These, and what they go through."""
        self._agent: asyncssh.SSHClientProcess[bytes] | None = None
        self._files: asyncssh.SSHClientProcess[bytes] | None = None
        self._asking = anyio.Lock()

    async def connect(self) -> None:
        """Connect and start the agent. Raises HostUnavailable."""
        self._connection = await self._connected()
        mark = secrets.token_hex(8)
        try:
            with anyio.fail_after(self._how.connect_timeout):
                self._agent = await self._connection.create_process(command(mark), encoding=None)
            await self._begin(self._agent, "agent", mark)
        except HostUnavailable:
            raise
        except Exception as error:
            raise explain_failure(self.server, error) from error

    async def _connected(self) -> asyncssh.SSHClientConnection:
        return await connect(self.server, self._how, self._opened)

    async def _begin(self, process: asyncssh.SSHClientProcess[bytes], name: str, mark: str) -> None:
        """Have a login run one of the scripts, and come back when it does."""
        seconds = self._how.connect_timeout
        with anyio.move_on_after(seconds) as scope:
            with contextlib.suppress(OSError):  # a login that has ended already says why
                process.stdin.write(opening(script(name)))
            await self._pass_noise(process, mark.encode())
        if scope.cancelled_caught:
            raise HostUnavailable(
                f"{self.server.name} lets us in, but no command begins within {seconds:g} s: does a login "
                "script (.bashrc, .profile) wait, or read what is meant for the command?"
            )

    async def _pass_noise(self, agent: asyncssh.SSHClientProcess[bytes], mark: bytes) -> None:
        """Read up to the agent's mark: a login script may have printed before it."""
        size = 0
        last = b""
        async for line in agent.stdout:
            if line == mark + b"\n":
                return
            size += len(line)
            if size > _LONGEST_NOISE:
                raise HostUnavailable(
                    f"{self.server.name} lets us in, but prints without end before a command begins: "
                    "look at the login scripts (.bashrc, .profile)"
                )
            last = line.strip() or last
        said = (await agent.stderr.read(4096)).decode("utf-8", "replace").strip()
        said = said or last.decode("utf-8", "replace")
        hint = "; jobs are run by bash: install it there" if "not found" in said else ""
        raise HostUnavailable(
            f"{self.server.name} ends the login before a command can run: "
            f"{said or 'it says nothing'}{hint}"
        )

    def send(self, data: bytes) -> None:
        """Say something to the agent; what cannot arrive any more is dropped."""
        assert self._agent is not None
        with contextlib.suppress(OSError):
            self._agent.stdin.write(data)

    async def message(self) -> Message:
        """Return the next thing that the agent says. Raises HostUnavailable at the connection's end."""
        import asyncssh

        assert self._agent is not None
        try:
            while (line := await self._agent.stdout.readline()).endswith(b"\n"):
                if line != b"\n":
                    return parse_message(line[:-1])
        except (OSError, asyncssh.Error) as error:
            raise explain_failure(self.server, error) from error
        except ValueError as error:
            raise HostUnavailable(f"{self.server.name}: {error}", lasting=True) from error
        raise HostUnavailable(f"{self.server.name}: the connection was lost")

    @asynccontextmanager
    async def courier(self, name: str) -> AsyncIterator[asyncssh.SSHClientProcess[bytes]]:
        """Run one of the scripts on a channel of its own. Raises HostUnavailable."""
        with self._lost():
            process = await self._run(name)
            try:
                yield process
            finally:
                process.close()
                with anyio.CancelScope(shield=True), anyio.move_on_after(_CLOSING):
                    await process.wait_closed()

    @asynccontextmanager
    async def files(self) -> AsyncIterator[asyncssh.SSHClientProcess[bytes]]:
        """Ask the script for files, which stays, for one thing. Raises HostUnavailable."""
        async with self._asking:
            with self._lost():
                process, self._files = self._files or await self._run("files"), None
                try:
                    yield process
                except BaseException:
                    process.close()  # the rest of the answer would be taken for the next one
                    raise
                self._files = process

    @contextlib.contextmanager
    def _lost(self) -> Iterator[None]:
        """Let what goes wrong on a channel be the end of the connection."""
        import asyncssh

        try:
            yield
        except (OSError, asyncssh.Error) as error:
            self.abort()
            raise explain_failure(self.server, error) from error
        except HostUnavailable:
            self.abort()
            raise

    async def _run(self, name: str) -> asyncssh.SSHClientProcess[bytes]:
        mark = secrets.token_hex(8)
        process = await self._channel(mark)
        await self._begin(process, name, mark)
        return process

    async def _channel(self, mark: str) -> asyncssh.SSHClientProcess[bytes]:
        """Open a channel; where the host allows no second one, it is that of a second connection."""
        import asyncssh

        assert self._connection is not None
        try:
            connection = self._second or self._connection
            return await connection.create_process(command(mark), encoding=None)
        except asyncssh.ChannelOpenError:
            if self._second is not None or self._connection.is_closed():
                raise
        self._second = await self._connected()
        return await self._second.create_process(command(mark), encoding=None)

    def abort(self) -> None:
        """Give the connection up at once: whoever listens sees it end."""
        for connection in reversed(self._opened):
            connection.abort()

    async def close(self) -> None:
        """End the connection; the agent ends with it, the jobs do not."""
        for connection in reversed(self._opened):
            connection.close()
            with anyio.CancelScope(shield=True), anyio.move_on_after(_CLOSING):
                await connection.wait_closed()
            connection.abort()


@asynccontextmanager
async def open_link(server: Server, how: ConnectOptions) -> AsyncIterator[Link]:
    """Connect to a host for as long as the block lasts. Raises HostUnavailable."""
    link = Link(server, how)
    try:
        await link.connect()
        yield link
    finally:
        await link.close()


@asynccontextmanager
async def open_script(
    server: Server, how: ConnectOptions, name: str
) -> AsyncIterator[tuple[Hello, asyncssh.SSHClientProcess[bytes]]]:
    """Connect to a host, and run one of the scripts there for as long as the block lasts.

    Raises HostUnavailable.
    """
    async with open_link(server, how) as link:
        hello = await link.message()
        assert isinstance(hello, Hello)
        async with link.courier(name) as process:
            yield hello, process
