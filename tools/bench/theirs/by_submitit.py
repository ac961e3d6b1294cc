"""https://github.com/facebookincubator/submitit, as its README and docs/examples.md show it."""
# What is imported is in an environment of its own, which mypy does not see.
# mypy: disable-error-code="import-not-found,import-untyped"

from __future__ import annotations

from clock import Took, start, took, took_by_threads


def local(jobs: int, slots: int) -> Took:
    import submitit

    executor = submitit.LocalExecutor(folder="submitit")
    executor.update_parameters(timeout_min=5)

    def one(_: int) -> None:
        executor.submit(submitit.helpers.CommandFunction(["/bin/true"])).result()

    return took_by_threads(one, jobs, slots)


def slurm(jobs: int, slots: int) -> Took:
    import submitit

    began = start()
    executor = submitit.AutoExecutor(folder="submitit", cluster="slurm")
    executor.update_parameters(timeout_min=5, slurm_array_parallelism=slots)
    with executor.batch():
        commands = [submitit.helpers.CommandFunction(["/bin/true"]) for _ in range(jobs)]
        submitted = [executor.submit(command) for command in commands]
    for job in submitted:
        job.result()
    return took(began)
