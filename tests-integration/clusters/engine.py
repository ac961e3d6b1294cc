"""Slurm and Grid Engine as the tests see them that hold for both."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

import pytest

from sched_core import Job
from sched_hpc.cluster import ClusterScheduler

__all__ = ["Engine"]

# The assertions of these modules are shown in full, as those of test modules are.
pytest.register_assert_rewrite(
    *(
        f"{__package__}.{name}"
        for name in "answers arrays calls chaos chunks containers drivers outcomes preview troubles".split()
    )
)


class Engine(ABC):
    """A real engine, what its tools are called, and what they do in the hands of its user."""

    scheduler_class: ClassVar[type[ClusterScheduler]]
    """The scheduler under test, which asks more often than users' do."""

    submits: ClassVar[str]
    """The tool that submits."""

    asks: ClassVar[str]
    """The tool that lists the queue."""

    kills: ClassVar[str]
    """The tool that ends jobs."""

    limits: ClassVar[str]
    """The tool that changes how many tasks of an array may run."""

    looks_back: ClassVar[str]
    """The tool that asks the accounting."""

    looks_into_each_array: ClassVar[bool]
    """Whether the accounting is asked about one array a call."""

    held: ClassVar[Mapping[str, Any]]
    """Options of jobs that the engine keeps waiting."""

    restartable: ClassVar[Mapping[str, Any]]
    """Options of jobs that the engine may start again."""

    told_task: ClassVar[str]
    """Shell code that prints the engine's id for the job, or for the array that it is in."""

    told_cores: ClassVar[str]
    """Shell code that prints how many cores the engine has given to the job."""

    @abstractmethod
    def cancel(self, job: Job) -> None:
        """End a job by hand."""

    @abstractmethod
    async def start_again(self, job: Job) -> None:
        """Have the engine take a job that runs back, and start it again; wait until it has begun."""

    @abstractmethod
    def has_limit(self, job: Job, limit: int) -> bool:
        """Tell whether the engine says that so many tasks of the job's array may run at once."""

    @abstractmethod
    def has_seen_memory(self, job: Job) -> bool:
        """Tell whether the engine, which may only look now and then, has seen the memory of a job."""

    @abstractmethod
    def has_accounted(self, job: Job) -> bool:
        """Tell whether the accounting knows the job's end."""

    @abstractmethod
    def queue(self) -> str:
        """Return the names of all jobs that the engine still has."""
