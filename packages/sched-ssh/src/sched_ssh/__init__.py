"""Run jobs on other hosts over SSH."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .scheduler import SshScheduler

__all__ = ["SshScheduler"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'sched_ssh' has no attribute {name!r}")
    from .scheduler import SshScheduler

    return SshScheduler
