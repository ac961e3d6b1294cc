"""The spool: what wrappers have to say of the jobs' starts and ends, found by one listing."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING

import anyio

from ..model.failure import Failure
from ..ports import StoreUnavailable
from ..runfolder.submissions import AttemptId
from ..scheduler.observation import EngineState, Observation, observation_of
from ..text.event import Event, event_name, parse_event_name
from ..text.recorder import NOT_SET_UP

if TYPE_CHECKING:
    from ..ports.files import Entry
    from ..text.claim import Claim
    from .session import Session

__all__ = ["Spool"]

_FAILURES_WAIT = 10.0
"""Seconds for which the files of a job that failed may be late: it has failed in any case."""


class Spool:
    """Takes in events. One that tells facts is believed as it stands, but for a success: all that
    the job wrote has to be there first, as a mounted bucket may show it late, or cut short.
    """

    def __init__(self, session: Session) -> None:
        """Take in the events of that session's jobs."""
        self._session = session
        self._unproven: dict[Event, float] = {}

    async def read(self) -> bool:
        """Take in what wrappers have to say: one listing, however many jobs run.

        False where there was nothing.
        """
        session = self._session
        try:
            names = await session.ports.offload(session.ports.files.names, session.layout.events)
        except OSError as error:
            session.warn(f"the events of jobs cannot be listed: {error}")
            return False
        events = {name: event for name in names if (event := parse_event_name(name)) is not None}
        waiting = await self._take_in(events.values()) if events else ()
        if done := [name for name, event in events.items() if event not in waiting]:
            # The last end ends the run as well: its event, too, is to be gone.
            with anyio.CancelScope(shield=True):
                await session.journal.flush_with(self._remove, done)
        return bool(events)

    async def _take_in(self, events: Iterable[Event]) -> Collection[Event]:
        """Draw the conclusions of the current attempts' events; return those that have to wait."""
        current = [event for event in events if self._concerns(event)]
        told: list[Event] = []
        others: list[Event] = []
        for event in current:
            (told if self._tells_all(event) else others).append(event)
        await self._take_records(others)
        return await self._take_facts(told)

    def _concerns(self, event: Event) -> bool:
        active = self._session.active.get(event.index)
        return active is not None and active.attempt == event.attempt

    def _tells_all(self, event: Event) -> bool:
        """Tell whether nothing has to be read for the event. Of a failure the claim has to tell which
        start of the attempt it was, where the engine has told of more of them than the event.
        """
        if event.facts is None:
            return False
        return _is_success(event) or event.restart >= self._session.jobs[event.index].restart

    # --- events that leave the rest to be read -----------------------------------------------------

    async def _take_records(self, events: Sequence[Event]) -> None:
        session = self._session
        actives = [session.active[event.index] for event in events]
        claims = await session.evidence.read_records(actives) if actives else []
        classes = await self._classes(events, claims)
        for event, active, claim in zip(events, actives, claims, strict=True):
            if claim is not None and event.restart < claim.position:
                continue  # the engine has started it again since
            told = event.status.final and (claim is None or claim.rc is None)
            seen = (
                _told(event, claim, active.job.restart, classes.get(event))
                if told or claim is None
                else observation_of(claim)
            )
            await session.evidence.observe(AttemptId(event.index, event.attempt), seen)

    async def _classes(
        self, events: Sequence[Event], claims: Sequence[Claim | None]
    ) -> dict[Event, Failure]:
        """Read, in one go, of which class failures are whose records are late, or were not written."""
        pairs = zip(events, claims, strict=True)
        late = [e for e, claim in pairs if e.rc and (claim is None or claim.rc is None)]
        if not late:
            return {}
        ports, folder = self._session.ports, self._session.layout.events
        paths = [f"{folder}/{event_name(event)}" for event in late]
        try:
            texts = await ports.offload(ports.files.read_many, paths)
        except StoreUnavailable:
            raise  # it will be known later
        except OSError:
            return {}
        words = [(text or b"").split(b" ", 1)[0].decode("utf-8", "replace") for text in texts]
        found = zip(late, map(Failure.__members__.get, words), strict=True)
        return {event: failure for event, failure in found if failure is not None}

    # --- events that tell facts --------------------------------------------------------------------

    async def _take_facts(self, events: Sequence[Event]) -> Collection[Event]:
        waiting = await self._unproven_of(events)
        # What tells of an end comes last, and the last start before that.
        for event in sorted(events, key=lambda event: (event.restart, event.status.final)):
            if event not in waiting:
                await self._observe(event)
        return waiting

    async def _unproven_of(self, events: Sequence[Event]) -> Collection[Event]:
        """Return the ends that wait for what the job wrote; note what waits in vain."""
        try:
            late = await self._late(events)
        except OSError as error:
            # An absent answer is not an empty one: no file is late for that.
            self._session.warn(f"what jobs have written cannot be looked at: {error}")
            return [event for event in events if event.status.final]
        now = self._session.ports.monotonic()
        self._unproven = {event: self._unproven.get(event, now) for event in late}
        return {
            event for event, since in self._unproven.items() if not self._too_late(event, since)
        }

    def _too_late(self, event: Event, since: float) -> bool:
        patience = self._session.scheduler.lost_after if _is_success(event) else _FAILURES_WAIT
        return self._session.ports.monotonic() - since >= patience

    async def _late(self, events: Sequence[Event]) -> list[Event]:
        """Return the events of ends whose files are not there, or not as the job wrote them.

        Raises OSError.
        """
        wanted = {event: self._sums(event) for event in events if event.status.final}
        paths = [path for sums in wanted.values() for path in sums]
        if not paths:
            return []
        ports = self._session.ports
        found = await ports.offload(ports.files.checksums, paths)
        return [event for event, sums in wanted.items() if not _all_there(sums, found)]

    def _sums(self, event: Event) -> dict[str, str]:
        job, facts = self._session.jobs[event.index], event.facts
        assert facts is not None
        sums = {str(job.stdout_file): facts.stdout_md5, str(job.stderr_file): facts.stderr_md5}
        return {path: md5 for path, md5 in sums.items() if md5 is not None}

    async def _observe(self, event: Event) -> None:
        session = self._session
        active = session.active.get(event.index)
        if active is None or not self._concerns(event):
            return  # another event has told of its end
        if event in self._unproven and _is_success(event):
            reason = "what it wrote did not arrive as it was written"
            await session.evidence.engine_failed(active, Failure.LOST, reason)
        else:
            seen = _observation(event, active.job.restart)
            await session.evidence.observe(AttemptId(event.index, event.attempt), seen)

    def _remove(self, names: Iterable[str]) -> None:
        self._session.check_lease()
        files, folder = self._session.ports.files, self._session.layout.events
        files.remove_many([f"{folder}/{name}" for name in names])


