"""`--cpus`, `--memory`, `--time`, `--gpus`: what each job gets, and what those get that run again."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from sched_core.errors import OptionError
from sched_core.model.resources import Resources

if TYPE_CHECKING:
    from sched_core import Scheduler
    from sched_core.runfolder import JobRecord

__all__ = ["WISHES", "check_retry", "parse_wishes"]

WISHES = ("cpus", "memory", "time", "gpus")
"""The flags, which are fields of Resources as well."""


def parse_wishes(
    cpus: float | str | None = None,
    memory: str | None = None,
    time: str | None = None,
    gpus: int | str | None = None,
) -> Resources:
    """Return what was typed. Commas part the values of memory and time for one attempt after the other.

    Raises OptionError.
    """
    return Resources(cpus, _several(memory), _several(time), gpus)


def _several(text: str | None) -> Any:
    """One value alone, so that what is wrong with it is said of what was typed."""
    words = None if text is None else text.split(",")
    return words[0] if words is not None and len(words) == 1 else words


def check_retry(scheduler: Scheduler, jobs: Iterable[JobRecord], resources: Resources) -> None:
    """Refuse what the scheduler cannot promise these jobs, before anybody is asked to run them again.

    Raises OptionError, which names the job.
    """
    from sched_core.runner.opening import restore_job
    from sched_core.scheduler.wishes import change_resources

    for record in jobs:
        try:
            change_resources(scheduler, restore_job(scheduler, record), resources)
        except OptionError as error:
            raise OptionError(f"{error} (job {record.index})") from None
