"""Signals, for hosts that ask for it: nothing here happens by itself."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
from anyio.abc import TaskStatus

from .runner import Runner

__all__ = ["handle_signals"]


@asynccontextmanager
async def handle_signals(
    runner: Runner,
    *signals: signal.Signals,
) -> AsyncIterator[None]:
    """End the run on SIGINT, SIGTERM or SIGHUP (or on those given) while in this block.

    Put it around the runner's: `async with handle_signals(runner), runner:`. The first signal ends
    the runner's block: what runs is killed, and RunInterrupted tells the signal. A second one leaves
    at once what still runs. Former handlers are back when the block is left.
    """
    raised: BaseException | None = None
    async with anyio.create_task_group() as group:
        await group.start(_interrupt, runner, signals or _SIGNALS)
        try:
            yield
        except anyio.get_cancelled_exc_class():
            raise
        except BaseException as error:  # noqa: BLE001  # raised again where no group wraps it
            raised = error
        finally:
            group.cancel_scope.cancel()
    if raised is not None:
        raise raised


_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


async def _interrupt(
    runner: Runner, signals: tuple[signal.Signals, ...], *, task_status: TaskStatus[None]
) -> None:
    with anyio.open_signal_receiver(*signals) as received:
        task_status.started()
        async for signum in received:
            runner.interrupt(signum)
