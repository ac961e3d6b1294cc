"""What is measured in a Python of its own; the last line of output is a JSON object.

`python workload.py NAME --jobs=1000` in an empty folder. Nothing of the benchmark is imported
here: the process is to hold what a user's would.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import re
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

Measured = dict[str, Any]

RUN = "run"
TRUE = ["/bin/true"]


@contextmanager
def _measured(found: Measured) -> Iterator[None]:
    before = resource.getrusage(resource.RUSAGE_SELF)
    began = time.perf_counter()
    yield
    found["seconds"] = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_SELF)
    found["cpu"] = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def throughput(jobs: int, forks: int) -> Measured:
    """Run jobs through the library; imports are not counted."""
    from sched_local import LocalScheduler

    return _run_all(LocalScheduler(RUN, forks=forks), jobs)


def slurm(jobs: int, forks: int) -> Measured:
    """Run jobs on the Slurm that the environment tells of."""
    from sched_hpc import SlurmScheduler

    return _run_all(SlurmScheduler(RUN, forks=forks), jobs)


def sge(jobs: int, forks: int) -> Measured:
    """Run jobs on the Grid Engine that the environment tells of."""
    from sched_hpc import SgeScheduler

    return _run_all(SgeScheduler(RUN, forks=forks), jobs)


def ssh(jobs: int, forks: int) -> Measured:
    """Run jobs on the hosts h1 and h2, which the user's ssh configuration knows."""
    return _run_all(_ssh(forks), jobs)


def container(jobs: int, forks: int) -> Measured:
    """Run jobs in containers; the environment says of which engine and image."""
    from sched_container import ContainerScheduler

    options = json.loads(os.environ.pop("BENCH_CONTAINER"))
    return _run_all(ContainerScheduler(RUN, forks=forks, **options), jobs)


def gbatch(jobs: int, forks: int) -> Measured:
    """Run jobs on the Google Batch that the environment tells of; imports are counted apart."""
    found = _imported("google.cloud.batch_v1", "google.cloud.storage")
    from sched_gbatch import GbatchScheduler

    return found | _run_all(GbatchScheduler(forks=forks, **_told_of_batch()), jobs)


def gbatch_by_hand(jobs: int) -> Measured:
    """Run as many tasks of one Batch job, and list them once a second until all have ended."""
    found = _imported("google.cloud.batch_v1")
    with _measured(found):
        calls = _BatchCalls()
        calls.create("by-hand", jobs)
        while calls.ended("by-hand") < jobs:
            time.sleep(1)
    return found


def gbatch_each(jobs: int, slots: int) -> Measured:
    """Run as many Batch jobs of one task, some at once, and ask about each once a second."""
    from concurrent.futures import ThreadPoolExecutor

    found = _imported("google.cloud.batch_v1")
    with _measured(found):
        calls = _BatchCalls()
        with ThreadPoolExecutor(slots) as pool:
            list(pool.map(calls.run_one, range(jobs)))
    return found


class _BatchCalls:
    """The service, as its manual has it called."""

    def __init__(self) -> None:
        import grpc
        from google.cloud import batch_v1
        from google.cloud.batch_v1.services.batch_service import transports

        told = _told_of_batch()
        address = told["api_endpoint"].removeprefix("http://")
        transport = transports.BatchServiceGrpcTransport(channel=grpc.insecure_channel(address))
        self._client = batch_v1.BatchServiceClient(transport=transport)
        self._parent = f"projects/{told['project']}/locations/{told['location']}"
        self._prefix = told["workdir"].rpartition("/")[2]

    def create(self, name: str, tasks: int) -> None:
        spec = {"runnables": [{"script": {"text": " ".join(TRUE)}}]}
        group = {"task_spec": spec, "task_count": tasks, "parallelism": tasks}
        job = {"task_groups": [group], "logs_policy": {"destination": "CLOUD_LOGGING"}}
        request = {"parent": self._parent, "job_id": f"{self._prefix}-{name}", "job": job}
        self._client.create_job(request=request)

    def ended(self, name: str) -> int:
        parent = f"{self._parent}/jobs/{self._prefix}-{name}/taskGroups/group0"
        request = {"parent": parent, "page_size": 1000}
        return sum(
            task.status.state.name == "SUCCEEDED"
            for task in self._client.list_tasks(request=request)
        )

    def run_one(self, number: int) -> None:
        name = f"job-{number}"
        self.create(name, 1)
        while self._state(name) != "SUCCEEDED":
            time.sleep(1)

    def _state(self, name: str) -> str:
        found = self._client.get_job(name=f"{self._parent}/jobs/{self._prefix}-{name}")
        return str(found.status.state.name)