def _is_success(event: Event) -> bool:
    failure = None if event.facts is None else event.facts.failure
    return event.status.final and event.rc == 0 and failure is None


def _all_there(sums: dict[str, str], found: dict[str, Entry]) -> bool:
    entries = [(found.get(path), md5) for path, md5 in sums.items()]
    # A store that knows no checksum of a file has it whole, or not at all.
    return all(entry is not None and entry.md5 in (None, md5) for entry, md5 in entries)


def _observation(event: Event, restart: int) -> Observation:
    """Return what an event tells that has all the facts in its name."""
    facts = event.facts
    assert facts is not None
    ended = event.status.final
    return Observation(
        EngineState.RECORDED if ended else EngineState.RUNNING,
        rc=event.rc,
        failure=Failure.__members__.get(facts.failure or ""),
        host=facts.host,
        # That an earlier start finished is the last word as well.
        restart=max(event.restart, restart) if _is_success(event) else event.restart,
        started=facts.started,
        ended=facts.ended,
        cpu=facts.cpu,
        position=event.restart,
    )


def _told(
    event: Event, claim: Claim | None, restart: int, failure: Failure | None = None
) -> Observation:
    """Return what an event's name alone tells: enough where a full disk took the rest."""
    ended = event.status.final
    # Nothing starts under a claim that could not be written.
    unwritten = claim is not None and not claim.complete
    failed = ended and event.rc != 0 and (event.rc == NOT_SET_UP or unwritten)
    # An event tells which claim it is of, a claim how often the engine had started the job.
    if claim is not None and claim.complete and claim.position == event.restart:
        restart = claim.restart
    else:
        restart = max(event.restart, restart if ended else 0)
    return Observation(
        EngineState.RECORDED if ended else EngineState.RUNNING,
        rc=event.rc,
        failure=Failure.SETUP if failed else failure,
        restart=restart,
        position=event.restart,
    )
