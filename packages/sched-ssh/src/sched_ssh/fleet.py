"""All hosts of a run: connected to together, kept up, and set aside where nothing can be started."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
from collections.abc import AsyncIterator, Callable, Collection, Coroutine, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import anyio
from anyio.abc import TaskGroup

from sched_core.lifecycle.session import Session
from sched_core.ports import Files
from sched_core.runfolder import Layout
from sched_core.scheduler.hosts import HostFailures
from sched_core.text.recorder import recorder_name
from sched_core.text.script import recorder_text

from .host import Host, Owner, Place
from .link import ConnectOptions
from .servers import Server
from .troubles import HostUnavailable

__all__ = ["Fleet", "probed"]

_FIRST_ANSWERS = 1.0
"""Seconds that are waited for further hosts once the first can be used."""


@asynccontextmanager
async def probed(session: Session) -> AsyncIterator[Place]:
    """Leave, as long as the block lasts, a file that only a host with the same disk can see."""
    ports, layout = session.ports, Layout(session.folder)
    name, content = f"probe.{secrets.token_hex(8)}", secrets.token_hex(16)
    path = f"{layout.home}/{name}"
    made = await ports.offload(_make, ports.files, layout)
    await ports.offload(ports.files.create, path, f"{content}\n".encode())
    try:
        yield Place(
            layout.workdir,
            name,
            content,
            session.run,
            recorder_name(),
            recorder_text(),
            session.directory,
        )
    finally:
        with anyio.CancelScope(shield=True):
            await ports.offload(_remove, ports.files, path, made)


def _make(files: Files, layout: Layout) -> list[str]:
    """Make the folder for the probe; return which folders were not there. Blocks."""
    return [folder for folder in (layout.workdir, layout.home) if files.make_folder(folder)]


def _remove(files: Files, path: str, made: Sequence[str]) -> None:
    """Remove the probe, and the folders that were made for it and are empty. Blocks."""
    files.remove(path)
    with contextlib.suppress(OSError):
        for folder in reversed(made):
            os.rmdir(folder)


class Fleet:
    """The hosts that a run may use, whether they can be reached now or not."""

    def __init__(
        self,
        servers: Iterable[Server],
        how: ConnectOptions,
        place: Place,
        session: Session,
        most_failures: int,
    ) -> None:
        self._hosts = {s.name: Host(s, how, place, session.ports) for s in servers}
        self._session = session
        self._failures = HostFailures(most_failures)
        self._usable = anyio.Event()
        self.is_open = False
        """Whether the run has hosts to begin with: from then on each that is away is told of."""
        self._group: TaskGroup

    def __contains__(self, name: object) -> bool:
        return name in self._hosts

    def __getitem__(self, name: str) -> Host:
        return self._hosts[name]

    def hosts(self) -> Collection[Host]:
        """Return all hosts."""
        return self._hosts.values()

    def spawn(self, function: Callable[..., Coroutine[Any, Any, None]], *args: Any) -> None:
        """Do something while the run is open."""
        self._group.start_soon(function, *args)

    # --- connecting ------------------------------------------------------------------------------

    @asynccontextmanager
    async def kept_up(
        self, owner: Owner, work: Callable[[], Coroutine[Any, Any, None]]
    ) -> AsyncIterator[None]:
        """Keep all hosts up, and do this work, as long as the block lasts.

        It begins when all hosts that answer soon can be used. Raises HostUnavailable where not a
        single one can.
        """
        room = asyncio.create_task(self._keep_house(owner, work))
        try:
            await self._await_hosts(room)
            self.is_open = True
            for host in self._hosts.values():
                if host.error is not None:
                    self._session.warn(str(host.error))
            yield
        finally:
            await _end(room)

    async def _keep_house(
        self, owner: Owner, work: Callable[[], Coroutine[Any, Any, None]]
    ) -> None:
        """Do all that goes on while the run is open."""
        try:
            async with anyio.create_task_group() as group:
                self._group = group
                for host in self._hosts.values():
                    group.start_soon(host.keep_up, owner)
                group.start_soon(work)
        except Exception as error:
            cause = error
            while isinstance(cause, ExceptionGroup):
                cause = cause.exceptions[0]
            # Nobody is left who would see jobs end: whoever waits for them is told at once.
            self._session.abandoned = True
            self._session.fail(cause)
            raise

    async def _await_hosts(self, room: asyncio.Task[None]) -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(self._await_all, group.cancel_scope)
            group.start_soon(self._await_first, group.cancel_scope)
            group.start_soon(_raise_failure, room)
        if not any(host.up for host in self._hosts.values()):
            raise _none_can_be_used(self._hosts.values())

    async def _await_all(self, scope: anyio.CancelScope) -> None:
        for host in self._hosts.values():
            await host.tried.wait()
        scope.cancel()

    async def _await_first(self, scope: anyio.CancelScope) -> None:
        await self._usable.wait()
        await anyio.sleep(_FIRST_ANSWERS)
        scope.cancel()

    def can_be_used(self) -> None:
        """Note that there is a host to begin with."""
        self._usable.set()

    # --- the end ---------------------------------------------------------------------------------

    async def forget_secrets(self) -> None:
        """Remove from hosts with a disk of their own what jobs were given; warn where that fails."""
        with anyio.CancelScope(shield=True):
            async with anyio.create_task_group() as group:
                for host in self._hosts.values():
                    if host.shared is not True:
                        group.start_soon(self._forget_secrets, host)

    async def _forget_secrets(self, host: Host) -> None:
        try:
            await host.forget_secrets()
        except HostUnavailable as error:
            used = [j for j in self._session.jobs.values() if j.secrets and j.host == host.name]
            if used:
                self._session.warn(
                    f"secrets of the run may still lie on {host.name} ({error}): "
                    f"sched clean {self._session.layout.workdir} removes them with what is there"
                )

    # --- setting aside ---------------------------------------------------------------------------

    def count_start(self, host: Host, *, failed: bool) -> None:
        """Set hosts aside on which nothing but failures come about, unless no other one is up."""
        usable = [other.name for other in self._hosts.values() if other.up]
        for name in self._failures.count(host.name, failed=failed, others=usable):
            self._hosts[name].aside = True
            self._session.warn(
                f"{name} is set aside: {self._failures.most} jobs in a row could not be started there; "
                f"look at the disk and at {self._hosts[name].root}"
            )


def _none_can_be_used(hosts: Collection[Host]) -> HostUnavailable:
    """Return one error that tells of all hosts."""
    errors = [str(host.error or f"{host.name} has not answered yet") for host in hosts]
    if len(errors) == 1:
        return HostUnavailable(errors[0])
    return HostUnavailable("\n  ".join([f"none of the {len(errors)} hosts can be used:", *errors]))


async def _raise_failure(room: asyncio.Task[None]) -> None:
    await asyncio.wait([room])
    room.result()


async def _end(room: asyncio.Task[None]) -> None:
    """End what goes on, and wait until it has ended."""
    room.cancel()
    with anyio.CancelScope(shield=True):
        await asyncio.wait([room])
    if not room.cancelled():
        room.exception()  # it was told to the session
