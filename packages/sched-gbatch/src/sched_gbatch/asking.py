"""Calls of the service from the event loop: in a worker thread, with one kind of error."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar, TypeVarTuple

from sched_core import BackendError, EngineUnavailable, SubmitOutcomeUnknown, SubmitRejected
from sched_core.ports import Ports

from .names import request_id
from .service import BatchService
from .troubles import Refused

__all__ = ["ask", "cancel", "create"]

_ATTEMPTS = 4
_FIRST_DELAY = 0.5

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


async def create(
    ports: Ports, service: BatchService, batch: str, asked: Mapping[str, Any], request: str
) -> None:
    """Have a Batch job made: the same request, repeated, makes one.

    Raises SubmitRejected, EngineUnavailable, and SubmitOutcomeUnknown where nobody knows.
    """
    unknown: SubmitOutcomeUnknown | None = None
    delay = _FIRST_DELAY
    for _ in range(_ATTEMPTS):
        if unknown is not None:
            await ports.sleep(delay * ports.random.uniform(0.5, 1.0))
            delay *= 2
        try:
            return await ports.offload(service.create, batch, asked, request)
        except SubmitOutcomeUnknown as error:
            unknown = error
        except (EngineUnavailable, Refused, SubmitRejected) as error:
            # That this call did nothing does not tell what the one before has done.
            raise unknown or _for_jobs(error) from error
    assert unknown is not None
    raise unknown


def _for_jobs(error: BackendError) -> BackendError:
    return SubmitRejected(str(error)) if isinstance(error, Refused) else error
