"""What a run has left on hosts without a shared disk: looked for, and removed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from typing import TypeVar

import anyio

from sched_core import Remains

from .link import ConnectOptions, open_script
from .servers import Server
from .troubles import HostUnavailable
from .wire import request, run_folder

__all__ = ["Cleaner"]

T = TypeVar("T")
R = TypeVar("R")

_PATIENCE = 600.0
"""Seconds that removing may take: there may be many files."""


class Cleaner:
    """Looks for a run's folder on its hosts, and removes it."""

    def __init__(self, servers: Iterable[Server], how: ConnectOptions, run: str) -> None:
        self._servers = {server.name: server for server in servers}
        self._how = how
        self._folder = run_folder(run)

    async def find(self, used: Iterable[str]) -> Sequence[Remains]:
        """Look on all servers; a host that was used and is none of them any more is a problem."""
        names = sorted({*self._servers, *used})
        found = await _together(self._look, names)
        return [remains for remains in found if remains is not None]

    async def remove(self, found: Iterable[Remains]) -> Sequence[Remains]:
        """Remove what was found."""
        return await _together(self._remove, found)

    async def _look(self, name: str) -> Remains | None:
        if name not in self._servers:
            text = f"jobs of the run were on {name}: name it among the servers, to clean it as well"
            return Remains(name, problem=text)
        try:
            word, _, rest = (await self._ask(name, "look")).partition(" ")
        except HostUnavailable as error:
            return Remains(name, problem=str(error))
        if word == "none":
            return None
        if word == "found":
            kib, _, path = rest.partition(" ")
            return Remains(name, path, int(kib) << 10 if kib.isdecimal() else 0)
        return Remains(name, problem=f"{name}: {rest}")

    async def _remove(self, remains: Remains) -> Remains:
        if remains.problem:
            return remains
        try:
            word, _, rest = (await self._ask(remains.host, "remove")).partition(" ")
        except HostUnavailable as error:
            return replace(remains, problem=str(error))
        if word in ("removed", "none"):
            return remains
        return replace(remains, problem=f"{remains.host}: {rest}")

    async def _ask(self, name: str, what: str) -> str:
        server = self._servers[name]
        with anyio.move_on_after(_PATIENCE):
            async with open_script(server, self._how, "clean") as (_, courier):
                courier.stdin.write(request(what, server.workdir or "", self._folder))
                courier.stdin.write_eof()
                told = await courier.stdout.read()
                problem = await courier.stderr.read()
            said = told.decode("utf-8", "surrogateescape").strip("\n")
            if said.split(" ")[0] in ("none", "found", "removed", "kept"):
                return said
            why = (said or problem.decode("utf-8", "replace")).strip()
            raise HostUnavailable(f"{name} cannot be cleaned: {why or 'the connection was lost'}")
        raise HostUnavailable(f"{name} has not answered for {_PATIENCE:g} s")


async def _together(function: Callable[[T], Awaitable[R]], arguments: Iterable[T]) -> list[R]:
    """Call the function for all arguments at once; return what it returns, in their order."""
    waiting = list(arguments)
    results: dict[int, R] = {}

    async def call(number: int) -> None:
        results[number] = await function(waiting[number])

    async with anyio.create_task_group() as group:
        for number in range(len(waiting)):
            group.start_soon(call, number)
    return [results[number] for number in range(len(waiting))]
