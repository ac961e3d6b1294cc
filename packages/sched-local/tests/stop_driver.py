"""A host program that runs until it is interrupted, and says how it came out.

python stop_driver.py LOOP HOW WORKDIR [OWN]: LOOP is asyncio.run, asyncio or trio; HOW is plain,
handled, or own (the host has a SIGTERM handler of its own).
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from contextlib import AsyncExitStack

import anyio

from sched_core import RunInterrupted, Runner, handle_signals
from sched_local import LocalScheduler

STUBBORN = """
trap '' TERM INT HUP
setsid bash -c 'trap "" TERM INT HUP; while :; do sleep 0.1; done' &
echo begun
while :; do sleep 0.1; done
"""
POLITE = "echo begun; exec sleep 600"


def say(**what: object) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


async def main(how: str, workdir: str, script: str) -> None:
    runner = Runner(LocalScheduler(workdir, forks=2, grace=float(sys.argv[5])), plugins=[])
    handlers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    async with AsyncExitStack() as stack:
        if how == "handled":
            await stack.enter_async_context(handle_signals(runner))
        await stack.enter_async_context(runner)
        if how != "handled":
            assert handlers == [
                signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)
            ]
        jobs = [await runner.feed(["bash", "-c", script]) for _ in range(4)]
        for job in jobs[:2]:
            while not (await job.stdout_file.exists() and await job.stdout_file.read_text()):  # noqa: ASYNC110  # another process writes it
                await anyio.sleep(0.02)
        say(running=[job.jid for job in jobs[:2]])
        await anyio.sleep_forever()


def run(loop: str, how: str, workdir: str, script: str) -> None:
    if how == "own":
        signal.signal(signal.SIGTERM, lambda *_: say(heard="SIGTERM"))
    try:
        if loop == "asyncio.run":
            asyncio.run(main(how, workdir, script))
        else:
            anyio.run(main, how, workdir, script, backend=loop)
    except RunInterrupted as error:
        say(raised="RunInterrupted", signum=error.signum, left=[job.index for job in error.left])
    except BaseException as error:  # noqa: BLE001  # the test asks which
        say(raised=type(error).__name__)


if __name__ == "__main__":
    run(
        sys.argv[1], sys.argv[2], sys.argv[3], {"stubborn": STUBBORN, "polite": POLITE}[sys.argv[4]]
    )
