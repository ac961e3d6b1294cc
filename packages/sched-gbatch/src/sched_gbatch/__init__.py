"""Run jobs on Google Cloud Batch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .scheduler import GbatchScheduler

__all__ = ["GbatchScheduler"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'sched_gbatch' has no attribute {name!r}")
    from .scheduler import GbatchScheduler

    return GbatchScheduler
