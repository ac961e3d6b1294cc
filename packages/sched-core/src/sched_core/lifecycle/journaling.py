"""What a driver notes of its jobs, and how that is made safe."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from operator import attrgetter
from typing import TYPE_CHECKING, Any, TypeVar, TypeVarTuple

import anyio

from ..model.job import Job
from ..model.secret import Secret
from ..model.status import JobStatus
from ..runfolder.journal import Journal
from ..runfolder.state import JOB_STATE, SPARSE_STATE, job_entry, state_entry
from ..runfolder.submissions import Submission

if TYPE_CHECKING:
    from .session import Session

__all__ = ["Journaling"]

T = TypeVar("T")
Args = TypeVarTuple("Args")


class Journaling:
    """Writes the run's journal, with what has to be on the disk before or after it.

    A session that is detached, or only looks at a run, has no journal: what is noted is noted nowhere.
    """

    def __init__(self, session: Session, journal: Journal | None) -> None:
        """Write the journal of that session."""
        self._session, self._journal = session, journal
        self._noted: dict[int, dict[str, Any]] = {}
        self._news = anyio.Event()
        self._flushing = anyio.Lock()

    @property
    def is_kept(self) -> bool:
        """Whether there is a journal."""
        return self._journal is not None

    def note_job(self, job: Job) -> None:
        """Record what a job is to run."""
        self._session.secrets.settle(job)
        if self._journal is not None:
            self._add(self._journal, job_entry(job.index, _spec(job)))

    def note_state(self, job: Job) -> None:
        """Record where a job stands; several moves of an attempt before a flush become one entry."""
        job.reason = self._session.secrets.redactor.redact(job.reason)
        if self._journal is None:
            return
        entry = state_entry(job.index, job.status, self._session.ports.now(), self._state(job))
        noted = self._noted.get(job.index)
        if noted is not None and noted["attempt"] == job.attempt:
            noted.clear()
            noted.update(entry)
        else:
            self._noted[job.index] = entry
            self._add(self._journal, entry)

    def _add(self, journal: Journal, entry: dict[str, Any]) -> None:
        if not journal.pending:
            self._news.set()
        journal.add(entry)

    def _state(self, job: Job) -> dict[str, Any]:
        state: dict[str, Any] = dict(zip(JOB_STATE, _read_state(job), strict=True))
        sparse = zip(SPARSE_STATE, _read_sparse(job), strict=True)
        state.update([pair for pair in sparse if pair[1] is not None])
        killed = job.status is JobStatus.KILLED or job.status is JobStatus.KILLING
        if killed or job.index in self._session.cut_short:
            state["interrupted"] = self._session.goes_on(job)
        return state

    async def noted(self) -> None:
        """Wait until there is something to flush."""
        while self._journal is None or not self._journal.pending:
            self._news = anyio.Event()
            await self._session.ports.wait(self._news, None)

    # --- making it safe --------------------------------------------------------------------------

    async def flush(self) -> None:
        """Make what was noted safe. Raises OSError."""
        await self.flush_with(_nothing)

    async def close(self) -> None:
        """Make what was noted safe, and sum it up: nothing follows. Raises OSError."""
        await self.flush_with(_nothing if self._journal is None else self._journal.close)

    async def flush_with(self, function: Callable[[*Args], T], *args: *Args) -> T:
        """Make what was noted safe, then call the function, in one hop to a worker thread."""
        session = self._session
        if self._journal is None:
            await self.store_secrets()
            return await session.ports.offload(function, *args)
        async with self._flushing:
            self._noted = {}
            entries, secrets = self._journal.take(), session.secrets.take()
            settled = session.submissions.take_settled()
            try:
                return await session.ports.offload(
                    self._write, self._journal, entries, settled, secrets, function, *args
                )
            except BaseException:
                # A full disk, or a cancellation before it began. Said twice does no harm, not said
                # at all would.
                self._journal.put_back(entries)
                session.secrets.put_back(secrets)
                session.submissions.put_back(settled)
                self._news.set()
                raise

    def _write(
        self,
        journal: Journal,
        entries: list[dict[str, Any]],
        settled: list[Submission],
        secrets: Mapping[str, str],
        function: Callable[[*Args], T],
        *args: *Args,
    ) -> T:
        self._session.secrets.store(secrets)
        journal.write(entries)
        # Only now: what became of its attempts is safe without it.
        self.remove_settled(settled)
        return function(*args)

    async def store_secrets(self) -> None:
        """Write the values that scripts are about to refer to, if there are new ones. Raises OSError."""
        session = self._session
        if secrets := session.secrets.take():
            try:
                await session.ports.offload(session.secrets.store, secrets)
            except BaseException:
                session.secrets.put_back(secrets)
                raise

    def remove_settled(self, submissions: Iterable[Submission]) -> None:
        """Remove the records of submissions of which no attempt is open, and their scripts. Blocks."""
        session = self._session
        paths: list[str] = []
        for submission in submissions:
            paths += [
                session.layout.submission(submission.sid),
                *session.scheduler.stored_with(submission),
            ]
        session.ports.files.remove_many(paths)


_read_state = attrgetter(*JOB_STATE)
_read_sparse = attrgetter(*SPARSE_STATE)


def _spec(job: Job) -> Mapping[str, Any]:
    return {
        "cmd": job.cmd,
        "name": job.given_name,
        "envs": {n: v for n, v in (job.envs or {}).items() if not isinstance(v, Secret)},
        "secrets": job.secrets,
        "resources": job.resources.to_json() if job.resources is not None else None,
        "timeout": job.timeout,
        "inputs": job.inputs,
        "outputs": job.outputs,
        "container": job.container.to_json() if job.container is not None else None,
    }


def _nothing() -> None:
    """Have only the journal written."""
