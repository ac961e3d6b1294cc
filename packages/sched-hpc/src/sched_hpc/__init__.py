"""Run jobs on the queues of clusters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .sge import SgeScheduler
    from .slurm import SlurmScheduler

__all__ = ["SgeScheduler", "SlurmScheduler"]


def __getattr__(name: str) -> Any:
    if name == "SlurmScheduler":
        from .slurm import SlurmScheduler

        return SlurmScheduler
    if name == "SgeScheduler":
        from .sge import SgeScheduler

        return SgeScheduler
    raise AttributeError(f"module 'sched_hpc' has no attribute {name!r}")
