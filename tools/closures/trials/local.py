"""sched-local alone: a job, and a run in a bucket without what that needs."""

import sys
from functools import partial
from pathlib import Path

from sched_core import SchedError, run
from sched_local import LocalScheduler

from .refusals import message_of


def run_a_job(folder: str) -> None:
    (job,) = run(LocalScheduler(folder), [["echo", "from the library"]])
    assert (job.status.name, job.rc) == ("FINISHED", 0), job
    assert Path(job.stdout_file).read_text() == "from the library\n"


def run_in_a_bucket() -> None:
    told = message_of(SchedError, partial(run, LocalScheduler("gs://bucket/run"), [["true"]]))
    assert told.endswith("pip install 'sched-core[gs]'"), told


if __name__ == "__main__":
    run_a_job(sys.argv[1])
    run_in_a_bucket()
