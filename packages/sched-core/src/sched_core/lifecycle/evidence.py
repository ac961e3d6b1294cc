"""From what was seen of a job to what it is: a final state needs evidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from ..model.failure import Failure
from ..model.job import Job
from ..model.status import JobStatus
from ..ports import StoreUnavailable
from ..runfolder.submissions import AttemptId
from ..scheduler.observation import EngineState, Observation, observation_of
from ..text.claim import Claim
from ..text.recorder import NOT_OURS, NOT_SET_UP
from ..text.refusal import refusal
from .files import read_claims, read_text

if TYPE_CHECKING:
    from .active import Active
    from .session import Session

__all__ = ["EVENTS_ARE_LATE", "Evidence"]

EVENTS_ARE_LATE = 10.0
"""Seconds for which nothing but an event is waited for, where only that proves that a job finished."""
_STARTED_NOTHING = (Failure.REJECTED, Failure.UNAVAILABLE)


class Evidence:
    """Judges observations. An engine can only prove failure; success needs the job's record."""

    def __init__(self, session: Session) -> None:
        """Judge what is seen of that session's jobs."""
        self._session = session

    @property
    def by_events(self) -> bool:
        """Whether only an event proves that a job finished: its claim may have come through a mounted
        bucket before what it wrote, of which the event tells the checksums.
        """
        return not self._session.scheduler.exclusive_create

    async def observe(
        self,
        attempt: AttemptId,
        seen: Observation,
        records: Mapping[AttemptId, Claim | None] | None = None,
    ) -> None:
        """Draw the conclusions of one observation; one of an earlier attempt has none.

        `records` are claims that were read after the engine was asked.
        """
        active = self._session.active.get(attempt.job_index)
        if active is None or active.attempt != attempt.attempt:
            return
        job = active.job
        if seen.restart < job.restart:
            return
        self.note(active, seen)
        if seen.restart > job.restart:
            await self._restarted(active, seen)
        if seen.state is EngineState.WAITING:
            await self._submitted(job)
        elif seen.state is EngineState.RUNNING:
            await self._running(active, seen)
        elif seen.state is EngineState.RECORDED:
            await self._recorded(active, seen)
        else:
            claim = await self._record_for(active, seen, records)
            await self._engine_says_ended(active, seen, claim)

    async def _record_for(
        self,
        active: Active,
        seen: Observation,
        records: Mapping[AttemptId, Claim | None] | None,
    ) -> Claim | None:
        attempt = active.id
        if records is not None and attempt in records:
            return records[attempt]
        return await self.record_of(active) if self.needs_record(seen) else None

    def needs_record(self, seen: Observation | None) -> bool:
        """Tell whether the claim has to be read before the engine's word on an end is judged."""
        if seen is None or seen.state not in (EngineState.SUCCEEDED, EngineState.FAILED):
            return False
        if seen.never_began:
            return False
        return seen.state is EngineState.FAILED or not self.by_events

    async def read_records(self, actives: list[Active]) -> list[Claim | None]:
        """Return the newest claims of these attempts. Raises RunLocked where a later driver has fenced
        one of them: that tells nothing of the attempt.
        """
        places = [(str(active.job.metadir), active.attempt) for active in actives]
        return await self._session.ports.offload(self._read_claims, places)

    def _read_claims(self, places: list[tuple[str, int]]) -> list[Claim | None]:
        session = self._session
        restarts = session.scheduler.restarts()
        claims = read_claims(session.ports.files, places, restarts=restarts)
        if any(claim is not None and (claim.is_fence or claim.sealed) for claim in claims):
            session.check_lease()
        return claims

    async def record_of(self, active: Active) -> Claim | None:
        """Return the newest claim of one attempt."""
        (claim,) = await self.read_records([active])
        return claim

    async def take_record(
        self, active: Active, claim: Claim | None, restart: int, said: Observation
    ) -> bool:
        """End an attempt by its record, if there is one of its `restart`-th or a later start; that
        an earlier one finished is the last word as well. `said` is the engine's word on the end.
        """
        if claim is None or claim.rc is None or (claim.rc and claim.restart < restart):
            return False
        if self.told_by(claim).state is EngineState.RUNNING:
            return False
        await self._recorded(active, observation_of(claim), said)
        return True

    def told_by(self, claim: Claim) -> Observation:
        """Return what a claim tells: of a success nothing, where that has to be told by an event."""
        seen = observation_of(claim)
        unproven = self.by_events and claim.finished
        return replace(seen, state=EngineState.RUNNING, rc=None) if unproven else seen

    async def engine_failed(self, active: Active, failure: Failure, reason: str) -> None:
        """End an attempt that has no record and never will have one."""
        restart = active.job.restart
        seen = Observation(EngineState.FAILED, None, failure, reason, restart=restart)
        await self._conclude(active, seen)

    def note(self, active: Active, seen: Observation) -> None:
        """Note a sign of life, and what it tells of the job besides its state."""
        job = active.job
        active.seen = self._session.ports.monotonic()
        active.accepted = True
        active.absent_since = None
        if job.jid is None:
            # What the engine called it when it took it stays: a wrapper may know no more than a pid.
            job.jid = seen.jid
        if seen.host is not None:
            job.host = seen.host
        self.can_be_asked(job)

    def cannot_be_asked(self, job: Job, reason: str) -> None:
        """Record why nothing can be known now of an attempt that may run; its state stays."""
        job.failure, job.reason = Failure.UNAVAILABLE, reason
        self._session.journal.note_state(job)

    def can_be_asked(self, job: Job) -> None:
        """Take back what `cannot_be_asked` has recorded."""
        if job.failure is Failure.UNAVAILABLE and job.status.active:
            job.failure, job.reason = None, ""
            self._session.journal.note_state(job)

    async def _submitted(self, job: Job) -> None:
        if job.status is JobStatus.QUEUED:
            await self._move(job, JobStatus.SUBMITTED)

    async def _restarted(self, active: Active, seen: Observation) -> None:
        active.job.restart = seen.restart
        active.engine_ended = None
        active.held = active.recorded = False
        if active.job.status is JobStatus.RUNNING:
            await self._move(active.job, JobStatus.SUBMITTED)

    async def _running(self, active: Active, seen: Observation) -> None:
        job = active.job
        if job.status in (JobStatus.QUEUED, JobStatus.SUBMITTED):
            job.started = seen.started or self._session.ports.now()
            await self._move(job, JobStatus.RUNNING)

    async def _recorded(
        self, active: Active, seen: Observation, said: Observation | None = None
    ) -> None:
        active.recorded = True
        if not self._session.scheduler.shared_disk:
            await self._session.scheduler.collect([active.job])
        seen = await self._with_reason(active.job, seen)
        if seen.started is not None:
            await self._running(active, seen)
        if said is None and self._is_imposed(active.job, seen):
            active.held = True  # the engine is asked: it may have ended it, or start it again
            return
        await self._conclude(active, seen if said is None else _explained(seen, said))

    async def _with_reason(self, job: Job, seen: Observation) -> Observation:
        """Have an engine that started nothing say why: all that there is on stderr are its words."""
        container = self._session.scheduler.container_of(job)
        if seen.failure not in _STARTED_NOTHING or seen.reason or container is None:
            return seen
        ports = self._session.ports
        said = await ports.offload(read_text, ports.files, str(job.stderr_file))
        return replace(seen, reason=refusal(container.kind, said))

    def _is_imposed(self, job: Job, seen: Observation) -> bool:
        """Tell whether the engine may be why the command ended, rather than the command."""
        if not self._session.scheduler.ends_jobs or job.status is JobStatus.KILLING:
            return False
        if seen.rc == 0 or seen.failure not in (None, Failure.EXIT):
            return False
        return seen.signal is not None or (seen.rc or 0) > 128

    async def _engine_says_ended(
        self, active: Active, seen: Observation, claim: Claim | None
    ) -> None:
        # The wrapper found the attempt claimed: its exit tells nothing of it.
        refused = seen.rc == NOT_OURS
        if await self.take_record(active, claim, 0 if refused else seen.restart, seen):
            return
        failed = seen.state is EngineState.FAILED and not refused
        if failed and not self._may_have_finished(active, claim):
            await self._conclude(active, _sealed_behind(seen, claim))
        elif active.engine_ended is None:
            active.engine_ended = self._session.ports.monotonic()

    def _may_have_finished(self, active: Active, claim: Claim | None) -> bool:
        """Tell whether the event of a success may be there, unread, of which the claim tells: the
        machine was lost just after that.
        """
        if not self.by_events or claim is None or not claim.finished:
            return False
        since, now = active.engine_ended, self._session.ports.monotonic()
        return since is None or now - since < EVENTS_ARE_LATE

    async def _conclude(self, active: Active, seen: Observation) -> None:
        job = active.job
        finished = seen.state is EngineState.RECORDED and seen.rc == 0 and seen.failure is None
        in_claim = finished and seen.started is not None  # so that no wrapper starts it again
        if not in_claim and not await self._sealed(active, seen.position) and not finished:
            return
        if active.concluded or self._session.active.get(job.index) is not active:
            return
        active.concluded = True
        job.rc = seen.rc
        job.started = seen.started or job.started
        job.ended = seen.ended
        _take_usage(job, seen)
        if finished:
            job.failure, job.reason = None, ""
            await self._move(job, JobStatus.FINISHED)
        elif job.status is JobStatus.KILLING:
            job.failure, job.reason = Failure.CANCELLED, seen.reason
            await self._move(job, JobStatus.KILLED)
        else:
            unwritten = seen.rc == NOT_SET_UP
            failure = seen.failure or (Failure.SETUP if unwritten else Failure.EXIT)
            job.failure, job.reason = failure, seen.reason
            await self._move(job, JobStatus.FAILED)

    async def _sealed(self, active: Active, position: int | None) -> bool:
        """Keep the engine from starting the attempt again; False where it did so already, or where
        that cannot be seen yet: then it goes on.
        """
        session, job = self._session, active.job
        if not session.scheduler.restarts():
            return True
        if active.concluded or session.active.get(job.index) is not active:
            return False
        if await self._seal(active, position):
            return True
        claim = await self.record_of(active)
        if claim is not None and claim.restart > job.restart:
            await self.observe(AttemptId(job.index, active.attempt), self.told_by(claim))
        return False

    async def _seal(self, active: Active, position: int | None) -> bool:
        session = self._session
        try:
            return await session.scheduler.seal(active.job, position)
        except StoreUnavailable:
            raise
        except OSError:
            # Such as a full disk, which has stopped the run. What the engine may still start has not
            # ended: it is left open for whoever goes on with the run.
            if not session.stopping:
                raise
            session.let_go(active.job)
            return False

    async def _move(self, job: Job, status: JobStatus) -> None:
        await self._session.scheduler.transition_job_status(job, status)


def _take_usage(job: Job, seen: Observation) -> None:
    """Note what the attempt has used, as far as that is told: an engine's word leaves a record's."""
    job.cpu = job.cpu if seen.cpu is None else seen.cpu
    job.max_rss = job.max_rss if seen.max_rss is None else seen.max_rss


def _sealed_behind(seen: Observation, claim: Claim | None) -> Observation:
    """Have an attempt that its engine could not start be sealed right behind the claim that was looked
    at: should it have been released and started since then, that start has the next one.
    """
    if seen.failure is not Failure.SETUP or seen.position is not None:
        return seen
    return replace(seen, position=-1 if claim is None else claim.position)


def _explained(record: Observation, said: Observation) -> Observation:
    """Return a record with what only the engine tells: the class of a failure, and the most memory."""
    if record.max_rss is None and said.rc != NOT_OURS:
        record = replace(record, max_rss=said.max_rss)
    finished = record.rc == 0 and record.failure is None
    own = record.failure not in (None, Failure.EXIT)
    if finished or own or said.failure in (None, Failure.EXIT, Failure.SETUP):
        return record
    return replace(record, failure=said.failure, reason=said.reason)
