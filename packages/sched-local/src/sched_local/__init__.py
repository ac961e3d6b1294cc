"""Run jobs as processes of this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .scheduler import LocalScheduler

__all__ = ["LocalScheduler"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'sched_local' has no attribute {name!r}")
    from .scheduler import LocalScheduler

    return LocalScheduler
