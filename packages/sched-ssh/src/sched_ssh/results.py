"""What jobs leave on hosts that share no disk with the driver: their records and outputs, in bulk."""

from __future__ import annotations

import contextlib
import errno
import os
import tarfile
from collections import ChainMap, deque
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from sched_core import Failure, Observation

from .attempts import Attempt
from .fleet import Fleet
from .host import Host
from .ledger import Ledger
from .staging import check_staged, unpack
from .troubles import FilesRefused, HostUnavailable

__all__ = ["Results"]

_AT_ONCE = 100
"""Attempts whose files travel together."""
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


class Results:
    """Brings back what attempts that have ended left on hosts, and reports them."""

    def __init__(self, ledger: Ledger, fleet: Fleet) -> None:
        self._ledger, self._fleet = ledger, fleet
        self._scheduler = ledger.scheduler
        self._ended: dict[Host | None, deque[_End]] = {}
        """Ends that wait for files of a host, or for none."""
        self._fetching: set[Host | None] = set()
        self._next: dict[Host | None, float] = {}
        """When the next fetch may begin."""

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
