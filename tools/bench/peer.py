"""Run /bin/true many times by a peer: `python peer.py PEER JOBS SLOTS FILE`, in the peers' venv.

How long it took, without imports, goes to FILE, with the CPU of this process, as JSON: some of them
print whatever they like.
"""
# mypy: disable-error-code="import-not-found,import-untyped,no-untyped-call,untyped-decorator"

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any


def xqute(
    jobs: int,
    slots: int,
    scheduler: str = "local",
    command: Sequence[str] = ("/bin/true",),
    **options: Any,
) -> float:
    import asyncio

    from xqute import Xqute

    async def main() -> None:
        driver = Xqute(scheduler, workdir="xqute", forks=slots, **options)
        for _ in range(jobs):
            await driver.feed(list(command))
        await driver.run_until_complete()

    began = time.perf_counter()
    asyncio.run(main())
    return time.perf_counter() - began


# On an engine it waits for ever when a job ends while it still notes that it was submitted.
_LONG_ENOUGH = ("/bin/sleep", "1")


def xqute_slurm(jobs: int, slots: int) -> float:
    return xqute(jobs, slots, "slurm", _LONG_ENOUGH)


def xqute_sge(jobs: int, slots: int) -> float:
    return xqute(jobs, slots, "sge", _LONG_ENOUGH)


def xqute_ssh(jobs: int, slots: int) -> float:
    """Return when the last job has left its return code.

    Over SSH it notes each job as submitted when that is over, and never sees an end: after `forks`
    jobs it would start no more.
    """
    import asyncio

    from xqute import Xqute

    here = {"ctrl_dir": Path.cwd()}  # for its sockets
    servers = {"servers": {"h1": here, "h2": here}}

    async def main() -> float:
        options = {"forks": jobs, "submission_batch": slots, "scheduler_opts": servers}
        driver = Xqute("ssh", workdir="xqute", **options)
        for _ in range(jobs):
            await driver.feed(["/bin/true"])
        waits = asyncio.create_task(driver.run_until_complete())
        while len(list(Path("xqute").glob("*/job.rc"))) < jobs:  # noqa: ASYNC110  # no event tells
            await asyncio.sleep(0.05)
        took = time.perf_counter() - began
        waits.cancel()
        return took

    began = time.perf_counter()
    return asyncio.run(main())


def xqute_container(jobs: int, slots: int) -> float:
    """Run jobs in containers; the environment says of which engine and image."""
    options = json.loads(os.environ["BENCH_CONTAINER"])
    took = xqute(jobs, slots, "container", scheduler_opts=options)
    codes = [file.read_text().strip() for file in Path("xqute").glob("*/job.rc")]
    if codes != ["0"] * jobs:
        sys.exit(f"its jobs ended with {', '.join(sorted(set(codes)))}")
    return took


def psij_python_slurm(jobs: int, slots: int) -> float:
    from psij import Job, JobExecutor, JobSpec

    began = time.perf_counter()
    executor = JobExecutor.get_instance("slurm")
    submitted = [Job(JobSpec(executable="/bin/true")) for _ in range(jobs)]
    for job in submitted:
        executor.submit(job)
    for job in submitted:
        status: Any = job.wait()
        assert status.exit_code == 0, status
    return time.perf_counter() - began


def psij_python(jobs: int, slots: int) -> float:
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

    began = time.perf_counter()
    with ThreadPoolExecutor(slots) as pool:
        list(pool.map(one, range(jobs)))
    return time.perf_counter() - began


def parsl(jobs: int, slots: int) -> float:
    import parsl as library
    from parsl.config import Config
    from parsl.executors.threads import ThreadPoolExecutor as Threads

    @library.bash_app
    def true(number: int, stdout: str, stderr: str) -> str:
        return "/bin/true"

    with library.load(Config(executors=[Threads(max_threads=slots)])):
        began = time.perf_counter()
        futures = [true(n, stdout=f"out/{n}", stderr=f"err/{n}") for n in range(jobs)]
        for future in futures:
            future.result()
        return time.perf_counter() - began


def submitit(jobs: int, slots: int) -> float:
    import submitit as library

    executor = library.LocalExecutor(folder="submitit")
    executor.update_parameters(timeout_min=5)

    def one(_: int) -> None:
        executor.submit(library.helpers.CommandFunction(["/bin/true"])).result()

    began = time.perf_counter()
    with ThreadPoolExecutor(slots) as pool:
        list(pool.map(one, range(jobs)))
    return time.perf_counter() - began


def main() -> None:
    name, jobs, slots, file = sys.argv[1:]
    before = _cpu()
    seconds: float = globals()[name.replace("-", "_")](int(jobs), int(slots))
    Path(file).write_text(json.dumps({"seconds": seconds, "cpu": _cpu() - before}))


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    sys.path.pop(0)  # or this folder's modules stand before the peers' own
    main()
