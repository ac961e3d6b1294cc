"""What a job's attempts ask for: its own wishes and the scheduler's, raised after one had too little."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import OptionError
from ..model.failure import Failure
from ..model.job import Job
from ..model.resources import Resources
from .configuration import Configured

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .backend import Backend

__all__ = ["Wishes", "change_resources", "check_every_attempt"]

_TOO_LITTLE: Mapping[Failure, str] = {Failure.OUT_OF_MEMORY: "memory", Failure.TIMEOUT: "time"}
"""The resource of which there was too little, by the class of the failure that says so."""


class Wishes(Configured):
    """Says what an attempt is to get."""

    def job_resources(self, job: Job) -> Resources:
        """Return what the job's present attempt needs: one value of each resource."""
        return self.all_resources(job).after(job.raised)

    def all_resources(self, job: Job) -> Resources:
        """Return the job's own wishes, and the scheduler's for the rest, for all of its attempts."""
        return self.resources if job.resources is None else self.resources.merge(job.resources)

    def time_limit(self, job: Job) -> float | None:
        """Return the wall time of the present attempt in seconds, None for no limit."""
        if self._is_limited_by_resources(job):
            return self.job_resources(job).time
        return job.timeout if job.timeout is not None else self.timeout

    def _is_limited_by_resources(self, job: Job) -> bool:
        """Tell whether no timeout comes first: the job's before all, the scheduler's before its own."""
        own = job.resources is not None and job.resources.time is not None
        return job.timeout is None and (own or self.timeout is None)

    def next_amount(self, job: Job, failure: Failure | None) -> tuple[str, float] | None:
        """Return of what another attempt would get more after such a failure, and how much; None where
        there is nothing more to be had.
        """
        name = _TOO_LITTLE.get(failure) if failure is not None else None
        if name is None or (name == "time" and not self._is_limited_by_resources(job)):
            return None
        amounts = self.all_resources(job).amounts(name)
        had = getattr(self.job_resources(job), name)
        return next(((name, amount) for amount in amounts if amount > had), None)

    def raise_resources(self, job: Job) -> bool:
        """Have the attempts that follow get more of what the failed one had too little of; False where
        there is nothing more to be had.
        """
        found = self.next_amount(job, job.failure)
        if found is None:
            return False
        name, amount = found
        job.raised = {**(job.raised or {}), name: amount}
        return True


def check_every_attempt(scheduler: Backend, job: Job) -> None:
    """Refuse a job that the backend cannot run, now or when what it asks for has been raised.

    Raises OptionError.
    """
    scheduler.check_job(job)
    wanted = scheduler.all_resources(job)
    if not wanted.further_memory and not wanted.further_time:
        return
    raised = job.raised
    names = [name for name in _TOO_LITTLE.values() if wanted.amounts(name)]
    job.raised = {name: wanted.amounts(name)[-1] for name in names}
    try:
        scheduler.check_job(job)
    finally:
        job.raised = raised


def change_resources(scheduler: Backend, job: Job, resources: Resources) -> None:
    """Have the attempts that follow ask for these in place of what the job has asked for; what is not
    among them stays.

    Raises OptionError where the backend cannot promise them; then nothing has changed.
    """
    before = job.resources, job.timeout, job.raised
    given = resources.to_json()
    job.resources = resources if job.resources is None else job.resources.merge(resources)
    job.timeout = None if "time" in given else job.timeout
    job.raised = {n: amount for n, amount in (job.raised or {}).items() if n not in given} or None
    try:
        check_every_attempt(scheduler, job)
    except OptionError:
        job.resources, job.timeout, job.raised = before
        raise
