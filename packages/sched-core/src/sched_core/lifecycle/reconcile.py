"""One question for all jobs, and what an answer, or none, means for each of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import EngineUnavailable
from ..model.failure import Failure
from ..model.job import Job
from ..model.status import JobStatus
from ..runfolder.submissions import AttemptId, Submission
from ..scheduler.observation import EngineState, Observation
from .evidence import EVENTS_ARE_LATE
from .spool import Spool

if TYPE_CHECKING:
    from ..text.claim import Claim
    from .active import Active
    from .session import Session

__all__ = ["Reconciler"]

_CONFIRM_AFTER = 5.0
"""Seconds after which "not in the queue" is believed when it is said again."""


_SILENT = Observation(EngineState.SUCCEEDED)
"""The word of an engine that has nothing to say of a job's end."""


@dataclass(slots=True)
class _Lookup:
    """A submission of which nobody knows whether the engine has it."""

    submission: Submission
    attempts: tuple[AttemptId, ...]
    since: float
    absent_since: float | None = None


class Reconciler:
    """Compares what the driver believes with what the engine and the jobs' records say."""

    def __init__(self, session: Session) -> None:
        """Compare for the jobs of that session."""
        self._session = session
        self._lookups: dict[str, _Lookup] = {}
        self._spool = Spool(session)

    # --- questions -----------------------------------------------------------------------------

    async def reconcile(self, jobs: Iterable[Job]) -> bool:
        """Ask the engine about these jobs and draw the conclusions.

        False where it could not be asked: then nothing has changed.
        """
        actives = [a for job in jobs if (a := self._session.active.get(job.index)) is not None]
        asked = [active for active in actives if active.accepted]
        if not asked:
            return True
        scheduler = self._session.scheduler
        try:
            answers = await scheduler.query_jobs([active.job for active in asked])
        except EngineUnavailable as error:
            self._session.backoff.refused(error)
            self._session.warn(f"{scheduler.name} cannot be asked, nothing changes: {error}")
            return False
        records = await self._records_of_ended(asked, answers)
        absent: list[Active] = []
        forgotten: dict[int, str] = {}
        for active in asked:
            seen = answers.get(active.id)
            if seen is None:
                absent.append(active)
            elif seen.state is EngineState.FORGOTTEN:
                active.absent_since = active.absent_since or self._session.ports.monotonic()
                forgotten[active.job.index] = seen.reason
            else:
                await self._session.evidence.observe(active.id, seen, records)
        late = [a for a in asked if self._is_due(a) or a.job.index in forgotten]
        await self._look_at_records(self._believed(absent, len(answers)) + late, forgotten)
        return True

    async def _records_of_ended(
        self, asked: Iterable[Active], answers: Mapping[AttemptId, Observation]
    ) -> dict[AttemptId, Claim | None]:
        """Read what is needed to judge the ends that an answer tells of, for all of them at once."""
        evidence = self._session.evidence
        pairs = [(active.id, active) for active in asked]
        ended = {a: active for a, active in pairs if evidence.needs_record(answers.get(a))}
        claims = await evidence.read_records(list(ended.values())) if ended else []
        return dict(zip(ended, claims, strict=True))

    def _is_due(self, active: Active) -> bool:
        """Tell whether the record of an attempt that the engine says has ended is to be looked for."""
        if active.engine_ended is None:
            return False
        patience = EVENTS_ARE_LATE if self._session.evidence.by_events else 0.0
        return self._session.ports.monotonic() - active.engine_ended >= patience

    @property
    def impatient(self) -> bool:
        """Whether something was seen that the next answer of the engine has to decide."""
        now = self._session.ports.monotonic()
        return any(
            active.held
            or (active.absent_since is not None and now - active.absent_since <= _CONFIRM_AFTER * 2)
            for active in self._session.active.values()
        )

    async def poll_hooks(self, jobs: Iterable[Job], counter: int) -> None:
        """Fire `on_job_polling` for those of the jobs that run."""
        if self._session.hooks.has("on_job_polling"):
            for job in jobs:
                if job.status is JobStatus.RUNNING:
                    await self._session.hooks.fire(
                        "on_job_polling",
                        scheduler=self._session.scheduler,
                        job=job,
                        counter=counter,
                    )

    def _believed(self, absent: Sequence[Active], named: int) -> list[Active]:
        """Return those whose absence was said before: a single answer may be a slip.

        One that names none of several jobs more likely is, however often: what waits would be submitted
        again, and again. Only what is being killed may well be gone all at once.
        """
        now = self._session.ports.monotonic()
        wanted = [active for active in absent if active.job.status is not JobStatus.KILLING]
        doubtful = {active.job.index for active in wanted} if len(wanted) > 1 and not named else ()
        believed = []
        for active in absent:
            if active.absent_since is None:
                active.absent_since = now
            elif now - active.absent_since >= self._patience(active.job.index in doubtful):
                believed.append(active)
        return believed

    def _patience(self, doubtful: bool) -> float:
        return self._session.scheduler.lost_after if doubtful else _CONFIRM_AFTER

    # --- records -------------------------------------------------------------------------------

    async def _look_at_records(self, ended: list[Active], forgotten: Mapping[int, str]) -> None:
        """Decide about attempts that the engine no longer has; some it certainly never starts."""
        actives = [active for active in ended if self._is_current(active)]
        if not actives:
            return
        claims = await self._session.evidence.read_records(actives)
        unclaimed = []
        for active, claim in zip(actives, claims, strict=True):
            if claim is None:
                unclaimed.append(active)
            elif claim.is_fence:
                await self._gone(active, "it never started, and cannot any more")
            elif await self._session.evidence.take_record(
                # No start after a sealed one has run anything.
                active,
                claim,
                0 if claim.sealed else active.job.restart,
                _SILENT,
            ):
                continue
            elif claim.sealed or active.job.status is JobStatus.KILLING or self._too_late(active):
                # Of what was killed no record is to be expected: the recorder may have been killed.
                await self._gone(active, "it started, is gone, and left no record")
        for active in await self.fence(unclaimed):
            if active.job.index in forgotten:
                self._session.warn(f"jobs are submitted again: {forgotten[active.job.index]}")
                await self._start_over(active)
            else:
                await self._gone(active, "the engine does not know it any more; it never started")

    def _too_late(self, active: Active) -> bool:
        since = [s for s in (active.absent_since, active.engine_ended) if s is not None]
        now = self._session.ports.monotonic()
        return bool(since) and now - min(since) >= self._session.scheduler.lost_after

    async def _gone(self, active: Active, reason: str) -> None:
        await self._session.evidence.engine_failed(active, Failure.LOST, reason)

    def _is_current(self, active: Active) -> bool:
        return self._session.active.get(active.job.index) is active

    async def fence(self, actives: Sequence[Active]) -> list[Active]:
        """Make sure that these attempts never start; return those of which that is now certain."""
        return await self._try_to_fence(actives) or []

    async def _try_to_fence(self, actives: Sequence[Active]) -> list[Active] | None:
        """Fence attempts; None where nothing is known, since the driver cannot write now."""
        # While this was found out, some may have gone on: their next attempts are not meant.
        actives = [active for active in actives if self._is_current(active)]
        if not actives:
            return []
        jobs = [active.job for active in actives]
        try:
            won = await self._session.scheduler.fence(jobs)
        except OSError as error:  # such as a full disk: it is tried again
            self._session.warn(f"jobs cannot be kept from starting now: {error}")
            return None
        return [a for a in actives if a.id in won]

    # --- submissions of which the answer was lost --------------------------------------------------

    def look_up(self, submission: Submission, jobs: Sequence[Job]) -> None:
        """Have a submission looked up in the engine until it is known whether it arrived."""
        attempts = tuple(AttemptId(job.index, job.attempt) for job in jobs)
        now = self._session.ports.monotonic()
        self._lookups[submission.sid] = _Lookup(submission, attempts, now)
        self._session.wake()

    async def settle_lookups(self) -> None:
        """Ask once about all submissions whose outcome is unknown."""
        if not self._lookups:
            return
        lookups = list(self._lookups.values())
        scheduler = self._session.scheduler
        try:
            found = await scheduler.find_submissions([lookup.submission for lookup in lookups])
        except EngineUnavailable as error:
            self._session.backoff.refused(error)
            self._session.warn(f"submissions cannot be looked up now: {error}")
            for lookup in lookups:
                # One that can be asked by name will be asked, however long it is away.
                late = self._session.ports.monotonic() - lookup.since >= scheduler.lost_after
                if late and not scheduler.finds_submissions():
                    await self._never_arrived(lookup)
            return
        for lookup in lookups:
            ids = found.get(lookup.submission.sid)
            if ids is not None:
                await self._arrived(lookup, ids)
            elif not scheduler.outlives_driver or self._absent_twice(lookup):
                await self._never_arrived(lookup)

    def _absent_twice(self, lookup: _Lookup) -> bool:
        now = self._session.ports.monotonic()
        if lookup.absent_since is None:
            lookup.absent_since = now
        return now - lookup.absent_since >= _CONFIRM_AFTER

    def _actives(self, lookup: _Lookup) -> list[Active]:
        pairs = [(self._session.active.get(a.job_index), a) for a in lookup.attempts]
        return [active for active, a in pairs if active and active.attempt == a.attempt]

    async def _arrived(self, lookup: _Lookup, ids: Mapping[AttemptId, str]) -> None:
        del self._lookups[lookup.submission.sid]
        for active in self._actives(lookup):
            jid = ids.get(active.id)
            await self._session.submitter.accept(active, jid)

    async def _never_arrived(self, lookup: _Lookup) -> None:
        """Give the attempts up; those that cannot be fenced did start after all."""
        del self._lookups[lookup.submission.sid]
        actives = [active for active in self._actives(lookup) if not active.accepted]
        if not self._session.scheduler.outlives_driver:
            for active in actives:
                self._session.submitter.resubmit(active)
            return
        fenced = await self._try_to_fence(actives)
        if fenced is None:
            self._lookups[lookup.submission.sid] = lookup
            return
        for active in actives:
            if active in fenced:
                await self._start_over(active)
            else:
                await self._session.submitter.accept(active, None)

    async def _start_over(self, active: Active) -> None:
        job = active.job
        if job.status is JobStatus.KILLING:
            await self._session.scheduler.transition_job_status(job, JobStatus.KILLED)
            return
        self._session.submitter.supersede(active)
        self._session.enqueue(job)

    # --- the spool -----------------------------------------------------------------------------

    async def read_spool(self) -> bool:
        """Take in what wrappers have to say: one listing, however many jobs run.

        False where there was nothing.
        """
        return await self._spool.read()
