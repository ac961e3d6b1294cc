"""Files to and from hosts that share no disk with the driver, in bulk."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import tarfile
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice

from sched_core import AttemptId, EngineState, Failure, Observation

from .attempts import Attempt
from .fleet import Fleet
from .host import Host
from .ledger import Ledger
from .staging import Item, Parcel, check_staged, pack, unpack
from .troubles import FilesRefused, HostUnavailable

__all__ = ["Transfers"]

_AT_ONCE = 100
"""Attempts whose files travel together."""
_AHEAD = 64
_AHEAD_BYTES = 1 << 21
"""Jobs, and bytes of their inputs, that go to a host before it is known whether they run there."""
_TRIES = 2
_LONGEST_WAIT = 0.5
_Fetched = tuple[Attempt, Observation]
_OF_THE_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS)
"""What concerns all jobs, not only the one whose file cannot be written."""
_RECORDS = ("stdout", "stderr", "status", "rc", "jid")


class Transfers:
    """Brings inputs to hosts, and records and outputs back."""

    def __init__(self, ledger: Ledger, fleet: Fleet) -> None:
        self._ledger, self._fleet = ledger, fleet
        self._scheduler = ledger.scheduler
        self._ended: dict[Host, deque[tuple[Attempt, Observation]]] = {}
        self._fetching: set[Host] = set()
        self._took = 0.0
        """Seconds of the last transfer."""

    # --- there -----------------------------------------------------------------------------------

    async def bring(self, host: Host, attempts: Sequence[Attempt]) -> list[Attempt]:
        """Bring what attempts need to the host; return those that can be started.

        Raises HostUnavailable.
        """
        ports = self._scheduler.session.ports
        ready: list[Attempt] = []
        items: list[Item] = []
        for attempt in attempts:
            try:
                items += await ports.offload(self._needs, host, attempt)
            except OSError as error:
                self._refuse(attempt, f"its input {error.filename}: {error.strerror}")
            else:
                ready.append(attempt)
        if not items:
            return ready
        items += await ports.offload(self._needed_soon, host)
        items = list({item.name: item for item in items}.values())
        try:
            parcel: Parcel = await ports.offload(pack, items)
        except OSError as error:
            for attempt in ready:
                self._refuse(attempt, f"its input {error.filename}: {error.strerror}")
            return []
        try:
            with parcel.archive:
                await host.upload(parcel)
        except FilesRefused as error:
            return await self._bring_apart(host, ready, error)
        host.uploaded.update({item.name: _version(item.source) for item in items})
        return ready

    async def _bring_apart(
        self, host: Host, attempts: Sequence[Attempt], error: FilesRefused
    ) -> list[Attempt]:
        """Bring attempts' files one by one, so that only those suffer that the host cannot take."""
        if len(attempts) > 1:
            return [a for attempt in attempts for a in await self.bring(host, [attempt])]
        self._refuse(attempts[0], str(error))
        self._fleet.count_start(host, failed=True)
        return []

    def _needs(self, host: Host, attempt: Attempt) -> list[Item]:
        """Return the inputs that the host does not have. Blocks; raises OSError."""
        directory = self._scheduler.session.directory
        items = []
        for path in map(check_staged, attempt.job.inputs):
            source = os.path.join(directory, path)
            if host.uploaded.get(f"files/{path}") != _version(source) or os.path.isdir(source):
                items.append(Item(f"files/{path}", source))
        return items

    def _needed_soon(self, host: Host) -> list[Item]:
        """Return small inputs of jobs that wait: they share the trouble of a transfer. Blocks."""
        items: list[Item] = []
        room = _AHEAD_BYTES
        for attempt in list(islice(self._ledger.waiting(), _AHEAD)):
            try:
                found = self._needs(host, attempt)
                room -= sum(_small_size(item.source) for item in found)
            except OSError:
                continue  # it is told when the job's turn comes
            if room < 0:
                break
            items += found
        return items

    async def scripts(self, attempts: Sequence[Attempt]) -> dict[AttemptId, str]:
        """Return the texts of the attempts' scripts."""
        ports, layout = self._scheduler.session.ports, self._scheduler.session.layout
        name = f"job.wrapped.{self._scheduler.name}"

        def read() -> dict[AttemptId, str]:
            paths = {a.id: f"{layout.workdir}/{a.job.index}/{name}" for a in attempts}
            return {key: os.fsdecode(ports.files.read(path)) for key, path in paths.items()}

        return await ports.offload(read)

    def _refuse(self, attempt: Attempt, reason: str) -> None:
        seen = Observation(EngineState.FAILED, failure=Failure.SETUP, reason=reason)
        self._report(attempt, seen)

    # --- and back --------------------------------------------------------------------------------

    def fetch(self, host: Host, attempt: Attempt, seen: Observation) -> None:
        """Bring the files of an attempt back that has ended, then report it."""
        self._ended.setdefault(host, deque()).append((attempt, seen))
        self.go_on(host)

    def drop(self, host: Host, attempt: Attempt) -> None:
        """Do not wait for the files of an attempt any longer."""
        waiting = self._ended.get(host, deque())
        for one in [one for one in waiting if one[0] is attempt]:
            waiting.remove(one)

    def go_on(self, host: Host) -> None:
        """Fetch what there is to fetch."""
        if self._ended.get(host) and host not in self._fetching:
            self._fetching.add(host)
            self._fleet.spawn(self._fetch_all, host)

    async def _fetch_all(self, host: Host) -> None:
        waiting = self._ended[host]
        ports = self._scheduler.session.ports
        try:
            while waiting:
                await self._gather()
                batch = [waiting[i] for i in range(min(_AT_ONCE, len(waiting)))]
                began = ports.monotonic()
                await self._fetch_together(host, batch)
                self._took = ports.monotonic() - began
                for one in batch:
                    if one in waiting:  # nobody gave it up meanwhile
                        waiting.remove(one)
        except HostUnavailable as error:
            self._scheduler.session.warn(str(error))
        except OSError as error:
            self._scheduler.session.fail(error)  # the driver's own disk
            self._leave(host)
        finally:
            self._fetching.discard(host)

    def _leave(self, host: Host) -> None:
        """Do not wait for files that cannot be stored: whoever goes on with the run fetches them."""
        waiting = self._ended[host]
        while waiting:
            attempt, _ = waiting.popleft()
            self._ledger.forget(attempt)
            self._scheduler.session.let_go(attempt.job)
        self._scheduler.session.notify()

    async def _gather(self) -> None:
        """Where more is to come, wait for it: many files travel at the price of one."""
        if any(self._ledger.waiting()):
            await self._scheduler.session.ports.sleep(min(_LONGEST_WAIT, 3 * self._took))

    async def _fetch_together(self, host: Host, batch: Sequence[_Fetched]) -> None:
        """Fetch and report; where that fails for one, only that one suffers."""
        try:
            await self._fetch(host, batch)
        except FilesRefused as error:
            if len(batch) > 1:
                for one in batch:
                    await self._fetch_together(host, [one])
                return
            ((attempt, seen),) = batch
            if attempt.job.outputs:  # then its records may come
                with contextlib.suppress(FilesRefused):
                    await self._fetch_files(host, self._records(attempt))
            failure = Failure.OUTPUT if seen.rc == 0 else seen.failure
            self._report(attempt, replace(seen, failure=failure, reason=str(error)))

    async def _fetch(self, host: Host, batch: Sequence[_Fetched]) -> None:
        places: dict[str, str] = {}
        for attempt, _ in batch:
            places |= self._records(attempt) | self._outputs(attempt)
        missing = await self._fetch_files(host, places)
        for attempt, seen in batch:
            lost = [name for name in self._outputs(attempt) if name in missing]
            if lost and seen.rc == 0:
                reason = f"its output {lost[0].removeprefix('files/')} is not there"
                seen = replace(seen, failure=Failure.OUTPUT, reason=reason)
            self._report(attempt, seen)

    def _report(self, attempt: Attempt, seen: Observation) -> None:
        self._ledger.forget(attempt)
        self._ledger.report(attempt, seen)

    async def _fetch_files(self, host: Host, places: dict[str, str]) -> set[str]:
        """Fetch files to their places; return the names of those that are not there.

        Raises HostUnavailable, FilesRefused, OSError.
        """
        ports = self._scheduler.session.ports
        left = dict(places)
        missing: set[str] = set()
        for _ in range(_TRIES):
            archive, digests = await host.download(list(left))
            with archive:
                try:
                    whole = await ports.offload(
                        unpack, archive, left, digests, self._scheduler.mode
                    )
                except OSError as error:
                    if error.errno in _OF_THE_DISK:
                        raise
                    what = f"{error.filename} cannot be written here: {error.strerror}"
                    raise FilesRefused(what) from error
                except tarfile.TarError as error:
                    what = f"what comes from {host.name} is no archive: {error}"
                    raise FilesRefused(what) from error
            missing |= left.keys() - digests.keys()
            left = {name: left[name] for name in digests if name not in whole}
            if not left:
                return missing
        raise FilesRefused(f"{next(iter(left))} of {host.name} does not arrive as it was sent")

    def _records(self, attempt: Attempt) -> dict[str, str]:
        index = attempt.job.index
        home = f"{self._scheduler.session.layout.workdir}/{index}"
        names = [*(f"job.{name}" for name in _RECORDS), f"job.claim.{attempt.attempt}"]
        return {f"{index}/{name}": f"{home}/{name}" for name in names}

    def _outputs(self, attempt: Attempt) -> dict[str, str]:
        folder = self._scheduler.session.directory
        plain = map(check_staged, attempt.job.outputs)
        return {f"files/{path}": os.path.join(folder, path) for path in plain}


def _small_size(path: str) -> int:
    found = os.stat(path)
    return found.st_size if stat.S_ISREG(found.st_mode) else _AHEAD_BYTES + 1


def _version(path: str) -> tuple[int, int]:
    found = os.stat(path)
    return found.st_size, found.st_mtime_ns
