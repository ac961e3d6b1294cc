"""Slurm: what it is told, what it tells, and what that means for jobs."""

from __future__ import annotations

from .scheduler import SlurmScheduler

__all__ = ["SlurmScheduler"]
