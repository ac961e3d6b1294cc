"""Calls of the service from the event loop: in a worker thread, with one kind of error."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, TypeVarTuple

from sched_core import EngineUnavailable
from sched_core.errors import BackendError
from sched_core.ports import Ports

from .names import request_id
from .service import BatchService

__all__ = ["ask", "cancel"]

T = TypeVar("T")
Args = TypeVarTuple("Args")


async def ask(ports: Ports, question: Callable[[*Args], T], *args: *Args) -> T:
    """Ask the service. Raises EngineUnavailable for anything but an answer."""
    try:
        return await ports.offload(question, *args)
    except EngineUnavailable:
        raise
    except BackendError as error:
        raise EngineUnavailable(str(error)) from error


async def cancel(ports: Ports, service: BatchService, batch: str) -> None:
    """Have all tasks of a Batch job ended; repeated, it is one request. Raises EngineUnavailable."""
    await ask(ports, service.cancel, batch, request_id(f"{batch}:cancel"))
