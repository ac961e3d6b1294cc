"""What jobs need on hosts that share no disk with the driver: their scripts and inputs, in bulk."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from itertools import islice

import anyio

from sched_core import AttemptId, Failure

from .attempts import Attempt
from .fleet import Fleet
from .host import Host
from .ledger import Ledger
from .staging import Item, Parcel, check_staged, pack, version_of
from .troubles import FilesRefused

__all__ = ["Inputs"]

_AHEAD = 64
_AHEAD_BYTES = 1 << 21
"""Jobs, and bytes of their inputs, that go to a host before it is known whether they run there."""


class Inputs:
    """Brings to hosts what jobs need there."""

    def __init__(self, ledger: Ledger, fleet: Fleet) -> None:
        self._ledger, self._fleet = ledger, fleet
        self._scheduler = ledger.scheduler
        self._bringing: dict[Host, anyio.Lock] = {}
        self._scripts: dict[AttemptId, str] = {}
        """Texts that were read before they are asked for: a hop to a thread keeps a slot waiting."""

    async def bring(self, host: Host, attempts: Sequence[Attempt]) -> dict[AttemptId, str]:
        """Bring what attempts need to the host; return the scripts of those that can be started.

        Raises HostUnavailable.
        """
        if any(attempt.job.inputs for attempt in attempts):
            attempts = await self._bring_inputs(host, attempts)
        if any(attempt.id not in self._scripts for attempt in attempts):
            offload = self._scheduler.session.ports.offload
            soon = self._soon()
            self._scripts = await offload(self._read_scripts, self._scripts, attempts, soon)
        return {attempt.id: self._scripts.pop(attempt.id) for attempt in attempts}

    def _soon(self) -> list[Attempt]:
        return list(islice(self._ledger.waiting(), _AHEAD))

    def _read_scripts(
        self, known: Mapping[AttemptId, str], wanted: Sequence[Attempt], soon: Sequence[Attempt]
    ) -> dict[AttemptId, str]:
        """Return the texts of scripts, also of some that are soon asked for. Blocks; raises OSError."""
        session = self._scheduler.session
        name = f"job.wrapped.{self._scheduler.name}"

        def read(attempt: Attempt) -> str:
            path = f"{session.folder}/{attempt.job.index}/{name}"
            return known.get(attempt.id) or os.fsdecode(session.ports.files.read(path))

        texts = {attempt.id: read(attempt) for attempt in wanted}
        for attempt in soon:
            with contextlib.suppress(OSError):  # it is told when the job's turn comes
                texts[attempt.id] = read(attempt)
        return texts

    async def _bring_inputs(self, host: Host, attempts: Sequence[Attempt]) -> Sequence[Attempt]:
        """Bring inputs that the host does not have; return the attempts that have theirs there."""
        offload = self._scheduler.session.ports.offload
        if not any(await offload(self._needs, host, attempts)):
            return attempts
        # What one transfer brings must not come again by the next one: a job may read it already.
        async with self._bringing.setdefault(host, anyio.Lock()):
            return await self._bring_missing(host, attempts, self._soon())

    async def _bring_missing(
        self, host: Host, attempts: Sequence[Attempt], soon: Sequence[Attempt]
    ) -> Sequence[Attempt]:
        """Bring inputs at once; where that fails, one by one, so that only those suffer that must."""
        offload = self._scheduler.session.ports.offload
        ready: list[Attempt] = []
        items: list[Item] = []
        for attempt, needed in zip(
            attempts, await offload(self._needs, host, attempts), strict=True
        ):
            if isinstance(needed, OSError):
                self._refuse(attempt, _unread(needed))
            else:
                ready.append(attempt)
                items += needed
        if not items:
            return ready
        items += await offload(self._needed_soon, host, soon)
        items = list({item.name: item for item in items}.values())
        try:
            parcel: Parcel = await offload(pack, items)
            with parcel.archive:
                await host.upload(parcel)
        except (OSError, FilesRefused) as error:
            if soon or len(ready) > 1:
                return [a for one in ready for a in await self._bring_missing(host, [one], ())]
            self._refuse(ready[0], _unread(error) if isinstance(error, OSError) else str(error))
            self._fleet.count_start(host, failed=isinstance(error, FilesRefused))
            return []
        host.uploaded.update({item.name: item.version for item in items})
        return ready

    def _needs(self, host: Host, attempts: Sequence[Attempt]) -> list[list[Item] | OSError]:
        """Return the inputs that the host does not have, or why they cannot be read. Blocks."""
        version = cache(version_of)  # many jobs may share a folder
        return [self._needed_by(host, attempt, version) for attempt in attempts]

    def _needed_by(
        self, host: Host, attempt: Attempt, version: Callable[[str], tuple[int, int]]
    ) -> list[Item] | OSError:
        items = []
        for path in map(check_staged, attempt.job.inputs):
            source = os.path.join(self._scheduler.session.directory, path)
            try:
                item = Item(f"files/{path}", source, version(source))
            except OSError as error:
                return error
            if host.uploaded.get(item.name) != item.version:
                items.append(item)
        return items

    def _needed_soon(self, host: Host, soon: Sequence[Attempt]) -> list[Item]:
        """Return small inputs of jobs that wait: they share the trouble of a transfer. Blocks."""
        items: list[Item] = []
        room = _AHEAD_BYTES
        for needed in self._needs(host, soon):
            if isinstance(needed, OSError):
                continue  # it is told when the job's turn comes
            room -= sum(item.version[0] for item in needed)
            if room < 0:
                break
            items += needed
        return items

    def _refuse(self, attempt: Attempt, reason: str) -> None:
        self._ledger.report_failed(attempt, reason, Failure.SETUP)


def _unread(error: OSError) -> str:
    return f"its input {error.filename}: {error.strerror}"
