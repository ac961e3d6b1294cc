"""Files to and from hosts that share no disk with the driver, in bulk."""

from __future__ import annotations

import contextlib
import errno
import os
import tarfile
from collections import ChainMap, deque
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import islice

import anyio

from sched_core import AttemptId, EngineState, Failure, Observation

from .attempts import Attempt
from .fleet import Fleet
from .host import Host
from .ledger import Ledger
from .staging import Item, Parcel, check_staged, pack, unpack, version_of
from .troubles import FilesRefused, HostUnavailable

__all__ = ["Transfers"]

_AT_ONCE = 100
"""Attempts whose files travel together."""
_AHEAD = 64
_AHEAD_BYTES = 1 << 21
"""Jobs, and bytes of their inputs, that go to a host before it is known whether they run there."""
_TRIES = 2
_LONGEST_REST = 0.5
_OF_THE_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS)
"""What concerns all jobs, not only the one whose file cannot be written."""
_RECORDS = ("jid", "rc", "status", "stderr", "stdout")
"""What an attempt leaves besides its claim, in the order in which agents send them after it."""


@dataclass(frozen=True, slots=True, eq=False)
class _End:
    """An attempt that has ended, what was seen of it, and where its files go by their names there."""

    attempt: Attempt
    seen: Observation
    sent: Mapping[str, bytes]
    """Those that came with the end, by their places here."""
    records: dict[str, str]
    outputs: dict[str, str]


class Transfers:
    """Brings inputs to hosts, and records and outputs back."""

    def __init__(self, ledger: Ledger, fleet: Fleet) -> None:
        self._ledger, self._fleet = ledger, fleet
        self._scheduler = ledger.scheduler
        self._ended: dict[Host | None, deque[_End]] = {}
        """Ends that wait for files of a host, or for none."""
        self._fetching: set[Host | None] = set()
        self._next: dict[Host | None, float] = {}
        """When the next fetch may begin."""
        self._bringing: dict[Host, anyio.Lock] = {}
        self._scripts: dict[AttemptId, str] = {}
        """Texts that were read before they are asked for: a hop to a thread keeps a slot waiting."""

    # --- there -----------------------------------------------------------------------------------

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
        seen = Observation(EngineState.FAILED, failure=Failure.SETUP, reason=reason)
        self._ledger.end(attempt, seen)

    # --- and back --------------------------------------------------------------------------------

    def fetch(
        self, host: Host, attempt: Attempt, seen: Observation, sent: Sequence[bytes | None]
    ) -> None:
        """Bring back what an attempt that has ended left there, besides what was sent; then report it."""
        places = self._records(attempt)
        came = {
            place: data
            for place, data in zip(places.values(), sent, strict=False)
            if data is not None
        }
        left = {name: place for name, place in places.items() if place not in came}
        end = _End(attempt, seen, came, left, self._outputs(attempt))
        source = host if end.records or end.outputs else None
        self._ended.setdefault(source, deque()).append(end)
        self.go_on(source)

    def go_on(self, host: Host | None) -> None:
        """Fetch what there is to fetch."""
        if self._ended.get(host) and host not in self._fetching:
            self._fetching.add(host)
            self._fleet.spawn(self._fetch_all, host)

    async def _fetch_all(self, host: Host | None) -> None:
        waiting, ports = self._ended[host], self._scheduler.session.ports
        try:
            while waiting:
                await ports.sleep(max(self._next.get(host, 0.0) - ports.monotonic(), 0.0))
                batch, began = list(islice(waiting, _AT_ONCE)), ports.monotonic()
                # Somebody may have given one up meanwhile.
                await self._fetch_together(host, [end for end in batch if self._is_wanted(end)])
                for _ in batch:
                    waiting.popleft()
                self._pace(host, ports.monotonic() - began)
        except HostUnavailable as error:
            self._scheduler.session.warn(str(error))
        except OSError as error:
            self._scheduler.session.fail(error)  # the driver's own disk
            self._leave(host)
        finally:
            self._fetching.discard(host)

    def _pace(self, host: Host | None, took: float) -> None:
        """Rest as long as a fetch took: where many end, they share what the next one costs."""
        if host is not None:
            self._next[host] = self._scheduler.session.ports.monotonic() + min(took, _LONGEST_REST)

    def _leave(self, host: Host | None) -> None:
        """Do not wait for files that cannot be stored: whoever goes on with the run fetches them."""
        waiting = self._ended[host]
        while waiting:
            attempt = waiting.popleft().attempt
            self._ledger.forget(attempt)
            self._scheduler.session.let_go(attempt.job)
        self._scheduler.session.notify()

    def _is_wanted(self, end: _End) -> bool:
        return self._ledger.placed(end.attempt.id) is end.attempt

    async def _fetch_together(self, host: Host | None, batch: Sequence[_End]) -> None:
        """Fetch and report; where that fails for one, only that one suffers."""
        try:
            await self._fetch(host, batch)
        except FilesRefused as error:
            if len(batch) > 1:
                for one in batch:
                    await self._fetch_together(host, [one])
                return
            (end,) = batch
            if host is not None and end.outputs and end.records:  # then its records may come
                with contextlib.suppress(FilesRefused):
                    await self._fetch_files(host, end.records)
            failure = Failure.OUTPUT if end.seen.rc == 0 else end.seen.failure
            self._report(end, replace(end.seen, failure=failure, reason=str(error)))

    async def _fetch(self, host: Host | None, batch: Sequence[_End]) -> None:
        try:
            await self._scheduler.session.ports.offload(self._put, batch)
        except OSError as error:
            raise _unwritten(error) from error
        places = dict(ChainMap(*(end.records | end.outputs for end in batch)))
        missing: Collection[str] = ()
        if host is not None and places:
            missing = await self._fetch_files(host, places)
        for end in batch:
            seen = end.seen
            lost = [name for name in end.outputs if name in missing]
            if lost and seen.rc == 0:
                reason = f"its output {lost[0].removeprefix('files/')} is not there"
                seen = replace(seen, failure=Failure.OUTPUT, reason=reason)
            self._report(end, seen)

    def _put(self, ends: Sequence[_End]) -> None:
        """Put in place what came with ends. Blocks; raises OSError."""
        for end in ends:
            for place, data in end.sent.items():
                self._scheduler.session.ports.files.write(place, data)

    def _report(self, end: _End, seen: Observation) -> None:
        if self._is_wanted(end):
            self._ledger.end(end.attempt, seen)

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
                    raise _unwritten(error) from error
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
        folder = f"{self._scheduler.session.folder}/{index}"
        names = [f"job.claim.{attempt.attempt}", *(f"job.{name}" for name in _RECORDS)]
        return {f"{index}/{name}": f"{folder}/{name}" for name in names}

    def _outputs(self, attempt: Attempt) -> dict[str, str]:
        folder = self._scheduler.session.directory
        plain = map(check_staged, attempt.job.outputs)
        return {f"files/{path}": os.path.join(folder, path) for path in plain}


def _unwritten(error: OSError) -> Exception:
    """Return what it means that a file cannot be written here: the end of the run, or of a job."""
    if error.errno in _OF_THE_DISK:
        return error
    return FilesRefused(f"{error.filename} cannot be written here: {error.strerror}")


def _unread(error: OSError) -> str:
    return f"its input {error.filename}: {error.strerror}"
