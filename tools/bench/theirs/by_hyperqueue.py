"""https://it4innovations.github.io/hyperqueue, as "Python API" shows it."""
# What is imported is in an environment of its own, which mypy does not see.
# mypy: disable-error-code="import-not-found,import-untyped"

from __future__ import annotations

from clock import Took, start, took


def local(jobs: int, slots: int) -> Took:
    from hyperqueue import Job, LocalCluster
    from hyperqueue.cluster import WorkerConfig

    began = start()
    with LocalCluster(worker_config=WorkerConfig(cores=slots)) as cluster:
        client, job = cluster.client(), Job()
        for number in range(jobs):
            job.program(["/bin/true"], stdout=f"{number}.out", stderr=f"{number}.err")
        client.wait_for_jobs([client.submit(job)])
        return took(began)
