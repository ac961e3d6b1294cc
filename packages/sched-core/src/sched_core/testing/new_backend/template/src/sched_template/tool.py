"""Runs the engine's tool: the only module that reaches the engine, and never without a limit."""

from __future__ import annotations

from collections.abc import Sequence

import anyio
from sched_core import EngineUnavailable

from .answers import read_error

__all__ = ["run_tool"]


async def run_tool(argv: Sequence[str], patience: float) -> str:
    """Return what the tool prints.

    Raises TimeoutError after `patience` seconds: then nobody knows what it has done. Raises what
    its exit code stands for, and EngineUnavailable where it cannot be run at all.
    """
    try:
        with anyio.fail_after(patience):
            # In a session of its own: a Ctrl-C that is meant for the driver must not reach it.
            done = await anyio.run_process(argv, check=False, start_new_session=True)
    except OSError as error:
        if isinstance(error, TimeoutError):
            raise
        raise EngineUnavailable(f"{argv[0]} cannot be run: {error}", command=argv) from error
    if done.returncode != 0:
        raise read_error(done.returncode, done.stderr.decode(errors="replace"))
    return done.stdout.decode(errors="replace")