def _told_of_batch() -> dict[str, Any]:
    told: dict[str, Any] = json.loads(os.environ["BENCH_GBATCH"])
    return told


def _imported(*modules: str) -> Measured:
    found: Measured = {}
    with _measured(found):
        for module in modules:
            importlib.import_module(module)
    return {"import_cpu": found["cpu"]}


def _ssh(forks: int, **options: Any) -> Any:
    from sched_ssh import SshScheduler

    return SshScheduler(RUN, servers=["h1", "h2"], forks=forks, **options)


def _run_all(scheduler: Any, jobs: int) -> Measured:
    import sched_core

    found: Measured = {}
    base = _peak()
    with _measured(found):
        done = sched_core.run(scheduler, [TRUE] * jobs)
    assert sum(job.rc == 0 for job in done) == jobs, "a job has failed"
    found |= {"base": base, "peak": _peak()}
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    found["children_cpu"] = children.ru_utime + children.ru_stime
    return found


def queued(jobs: int) -> Measured:
    """Hold jobs in the queue, none of them started; return the memory in bytes."""
    from sched_core import Runner
    from sched_local import LocalScheduler

    found: Measured = {"base": _peak()}

    async def main() -> None:
        async with Runner(LocalScheduler(RUN, forks=1)) as runner:
            fed = await runner.feed_all([["sleep", "60"]] * jobs)
            await asyncio.sleep(1)  # what is submitted and written meanwhile counts too
            assert fed[0].started is not None, "the first job has not started"
            await runner.cancel()

    with _measured(found):
        asyncio.run(main())
    return found | {"peak": _peak()}


def first_start(rounds: int, behind: int) -> Measured:
    """Return how long after `feed` the first job's command began; `behind` jobs are fed with it."""
    from sched_core import Runner
    from sched_local import LocalScheduler

    async def one(number: int) -> float:
        async with Runner(LocalScheduler(f"{RUN}{number}", forks=2)) as runner:
            at = time.time()
            job = await runner.feed(_TELLS_TIME)
            for _ in range(behind):
                await runner.feed(TRUE)
        return float(await job.stdout_file.read_text()) - at

    return {"delays": [asyncio.run(one(number)) for number in range(rounds)]}


_TELLS_TIME = ["bash", "-c", 'printf "%s\n" "${EPOCHREALTIME/,/.}"']


def end_known(jobs: int, forks: int) -> Measured:
    """Return how long after the last act of a command its end was known to the driver."""
    from sched_local import LocalScheduler

    return _end_known(LocalScheduler(RUN, forks=forks), jobs)


def ssh_end_known(jobs: int, forks: int) -> Measured:
    """Return the same for jobs on hosts, their records included."""
    return _end_known(_ssh(forks), jobs)


def _end_known(scheduler: Any, jobs: int) -> Measured:
    from sched_core import Job, Runner

    known: dict[int, float] = {}

    async def main() -> list[float]:
        ended: list[Job] = []
        async with Runner(scheduler) as runner:
            for _ in range(jobs):
                await runner.feed(_TELLS_TIME)
            async for job in runner.as_completed():
                known[job.index] = time.time()
                ended.append(job)
        return [known[job.index] - float(await job.stdout_file.read_text()) for job in ended]

    return {"delays": asyncio.run(main())}


def ssh_inputs(jobs: int, forks: int, size: int) -> Measured:
    """Run jobs that each read an input of their own, which is brought to their host."""
    from sched_core import Runner

    names = [f"in{number}" for number in range(jobs)]
    for name in names:
        with open(name, "wb") as file:
            file.write(os.urandom(size))
    found: Measured = {}

    async def main() -> int:
        async with Runner(_ssh(forks)) as runner:
            for name in names:
                await runner.feed(["cat", name], inputs=[name])
        return sum(os.path.getsize(job.stdout_file) == size for job in runner.jobs)

    with _measured(found):
        whole = asyncio.run(main())
    assert whole == jobs, "an output has not arrived"
    return found


