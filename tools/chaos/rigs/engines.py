"""The tests' own engines, which are imported only when they are started."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from random import Random
from typing import Any

from ..faults import Fault
from ..rig import CannotStart

__all__ = ["daemon_faults", "engine_class", "started"]

_ROOT = Path(__file__).resolve().parents[3]


def engine_class(name: str) -> Any:
    """Return what is called MODULE:NAME below tests-integration."""
    if str(_ROOT) not in sys.path:
        sys.path.append(str(_ROOT))
    module, _, name = name.partition(":")
    return getattr(import_module(f"tests-integration.{module}"), name)


@contextmanager
def started(make: Callable[[], Any]) -> Iterator[Any]:
    """Have an engine for the block. Raises CannotStart."""
    missing = engine_class("daemons:EngineMissing")
    try:
        engine = make()
    except missing as error:
        raise CannotStart(str(error)) from None
    try:
        try:
            engine.start()
        except missing as error:
            raise CannotStart(str(error)) from None
        yield engine
    finally:
        engine.stop()


def daemon_faults(
    name: str, daemon: Any, lasts: tuple[float, float] = (0.5, 6.0)
) -> dict[str, Fault]:
    """Return what can happen to a daemon: it is killed and comes back, or stands still for a while."""

    def kill(chance: Random) -> Callable[[], None]:
        daemon.kill()
        return lambda: _go_on(daemon)

    def stop(chance: Random) -> Callable[[], None]:
        daemon.signal(signal.SIGSTOP)
        return lambda: _go_on(daemon)

    return {f"{name} killed": Fault(kill, lasts), f"{name} stopped": Fault(stop, lasts)}


def _go_on(daemon: Any) -> None:
    if daemon.alive:
        daemon.signal(signal.SIGCONT)
    daemon.start()
