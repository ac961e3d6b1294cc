"""A driver of its own process, to be killed: begins the run, or goes on with it.

python mirror_driver.py WORKDIR COMMANDS
"""

from __future__ import annotations

import json
import sys

import anyio

from sched_core import Runner
from sched_local import LocalScheduler


async def _drive(workdir: str, commands: list[list[str]]) -> None:
    scheduler = LocalScheduler(workdir, forks=4)
    async with Runner(scheduler, existing="resume", plugins=[]) as runner:
        await runner.feed_all(commands)


if __name__ == "__main__":
    anyio.run(_drive, sys.argv[1], json.loads(sys.argv[2]))
