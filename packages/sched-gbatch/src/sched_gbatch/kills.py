"""How tasks are ended: Batch itself can only cancel a whole job."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from sched_core import (
    EngineUnavailable,
    Job,
    JobStatus,
    Submission,
)
from sched_core.lifecycle.active import Active
from sched_core.lifecycle.session import Session

from .asking import cancel
from .names import batch_id
from .service import BatchService

__all__ = ["Kills"]

_MARGIN = 10.0
"""Seconds after the grace period before a job is cancelled whose tasks were told to end."""
_ALL = "*"
_FEW = 64
"""Tasks of a Batch job for each of which it is worth to make sure that it does not start."""


class Kills:
    """Tells tasks to end, by objects `.sched/kills/SID.WORD` that they look for: a line INDEX:ATTEMPT
    for each, or one `*` for all of a submission.
    """

    def __init__(self, session: Session, service: BatchService, grace: float) -> None:
        self._session = session
        self._service = service
        self._grace = grace
        self._cancel_at: dict[str, tuple[float, str]] = {}

    def few(self, jobs: Sequence[Job]) -> list[Job]:
        """Return the jobs without those of large submissions that end as a whole."""
        wanted = {job.index for job in jobs}
        whole = set()
        for actives in self._by_submission(wanted).values():
            if len(actives) > _FEW and all(a.job.status is JobStatus.KILLING for a in actives):
                whole |= {active.job.index for active in actives}
        return [job for job in jobs if job.index not in whole]

    async def kill(self, jobs: Sequence[Job]) -> None:
        """Have these jobs ended. Raises EngineUnavailable."""
        wanted = {job.index for job in jobs}
        for submission, actives in self._by_submission(wanted).items():
            mine = [active for active in actives if active.job.index in wanted]
            others = [a for a in actives if not self._is_dying(a, wanted)]
            if others:
                lines = [f"{a.job.index}:{a.attempt}" for a in mine]
                await self._tell(submission, lines)
            elif any(a.job.started is not None for a in mine):
                self._plan(submission)  # also where the bucket is away, and tasks cannot be told
                await self._tell(submission, [_ALL])
            else:
                await self._cancel(submission.name)

    def _is_dying(self, active: Active, wanted: Iterable[int]) -> bool:
        return active.job.index in wanted or active.job.status is JobStatus.KILLING

    def _by_submission(self, wanted: set[int]) -> dict[Submission, list[Active]]:
        """Return all active attempts of the submissions that some of the jobs are in."""
        active = list(self._session.active.values())
        sids = {a.submission.sid for a in active if a.submission and a.job.index in wanted}
        groups: dict[str, tuple[Submission, list[Active]]] = {}
        for one in active:
            if one.submission is not None and one.submission.sid in sids:
                groups.setdefault(one.submission.sid, (one.submission, []))[1].append(one)
        return dict(groups.values())

    async def _tell(self, submission: Submission, lines: Sequence[str]) -> None:
        ports = self._session.ports
        path = f"{self._folder}/{submission.sid}.{ports.random.getrandbits(40):010x}"
        text = "".join(f"{line}\n" for line in lines).encode()
        try:
            await ports.offload(ports.files.write, path, text)
        except OSError as error:
            raise EngineUnavailable(f"that jobs are to end cannot be told: {error}") from error

    def _plan(self, submission: Submission) -> None:
        """Have the Batch job cancelled if its tasks do not end; at once where they had their time."""
        at = self._session.ports.monotonic() + self._grace + _MARGIN
        self._cancel_at.setdefault(submission.sid, (at, submission.name))

    async def cancel_late(self) -> None:
        """Cancel the Batch jobs whose tasks did not end in time."""
        now = self._session.ports.monotonic()
        for sid, (at, name) in list(self._cancel_at.items()):
            if sid not in self._session.submissions.left:
                del self._cancel_at[sid]
            elif now >= at:
                self._cancel_at[sid] = now + self._grace + _MARGIN, name
                try:
                    await self._cancel(name)
                except EngineUnavailable as error:
                    self._session.warn(f"a Batch job cannot be cancelled now: {error}")

    async def _cancel(self, name: str) -> None:
        await cancel(self._session.ports, self._service, batch_id(name))

    async def tidy(self) -> None:
        """Remove what tasks were told by, also by earlier drivers, where none is left to look for it."""
        try:
            await self._session.ports.offload(
                self._remove_settled, set(self._session.submissions.left)
            )
        except OSError as error:
            self._session.warn(f"objects in .sched/kills cannot be removed: {error}")

    def _remove_settled(self, left: Collection[str]) -> None:
        files, folder = self._session.ports.files, self._folder
        settled = [name for name in files.names(folder) if name.partition(".")[0] not in left]
        if settled:
            files.remove_many([f"{folder}/{name}" for name in settled])

    @property
    def _folder(self) -> str:
        return f"{self._session.layout.home}/kills"
