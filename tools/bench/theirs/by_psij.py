"""https://exaworks.org/psij-python, as its "Getting started" shows it."""
# What is imported is in an environment of its own, which mypy does not see.
# mypy: disable-error-code="import-not-found,import-untyped"

from __future__ import annotations

from pathlib import Path
from typing import Any

from clock import Took, start, took, took_by_threads


def local(jobs: int, slots: int) -> Took:
    from psij import Job, JobExecutor, JobSpec

    executor = JobExecutor.get_instance("local")
    folder = Path.cwd()

    def one(number: int) -> None:
        spec = JobSpec(
            executable="/bin/true",
            stdout_path=folder / f"{number}.out",
            stderr_path=folder / f"{number}.err",
        )
        job = Job(spec)
        executor.submit(job)
        status: Any = job.wait()
        assert status.exit_code == 0, status

    return took_by_threads(one, jobs, slots)


def slurm(jobs: int, slots: int) -> Took:
    from psij import Job, JobExecutor, JobSpec

    began = start()
    executor = JobExecutor.get_instance("slurm")
    submitted = [Job(JobSpec(executable="/bin/true")) for _ in range(jobs)]
    for job in submitted:
        executor.submit(job)
    for job in submitted:
        status: Any = job.wait()
        assert status.exit_code == 0, status
    return took(began)
