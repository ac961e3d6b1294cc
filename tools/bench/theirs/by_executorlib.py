"""https://executorlib.readthedocs.io, as its notebooks show it."""
# What is imported is in an environment of its own, which mypy does not see.
# mypy: disable-error-code="import-not-found,import-untyped"

from __future__ import annotations

import subprocess
from typing import Any

from clock import Took, start, took


def true(number: int) -> int:
    return subprocess.check_call(["/bin/true"])


def local(jobs: int, slots: int) -> Took:
    from executorlib import SingleNodeExecutor

    return _run(SingleNodeExecutor(max_workers=slots), jobs)


def workers(jobs: int, slots: int) -> Took:
    from executorlib import SingleNodeExecutor

    return _run(SingleNodeExecutor(max_workers=slots, block_allocation=True), jobs)


def slurm(jobs: int, slots: int) -> Took:
    from executorlib import SlurmClusterExecutor

    # Without a partition it asks for one that has no name.
    partition = subprocess.check_output(["sinfo", "--noheader", "--format=%R"], text=True).split()
    wishes = {"cores": 1, "partition": partition[0]}
    return _run(SlurmClusterExecutor(cache_directory="cache", resource_dict=wishes), jobs)


def _run(executor: Any, jobs: int) -> Took:
    began = start()
    with executor:
        for future in [executor.submit(true, number) for number in range(jobs)]:
            future.result()
        return took(began)
