"""Holding a run's lease for something else than driving it."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import anyio

from ..errors import RunLocked
from ..ports import Ports
from ..runfolder import HEARTBEAT_INTERVAL, Layout, Lease, acquire_lease, require_run

__all__ = ["hold_run", "work_off"]


@asynccontextmanager
async def hold_run(ports: Ports, layout: Layout) -> AsyncIterator[Lease]:
    """Keep drivers away from the run within the block, and show them that somebody is at work.

    Raises RunNotFound, RunCorrupt, and RunLocked where somebody drives the run.
    """
    await ports.offload(require_run, ports.files, layout)  # before there is a lease of none
    lease = await acquire_lease(ports, layout)
    try:
        async with _beating(ports, lease):
            yield lease
    finally:
        with anyio.CancelScope(shield=True):
            await ports.offload(lease.release)


async def work_off(ports: Ports, steps: Iterator[object]) -> None:
    """Do, outside of the event loop, what an iterator does step by step; between two of them it can be
    cancelled.
    """
    while await ports.offload(next, steps, work_off) is not work_off:
        pass


@asynccontextmanager
async def _beating(ports: Ports, lease: Lease) -> AsyncIterator[None]:
    """Show drivers on other machines that somebody is at work."""
    error = None
    async with anyio.create_task_group() as group:
        group.start_soon(_beat, ports, lease)
        try:
            yield
        except Exception as raised:  # noqa: BLE001  # raised again, not as a group
            error = raised
        group.cancel_scope.cancel()
    if error is not None:
        raise error


async def _beat(ports: Ports, lease: Lease) -> None:
    while True:
        await ports.sleep(HEARTBEAT_INTERVAL)
        with contextlib.suppress(OSError, RunLocked):
            await ports.offload(lease.beat)
