"""The whole of a run in one call, for scripts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import anyio

from ..model.job import Job
from .runner import Runner

if TYPE_CHECKING:
    from ..scheduler import Scheduler

__all__ = ["run"]


def run(
    scheduler: Scheduler,
    commands: Iterable[Job | str | Sequence[object] | Mapping[str, Any]],
    *,
    backend: Literal["asyncio", "trio"] = "asyncio",
    **options: Any,
) -> list[Job]:
    """Run commands and return their jobs, in the order given, all ended.

    All are recorded before the first starts. A command is what `Runner.feed_all` takes. `options` are those of Runner. Raises as the runner
    does; a failed job raises nothing but under `error_strategy="halt"`.
    """
    return anyio.run(_run, scheduler, list(commands), options, backend=backend)


async def _run(
    scheduler: Scheduler,
    commands: list[Job | str | Sequence[object] | Mapping[str, Any]],
    options: dict[str, Any],
) -> list[Job]:
    async with Runner(scheduler, **options) as runner:
        return await runner.feed_all(commands)
