"""What running jobs write on hosts without a shared disk, read while they write it."""

from __future__ import annotations

import binascii
from collections.abc import Callable, Collection, Iterable, Mapping

import anyio

from sched_core import Job

from .link import ConnectOptions, open_script
from .servers import Server
from .troubles import HostUnavailable
from .wire import request, run_folder

__all__ = ["Peeker"]


class Peeker:
    """Reads the outputs of a run's jobs on its hosts, a connection each."""

    def __init__(
        self, servers: Mapping[str, Server], how: ConnectOptions, run: str, name: str
    ) -> None:
        self._servers, self._how = servers, how
        self._folder, self._name = run_folder(run), name

    async def read(
        self, jobs: Iterable[Job], take: Callable[[int, bytes], None], *, follow: bool
    ) -> None:
        """Hand out what there is, or what comes; a host that cannot be asked is warned of."""
        by_host: dict[str, list[int]] = {}
        for job in jobs:
            if job.host is not None and job.host in self._servers:
                by_host.setdefault(job.host, []).append(job.index)
        async with anyio.create_task_group() as group:
            for host, indexes in by_host.items():
                group.start_soon(self._read, self._servers[host], indexes, take, follow)

    async def _read(
        self,
        server: Server,
        indexes: Collection[int],
        take: Callable[[int, bytes], None],
        follow: bool,
    ) -> None:
        wanted = request(
            server.workdir or "",
            *(self._folder, self._name, "follow" if follow else ""),
            lists=indexes,
        )
        try:
            async with open_script(server, self._how, "peek") as (_, courier):
                courier.stdin.write(wanted)
                while line := await courier.stdout.readline():
                    number, _, piece = line.partition(b" ")
                    if (index := int(number)) in indexes:
                        take(index, binascii.a2b_base64(piece))
            for index in indexes:
                take(index, b"")  # that is all
        except HostUnavailable as error:
            self._how.warn(str(error))
        except ValueError:
            self._how.warn(f"{server.name} sends what is no output of a job")
