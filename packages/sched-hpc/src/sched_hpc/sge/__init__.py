"""Grid Engine: what it is told, what it tells, and what that means for jobs."""

from __future__ import annotations

from .scheduler import SgeScheduler

__all__ = ["SgeScheduler"]
