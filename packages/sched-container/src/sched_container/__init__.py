"""Run jobs in containers of Docker, Podman and Apptainer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .scheduler import ContainerScheduler

__all__ = ["ContainerScheduler"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'sched_container' has no attribute {name!r}")
    from .scheduler import ContainerScheduler

    return ContainerScheduler