def ssh_idle(seconds: int, keepalive: int) -> Measured:
    """Return how many bytes go to and from the hosts while a job runs on each."""
    from sched_core import Runner

    async def main() -> int:
        async with Runner(_ssh(2, keepalive=keepalive)) as runner:
            fed = await runner.feed_all([["sleep", "3600"]] * 2)
            while any(job.started is None for job in fed):  # noqa: ASYNC110  # no event tells
                await asyncio.sleep(0.05)
            await asyncio.sleep(1)  # what else is to be told of starts
            before = _bytes()
            await asyncio.sleep(seconds)
            after = _bytes()
            await runner.cancel()
        return after - before

    return {"bytes": asyncio.run(main())}


def _bytes() -> int:
    """Return what all connections to port 22 have carried both ways, as the kernel counts it."""
    told = subprocess.check_output(["ss", "-Htin", "dport", "=", ":22"], text=True)
    return sum(map(int, re.findall(r"\bbytes_(?:sent|received):(\d+)", told)))


def modules() -> Measured:
    """Return what `import sched_meta` brings in besides the standard library."""
    before = set(sys.modules)
    importlib.import_module("sched_meta")
    tops = {name.partition(".")[0] for name in set(sys.modules) - before}
    return {"modules": sorted(tops - sys.stdlib_module_names)}


def record(jobs: int) -> Measured:
    """Make the folder of a run of which half of the jobs have ended, without running them all."""
    import sched_core
    from sched_core.ports import system_ports
    from sched_core.runfolder import Layout
    from sched_core.runfolder.journal import Journal
    from sched_core.runfolder.state import job_entry, state_entry
    from sched_local import LocalScheduler

    sched_core.run(LocalScheduler(RUN, forks=1), [TRUE])
    journal = Journal(system_ports(RUN).files, Layout(RUN), epoch=0)  # no driver has that one
    queued, finished = sched_core.JobStatus.QUEUED, sched_core.JobStatus.FINISHED
    now = time.time()
    for first in range(1, jobs, 500):
        chunk = range(first, min(first + 500, jobs))
        entries = [job_entry(index, {"cmd": TRUE}) for index in chunk]
        entries += [state_entry(index, queued, now, {"attempt": 1}) for index in chunk]
        journal.write(entries)
    done = {"attempt": 1, "rc": 0, "jid": "12345", "host": "here", "started": now, "ended": now}
    for first in range(1, jobs // 2, 32):
        chunk = range(first, min(first + 32, jobs // 2))
        journal.write([state_entry(index, finished, now, done) for index in chunk])
    return {}


def read() -> Measured:
    """Read such a folder as an onlooker."""
    from sched_core.runfolder import read_run

    found: Measured = {"base": _peak()}
    with _measured(found):
        view = read_run(RUN)
    return found | {"jobs": len(view.jobs), "peak": _peak()}


def resume() -> Measured:
    """Go on with such a folder, until the first job of the rest has started."""
    from sched_core import Runner

    found: Measured = {}

    async def main() -> None:
        began = time.perf_counter()
        async with Runner.resume(RUN) as runner:
            found["open"] = time.perf_counter() - began
            async for job in runner.as_completed():
                if not _ended_before(job.index, len(runner.jobs)):
                    break
            found["first_end"] = time.perf_counter() - began
            await runner.cancel()

    asyncio.run(main())
    return found


def _ended_before(index: int, jobs: int) -> bool:
    return index < jobs // 2


def _peak() -> int:
    """Return the most memory that this process has had, in bytes."""
    with open("/proc/self/status") as file:
        line = next(line for line in file if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024


WORKLOADS: dict[str, Callable[..., Measured]] = {
    function.__name__: function
    for function in (
        throughput,
        slurm,
        sge,
        ssh,
        container,
        gbatch,
        gbatch_by_hand,
        gbatch_each,
        queued,
        first_start,
        end_known,
        ssh_end_known,
        ssh_inputs,
        ssh_idle,
        modules,
        record,
        read,
        resume,
    )
}


def main() -> None:
    name, *words = sys.argv[1:]
    options = {key.removeprefix("--"): int(value) for key, value in (w.split("=") for w in words)}
    print(json.dumps(WORKLOADS[name](**options)), flush=True)


if __name__ == "__main__":
    os.umask(0o077)
    main()
