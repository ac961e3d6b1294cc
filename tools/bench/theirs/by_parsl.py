"""https://parsl.readthedocs.io, as its "Configuration" shows it."""
# What is imported is in an environment of its own, which mypy does not see.
# mypy: disable-error-code="import-not-found,import-untyped,no-untyped-call,untyped-decorator"

from __future__ import annotations

from typing import Any

from clock import Took, start, took


def threads(jobs: int, slots: int) -> Took:
    from parsl.executors.threads import ThreadPoolExecutor

    return _run(ThreadPoolExecutor(max_threads=slots), jobs)


def pilot(jobs: int, slots: int) -> Took:
    from parsl.executors import HighThroughputExecutor
    from parsl.providers import LocalProvider

    return _run(HighThroughputExecutor(max_workers_per_node=slots, provider=LocalProvider()), jobs)


def slurm(jobs: int, slots: int) -> Took:
    from parsl.executors import HighThroughputExecutor
    from parsl.launchers import SrunLauncher
    from parsl.providers import SlurmProvider

    provider = SlurmProvider(launcher=SrunLauncher(), max_blocks=1)
    return _run(_pilot(HighThroughputExecutor, provider, slots), jobs)


def sge(jobs: int, slots: int) -> Took:
    from parsl.executors import HighThroughputExecutor
    from parsl.providers import GridEngineProvider

    # Grid Engine hands on no environment; without -S it takes csh.
    options = "#$ -V\n#$ -S /bin/bash"
    provider = GridEngineProvider(scheduler_options=options, max_blocks=1)
    return _run(_pilot(HighThroughputExecutor, provider, slots), jobs)


def _pilot(executor: Any, provider: Any, slots: int) -> Any:
    address = "127.0.0.1"
    return executor(address=address, max_workers_per_node=slots, provider=provider)


def _run(executor: Any, jobs: int) -> Took:
    import parsl
    from parsl.config import Config

    @parsl.bash_app
    def true(number: int, stdout: str, stderr: str) -> str:
        return "/bin/true"

    began = start()
    with parsl.load(Config(executors=[executor])):
        futures = [true(n, stdout=f"out/{n}", stderr=f"err/{n}") for n in range(jobs)]
        for future in futures:
            future.result()
        return took(began)
