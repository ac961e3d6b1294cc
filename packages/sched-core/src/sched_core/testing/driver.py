"""A driver of its own process, to be killed: feeds the commands that its argument names.

It stands apart from the contract, so that starting one loads nothing that only tests need.
"""

from __future__ import annotations

import importlib
import json
import sys
from typing import Any, Literal

import anyio

from .. import Runner, Scheduler
from .dying import die_at


def _main(job: dict[str, Any]) -> None:
    sys.path[:] = job["path"]
    cls = getattr(importlib.import_module(job["module"]), job["name"])
    scheduler = cls(job["workdir"], **job["options"])
    given = (job["commands"], job["existing"], job["dies_at"])
    anyio.run(_drive, scheduler, *given, backend=job["backend"])


async def _drive(
    scheduler: Scheduler,
    commands: list[list[str]],
    existing: Literal["error", "resume"],
    dies_at: str,
) -> None:
    ports = scheduler.make_ports()
    die_at(dies_at, scheduler, ports)
    async with Runner(scheduler, plugins=[], existing=existing, ports=ports) as runner:
        await runner.feed_all(commands)


if __name__ == "__main__":
    _main(json.loads(sys.argv[1]))
