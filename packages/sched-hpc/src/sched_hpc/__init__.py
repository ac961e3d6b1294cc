"""Run jobs on the queues of clusters."""

from .sge import SgeScheduler
from .slurm import SlurmScheduler

__all__ = ["SgeScheduler", "SlurmScheduler"]
