"""Run jobs of sched by an engine of your own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .scheduler import TemplateScheduler

__all__ = ["TemplateScheduler"]


def __getattr__(name: str) -> Any:
    # On first use: a list of schedulers or the help of a command should load no engine's library.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from .scheduler import TemplateScheduler

    return TemplateScheduler
