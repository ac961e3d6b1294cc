"""The tasks behind a runner's block."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeVarTuple

import anyio
from anyio.abc import TaskGroup

if TYPE_CHECKING:
    from ..lifecycle.session import Session

__all__ = ["Tasks"]

Args = TypeVarTuple("Args")

log = logging.getLogger("sched")


class Tasks:
    """One group of tasks, which outlive the cancellation of the block and are ended by `finish`."""

    def __init__(self, session: Session, stop: Callable[[], Awaitable[None]]) -> None:
        """Run the tasks of that session; `stop` ends the run where one of them fails."""
        self._session, self._stop = session, stop
        self._group: TaskGroup = anyio.create_task_group()
        self._scopes: set[anyio.CancelScope] = set()
        self._ended = anyio.Event()

    async def __aenter__(self) -> Self:
        await self._group.__aenter__()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        self._group.cancel_scope.cancel()
        return await self._group.__aexit__(exc_type, exc, traceback)

    async def finish(self) -> None:
        """End all tasks; call it shielded, since they may have something to end themselves."""
        while self._scopes:
            for scope in list(self._scopes):
                scope.cancel()
            await self._ended.wait()
            self._ended = anyio.Event()

    def spawn(self, function: Callable[[*Args], Awaitable[None]], *args: *Args) -> None:
        """Start a task."""
        # Shielded: when the block is cancelled from outside, the ends of what is then killed must
        # still be seen. `finish` ends the tasks.
        scope = anyio.CancelScope(shield=True)
        self._scopes.add(scope)
        self._group.start_soon(self._run, scope, function, args)

    async def _run(
        self,
        scope: anyio.CancelScope,
        function: Callable[[*Args], Awaitable[None]],
        args: tuple[*Args],
    ) -> None:
        try:
            with scope:
                await function(*args)
        except Exception as error:
            log.debug("a task of the run has failed", exc_info=error)
            self._session.fail(error)
            # Nobody may be left who would see the jobs end.
            self.spawn(self._stop)
        finally:
            self._scopes.discard(scope)
            self._ended.set()
