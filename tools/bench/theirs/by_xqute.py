"""https://github.com/pwwang/xqute, as its README shows it."""
# What is imported is in an environment of its own, which mypy does not see.
# mypy: disable-error-code="import-not-found,import-untyped"

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from clock import Took, start, took

_TRUE = ("/bin/true",)
_LONG_ENOUGH = ("/bin/sleep", "1")
"""On a cluster it waits for ever when a job ends while it still notes that it was submitted."""


def local(
    jobs: int,
    slots: int,
    scheduler: str = "local",
    command: Sequence[str] = _TRUE,
    **options: Any,
) -> Took:
    from xqute import Xqute

    async def main() -> None:
        driver = Xqute(scheduler, workdir="xqute", forks=slots, **options)
        for _ in range(jobs):
            await driver.feed(list(command))
        await driver.run_until_complete()

    began = start()
    asyncio.run(main())
    found = took(began)
    _check(jobs)
    return found


def _check(jobs: int) -> None:
    codes = [file.read_text().strip() for file in Path("xqute").glob("*/job.rc")]
    if codes != ["0"] * jobs:
        sys.exit(f"its jobs ended with {', '.join(sorted(set(codes))) or 'no code'}")


def slurm(jobs: int, slots: int) -> Took:
    return local(jobs, slots, "slurm", _LONG_ENOUGH)


def sge(jobs: int, slots: int) -> Took:
    return local(jobs, slots, "sge", _LONG_ENOUGH)


def sge_true(jobs: int, slots: int) -> Took:
    return local(jobs, slots, "sge")


def slurm_true(jobs: int, slots: int) -> Took:
    return local(jobs, slots, "slurm")


def container(jobs: int, slots: int) -> Took:
    """Run jobs in containers; the environment says of which engine and image."""
    options = json.loads(os.environ["BENCH_CONTAINER"])
    return local(jobs, slots, "container", scheduler_opts=options)


def ssh(jobs: int, slots: int) -> Took:
    """Return when the last job has left its return code.

    Over SSH it notes each job as submitted when that is over, and never sees an end: after `forks`
    jobs it would start no more.
    """
    from xqute import Xqute

    here = {"ctrl_dir": Path.cwd()}  # for its sockets
    servers = {"servers": {"h1": here, "h2": here}}

    async def main() -> Took:
        options = {"forks": jobs, "submission_batch": slots, "scheduler_opts": servers}
        driver = Xqute("ssh", workdir="xqute", **options)
        for _ in range(jobs):
            await driver.feed(list(_TRUE))
        waits = asyncio.create_task(driver.run_until_complete())
        while len(list(Path("xqute").glob("*/job.rc"))) < jobs:  # noqa: ASYNC110  # no event tells
            await asyncio.sleep(0.05)
        found = took(began)
        waits.cancel()
        return found

    began = start()
    return asyncio.run(main())


def gbatch(jobs: int, slots: int) -> Took:
    """Run jobs on the Google Batch that the environment tells of, by the gcloud command."""
    from xqute import Xqute

    told = json.loads(os.environ["BENCH_GBATCH"])
    options = {"project": told["project"], "location": told["location"]}

    async def main() -> None:
        workdir = told["workdir"]
        driver = Xqute("gbatch", workdir=workdir, forks=slots, scheduler_opts=options)
        for _ in range(jobs):
            await driver.feed(list(_LONG_ENOUGH))
        await driver.run_until_complete()

    began = start()
    asyncio.run(main())
    return took(began)
