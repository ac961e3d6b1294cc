"""A driver that another one meets: python drivers_driver.py WORKDIR GO [HEARTBEAT]."""

from __future__ import annotations

import sys

import anyio

import sched_core.runfolder.lease
import sched_core.runner.rounds
from sched_core import Runner
from sched_local import LocalScheduler

WAIT = 'echo "$SCHED_ATTEMPT"; until [[ -e $1 ]]; do sleep 0.02; done'


async def main(workdir: str, go: str) -> None:
    scheduler = LocalScheduler(workdir, forks=2, grace=0.5)
    async with Runner(scheduler, plugins=[], existing="resume") as runner:
        await runner.feed_all([["bash", "-c", WAIT, name, go] for name in ("one", "two", "three")])
        sys.stdout.write("driving\n")
        sys.stdout.flush()


if __name__ == "__main__":
    if len(sys.argv) > 3:
        interval = float(sys.argv[3])
        sched_core.runfolder.lease.HEARTBEAT_INTERVAL = interval
        vars(sched_core.runner.rounds)["HEARTBEAT_INTERVAL"] = interval
    anyio.run(main, sys.argv[1], sys.argv[2])
