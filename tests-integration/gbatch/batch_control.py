"""What a test may do to the service that no client could."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from .batch_faults import Fault
from .batch_fleet import Attempt, Fate, JobFate, TaskFate
from .batch_jobs import Job, JobState
from .batch_service import Service

__all__ = ["Control"]


class Control:
    """Each public method is a verb; what it is given and what it returns is JSON."""

    def __init__(self, service: Service) -> None:
        self._service, self._fleet = service, service.fleet

    # --- calls -----------------------------------------------------------------------------------

    async def fault(self, **words: Any) -> None:
        self._service.faults.order(Fault(**words))

    async def clear_faults(self) -> None:
        self._service.faults.clear()

    async def calls(self) -> dict[str, int]:
        return dict(self._service.traffic.counts)

    async def requests(self) -> list[dict[str, str]]:
        return self._service.traffic.requests

    async def reset_calls(self) -> None:
        self._service.traffic.reset()

    # --- tasks -----------------------------------------------------------------------------------

    async def strike(self, job: str, index: int, **fate: Any) -> None:
        self._fleet.strike(self._attempt(job, index), Fate(**fate))

    async def strike_next(
        self, count: int = 1, after: float = 0.0, match: str = ".*", **fate: Any
    ) -> None:
        order = TaskFate(fate=Fate(**fate), count=count, after=after, match=match)
        self._fleet.task_fates.append(order)

    async def freeze(self) -> None:
        self._fleet.frozen = True

    async def resume(self) -> None:
        self._fleet.frozen = False
        await self._fleet.pump()

    async def starts(self) -> list[dict[str, Any]]:
        return [asdict(start) for start in self._fleet.starts]

    async def most_running(self, job: str = "") -> int:
        return self._job(job).most_running if job else self._fleet.most_running

    async def running(self) -> list[str]:
        """Return JOB/INDEX/ATTEMPT of all that runs, as far as the service knows."""
        return [one.place for some in self._fleet.attempts.values() for one in some]

    async def logs(self, job: str, index: int, attempt: int = 0) -> str:
        return str(self._fleet.machines.logs(self._job(job), index, attempt))

    # --- jobs ------------------------------------------------------------------------------------

    async def fail_next(self, words: Sequence[str] = (), count: int = 1) -> None:
        self._fleet.job_fates.append(JobFate(state="FAILED", words=list(words), count=count))

    async def hold_next(
        self, state: str = "SCHEDULED", words: Sequence[str] = (), count: int = 1
    ) -> None:
        self._fleet.job_fates.append(JobFate(state=state, words=list(words), count=count))

    async def clear_fates(self) -> None:
        self._fleet.job_fates.clear()
        self._fleet.task_fates.clear()

    async def release(self, job: str) -> None:
        self._job(job).held = False
        await self._fleet.pump()

    async def tell(self, job: str, words: str) -> None:
        """Add an event to a job."""
        self._job(job).tell(words)

    async def end(self, job: str, state: str = "FAILED", words: str = "") -> None:
        """End a job: what runs is killed, the rest is not executed."""
        await self._fleet.end(self._job(job), JobState[state], words)

    async def delete(self, job: str) -> None:
        """Have a job gone, as somebody else's deletion would."""
        found = self._job(job)
        await self._fleet.end(found, JobState.DELETION_IN_PROGRESS)
        self._fleet.forget(found)

    async def cancel(self, job: str) -> None:
        """Cancel a job, as somebody else would."""
        found = self._job(job)
        found.move(JobState.CANCELLATION_IN_PROGRESS)
        await self._fleet.end(found, JobState.CANCELLED)

    async def jobs(self) -> dict[str, str]:
        """Return the states of all jobs, by id, in the order in which they were created."""
        return {job.job_id: job.state.name for job in self._fleet.jobs.values()}

    async def tasks(self, job: str) -> list[str]:
        return [task.state.name for task in self._job(job).tasks]

    async def show(self, bucket: str, folder: str) -> None:
        """Have jobs that are created from now on see a bucket by this folder."""
        self._fleet.machines.places.mounted[bucket] = Path(folder)

    # --- waiting ---------------------------------------------------------------------------------

    async def wait(
        self, job: str = "", states: Sequence[str] = (), starts: int = 0, patience: float = 60.0
    ) -> bool:
        """Wait until a job, if one is named, has one of these states, and so many tasks have been
        started; say whether that came.
        """

        def is_so() -> bool:
            there = self._find(job)
            state = there.state.name if there else "DELETED"
            return (not job or state in states) and len(self._fleet.starts) >= starts

        try:
            async with asyncio.timeout(patience), self._fleet.changed:
                await self._fleet.changed.wait_for(is_so)
        except TimeoutError:
            return False
        return True

    # --- finding ---------------------------------------------------------------------------------

    def _find(self, job: str) -> Job | None:
        """Find a job by its name or its id."""
        for name, found in self._fleet.jobs.items():
            if job in (name, found.job_id):
                return found
        return None

    def _job(self, job: str) -> Job:
        found = self._find(job)
        if found is None:
            raise LookupError(f"there is no job {job}")
        return found

    def _attempt(self, job: str, index: int) -> Attempt:
        for attempt in self._fleet.attempts[self._job(job).name]:
            if attempt.task.index == index:
                return attempt
        raise LookupError(f"task {index} of {job} does not run")
