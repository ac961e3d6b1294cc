"""What Slurm and Grid Engine have in common: arrays, their limits, and tools to be run."""

from __future__ import annotations

from .scheduler import ClusterScheduler

__all__ = ["ClusterScheduler"]
