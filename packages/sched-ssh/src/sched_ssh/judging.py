"""What becomes of attempts, by what their hosts tell of them."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sched_core import AttemptId, EngineState, Failure, JobStatus, Observation
from sched_core.text.recorder import NOT_OURS, NOT_SET_UP
from sched_core.text.usage import UNKNOWN, Usage

from .absences import Absences
from .attempts import Attempt, Stage
from .dispatch import Dispatcher
from .fleet import Fleet
from .host import Host
from .ledger import Ledger
from .results import Results
from .troubles import HostUnavailable
from .wire import Ended, Gone, Message, SlotDied, Started, Told

__all__ = ["Judge"]

_SLOT_DEATHS = 3
"""Slots that may die in a row before a job's start is given up."""
_LEFT_BEHIND = 0.0


class Judge:
    """Draws conclusions from what agents say, and from hosts that come and go."""

    def __init__(
        self,
        ledger: Ledger,
        fleet: Fleet,
        results: Results,
        dispatcher: Dispatcher,
        absences: Absences,
    ) -> None:
        self._ledger, self._fleet = ledger, fleet
        self._results, self._dispatcher = results, dispatcher
        self.absences = absences
        self._scheduler = ledger.scheduler

    # --- single messages -------------------------------------------------------------------------

    def heard(self, host: Host, message: Message) -> None:
        """Take in what an agent tells by itself."""
        if isinstance(message, SlotDied):
            host.drop_slot(message.slot)
            there = [a for a in self._ledger.on_host(host) if a.slot == message.slot]
            self._fleet.spawn(self._slot_died, host, there)
            return
        if not isinstance(message, Started | Ended | Gone):
            return
        attempt = self._ledger.placed(message.attempt)
        if attempt is None or attempt.host is not host or attempt.stage >= Stage.ENDED:
            return
        if isinstance(message, Started):
            self._started(attempt, message.leader)
        elif isinstance(message, Gone):
            self._ledger.report_failed(attempt, "its processes are gone and left no record")
        elif message.rc == NOT_OURS:
            self._fleet.spawn(self._refused, host, attempt)
        else:
            self._ended(attempt, message.rc, message.failure, message.records, message.used)

    def _started(self, attempt: Attempt, leader: int | None) -> None:
        if attempt.stage >= Stage.STARTED or attempt.host is None:
            return
        attempt.stage, attempt.leader = Stage.STARTED, leader or 0
        seen = Observation(
            EngineState.RUNNING,
            jid=str(leader) if leader else None,
            host=attempt.host.name,
            started=self._scheduler.session.ports.now(),
        )
        self._ledger.report(attempt, seen)

    def _ended(
        self,
        attempt: Attempt,
        rc: int,
        failure: Failure | None,
        records: Sequence[bytes | None] = (),
        used: Usage = UNKNOWN,
    ) -> None:
        host = attempt.host
        if host is None or attempt.stage is Stage.ENDED:
            return
        attempt.stage = Stage.ENDED
        self._fleet.count_start(host, failed=rc == NOT_SET_UP)
        self._ledger.release(attempt)
        reason = _setup_reason(rc, host) if failure is Failure.SETUP else ""
        seen = Observation(
            EngineState.RECORDED,
            rc=rc,
            failure=None if rc == 0 else failure or Failure.EXIT,
            reason=reason,
            host=host.name,
            ended=self._scheduler.session.ports.now(),
            cpu=used.cpu,
            max_rss=used.max_rss,
        )
        if failure is Failure.TIMEOUT:
            self._fleet.spawn(self._end_remains, host, attempt, seen)
        else:
            self._conclude(host, attempt, seen, records)

    async def _end_remains(self, host: Host, attempt: Attempt, seen: Observation) -> None:
        """End what has left the group of a job that took too long: the group itself is gone."""
        try:
            await host.kill([(attempt.id, self._ledger.token(attempt))], _LEFT_BEHIND)
        except HostUnavailable:
            self.absences.kill_later(host, attempt)
        self._conclude(host, attempt, seen)

    def _conclude(
        self, host: Host, attempt: Attempt, seen: Observation, records: Sequence[bytes | None] = ()
    ) -> None:
        if host.shared:
            self._ledger.end(attempt, seen)
        else:
            self._results.fetch(host, attempt, seen, records)

    # --- looks at many ---------------------------------------------------------------------------

    async def look(self, host: Host, attempts: Sequence[Attempt]) -> None:
        """Find out about attempts that an earlier connection has left there.

        Raises HostUnavailable.
        """
        await self.absences.end_left_overs(host)
        for attempt in attempts:
            self._scheduler.session.evidence.can_be_asked(attempt.job)
        self._results.go_on(host)
        left = [a for a in attempts if a.stage < Stage.ENDED]
        told = await host.look([a.id for a in left])
        again, watched = [], []
        for attempt in left:
            self._take_up(host, attempt)
            seen = told[attempt.id]
            if seen.state == "none" and not self._has_started(attempt):
                again.append(attempt)
            elif self._take(host, attempt, seen):
                watched.append(attempt)
        host.watch([a.id for a in watched])
        await self._start_again(host, again)

    async def fence(self, host: Host, attempts: Sequence[Attempt]) -> Collection[AttemptId]:
        """Make sure that what has not started there never does; return what now cannot."""
        try:
            told = await host.look([a.id for a in attempts], self._ledger.fence())
        except HostUnavailable:
            return ()
        won = [a for a in attempts if told[a.id].state == "fence"]
        for attempt in won:
            self._ledger.forget(attempt)
        return {a.id for a in won}

    def _has_started(self, attempt: Attempt) -> bool:
        return attempt.job.started is not None or attempt.stage is Stage.STARTED

    def _take_up(self, host: Host, attempt: Attempt) -> None:
        """Count what it holds, if nobody did so yet."""
        if not attempt.slot:
            attempt.slot = host.take_slot()
            wanted = self._scheduler.job_resources(attempt.job)
            if host.admission is not None:
                attempt.grant = host.admission.hold(wanted, None)

    async def look_again(self, host: Host, attempts: Sequence[Attempt]) -> None:
        """Find out about attempts that this connection has started, or watches.

        Raises HostUnavailable.
        """
        left = [a for a in attempts if a.stage < Stage.ENDED]
        told = await host.look([a.id for a in left])
        for attempt in left:
            if told[attempt.id].state in ("gone", "foreign"):
                self._take(host, attempt, told[attempt.id])

    def _take(self, host: Host, attempt: Attempt, seen: Told) -> bool:
        """Draw the conclusion; True where it still runs."""
        if seen.state == "running":
            self._started(attempt, None)
            return True
        if seen.state == "ended" and seen.rc is not None:
            self._started(attempt, None)
            self._ended(attempt, seen.rc, seen.failure)
        elif seen.state == "gone":
            self._ledger.report_failed(attempt, "its processes are gone and left no record")
        elif seen.state == "fence":
            self._ledger.report_failed(attempt, "it was fenced before it could start")
        elif seen.state == "foreign" or _rebooted(host):
            self._ledger.report_failed(attempt, f"{host.name} was rebooted", Failure.NODE_FAIL)
        else:
            self._ledger.report_failed(attempt, f"{host.name} has lost its folder {host.root}")
        return False

    async def _start_again(self, host: Host, attempts: Sequence[Attempt]) -> None:
        """Have started what has no claim there: whoever is told twice starts it once."""
        dying = [a for a in attempts if a.job.status is JobStatus.KILLING]
        won = await self.fence(host, dying)
        for attempt in dying:
            if attempt.id in won:
                self._ledger.report_failed(attempt, "it was killed before it started")
        wanted = [a for a in attempts if a not in dying]
        if wanted and self._scheduler.session.submits:
            self._fleet.spawn(self._dispatcher.start, host, wanted)

    async def _slot_died(self, host: Host, attempts: Sequence[Attempt]) -> None:
        try:
            told = await host.look(
                [a.id for a in attempts if a.stage in (Stage.SENT, Stage.STARTED)]
            )
        except HostUnavailable:
            return  # they are looked at when it is back
        for attempt in attempts:
            seen = told.get(attempt.id)
            if seen is None or attempt.stage >= Stage.ENDED:
                continue
            if seen.state != "none":
                if self._take(host, attempt, seen):
                    host.watch([attempt.id])
                continue
            attempt.deaths += 1
            if attempt.deaths < _SLOT_DEATHS:
                await self._start_again(host, [attempt])
            else:
                self._fleet.count_start(host, failed=True)
                self._ledger.report_failed(
                    attempt,
                    f"the shells that were to start it on {host.name} have died",
                    Failure.SETUP,
                )

    async def _refused(self, host: Host, attempt: Attempt) -> None:
        """Its wrapper found the attempt claimed: by an earlier start, or by later attempts."""
        try:
            told = await host.look([attempt.id])
        except HostUnavailable:
            return
        if attempt.stage >= Stage.ENDED:
            return
        if told[attempt.id].state == "none":
            reason = "its wrapper refused: the folder holds claims of later attempts"
            self._ledger.report_failed(attempt, reason, Failure.SETUP)
        elif self._take(host, attempt, told[attempt.id]):
            host.watch([attempt.id])

    # --- hosts that come and go ------------------------------------------------------------------

    async def came_up(self, host: Host) -> None:
        """Go on with what a host has that can be used, for the first time or again."""
        await self.look(host, [a for a in self._ledger.on_host(host) if a.stage > Stage.PLACED])
        self._fleet.can_be_used()
        self._ledger.wake()

    def went_down(self, host: Host) -> None:
        """Have what was not begun go elsewhere, and the rest wait for the host."""
        self.absences.begin(host)


def _rebooted(host: Host) -> bool:
    return len(host.boots) > 1


def _setup_reason(rc: int, host: Host) -> str:
    if rc == NOT_SET_UP:
        return (
            f"its folder, its prescript or its records could not be set up on {host.name}: is its "
            "cwd there, and is the disk full?"
        )
    return f"its prescript failed on {host.name}"
