"""Run jobs on the queues of clusters."""

from .slurm import SlurmScheduler

__all__ = ["SlurmScheduler"]
