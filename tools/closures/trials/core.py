"""sched-core alone: a scheduler of one's own, and what is said where an extra is missing."""

import os
import signal
import sys
from functools import partial
from importlib import import_module

import anyio
from anyio.abc import Process

from sched_core import Job, Scheduler, SpecPath, run
from sched_core.paths import CloudSupportMissing

from .refusals import message_of


class ProcessScheduler(Scheduler):
    name = "process"
    wrapper_jid = "$$"

    def __init__(self, workdir: str) -> None:
        super().__init__(workdir)
        self._processes: dict[str, Process] = {}

    async def submit_job(self, job: Job) -> int:
        script = os.fspath(self.script_path(job))
        process = await anyio.open_process(["bash", script], start_new_session=True)
        self._processes[str(process.pid)] = process
        return process.pid

    async def kill_job(self, job: Job) -> None:
        os.killpg(int(job.jid or 0), signal.SIGKILL)

    async def job_is_running(self, job: Job) -> bool:
        return self._processes[str(job.jid)].returncode is None


def run_a_job(folder: str) -> None:
    (job,) = run(ProcessScheduler(folder), [["echo", "from the core"]])
    assert (job.status.name, job.rc) == ("FINISHED", 0), job
    assert os.path.exists(job.stdout_file), job


def ask_for_buckets() -> None:
    for scheme in ("gs", "s3", "az"):
        ask = partial(anyio.run, SpecPath(f"{scheme}://bucket/file").exists)
        told = message_of(CloudSupportMissing, ask)
        assert told.endswith(f"pip install 'sched-core[{scheme}]'"), told


def ask_for_the_contract() -> None:
    told = message_of(ImportError, partial(import_module, "sched_core.testing.contract"))
    assert told.endswith("pip install 'sched-core[testing]'"), told


if __name__ == "__main__":
    run_a_job(sys.argv[1])
    ask_for_buckets()
    ask_for_the_contract()
