"""Runs that never were, as their drivers would have recorded them."""

from __future__ import annotations

import heapq
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from sched_core.model.failure import Failure
from sched_core.model.status import JobStatus
from sched_core.ports.localfiles import LocalFiles
from sched_core.runfolder import Journal, Layout, RunFile, job_entry, write_run
from sched_core.runfolder.state import state_entry

__all__ = ["BEGUN", "Story", "cluster_run", "write"]

BEGUN = 1_767_268_800.0  # 2026-01-01 12:00:00 UTC
GIB = 1 << 30
STATE = {"attempt": 1, "rc": None, "failure": None, "host": None, "started": None, "ended": None}
Entry = dict[str, Any]


class Story:
    """The entries of a journal, one after the other."""

    def __init__(self, **options: object) -> None:
        self.entries: list[Entry] = [{"generation": 1, "at": BEGUN}]
        self.jobs: dict[int, Entry] = {}
        self.stderr: dict[int, bytes] = {}
        self.scheduler = "slurm"
        self.options: dict[str, Any] = {"forks": 16, "timeout": None, "resources": {}, **options}

    def job(self, index: int, cmd: Sequence[str], **spec: object) -> None:
        """A job is fed, and waits."""
        self.jobs[index] = {"cmd": list(cmd), **spec}
        self.entries.append(job_entry(index, self.jobs[index]))
        self.move(index, JobStatus.QUEUED, 0.0)

    def move(self, index: int, status: JobStatus, at: float, **state: object) -> None:
        """A job moves, so many seconds after the beginning."""
        self.entries.append(state_entry(index, status, BEGUN + at, {**STATE, **state}))

    def attempt(
        self, index: int, start: float, end: float, *, number: int = 1, **state: object
    ) -> None:
        """An attempt runs and ends, well unless the state says otherwise."""
        status = JobStatus.FAILED if state.get("failure") else JobStatus.FINISHED
        rc = None if state.get("failure") else 0
        times = {"started": BEGUN + start, "ended": BEGUN + end}
        self.move(index, JobStatus.SUBMITTED, max(0.0, start - 1), attempt=number)
        self.move(index, status, end, **{"attempt": number, "rc": rc, **times, **state})


def write(story: Story, folder: Path) -> Path:
    """Write the run into the folder."""
    files, layout = LocalFiles(), Layout(str(folder))
    for path in layout.folders():
        Path(path).mkdir(exist_ok=True, parents=True)
    module = "sched_local.scheduler:LocalScheduler"
    options, where = story.options, "/data/project"
    write_run(files, layout, RunFile("run", 1, BEGUN, story.scheduler, module, options, where))
    Journal(files, layout, 1).write(story.entries)
    for index, text in story.stderr.items():
        (folder / str(index)).mkdir()
        (folder / str(index) / "job.stderr").write_bytes(text)
    return folder


def cluster_run(jobs: int, *, nodes: int = 6, slots: int = 4, seed: int = 7) -> Story:
    """Jobs of a sweep on the nodes of a cluster, some of which fail, the way that runs go."""
    story = Story(resources={"cpus": 4, "memory": [4 * GIB, 8 * GIB], "time": 14400}, num_retries=2)
    story.options |= {"forks": nodes * slots, "error_strategy": "retry"}
    dice = random.Random(seed)
    for index in range(jobs):
        sample = f"sample{index:04d}"
        cmd = ["bwa", "mem", "-t", "2", "ref.fa", f"reads/{sample}.fq.gz"]
        story.job(index, cmd, name=sample)
    free = [(dice.uniform(1, 20), node, slot) for node in range(nodes) for slot in range(slots)]
    heapq.heapify(free)
    for index in range(jobs):
        for number, what in enumerate(_attempts(dice), 1):
            at, node, slot = heapq.heappop(free)
            end = at + what.pop("took")
            if number > 1:
                raised = {"raised": {"memory": 8 * GIB}} if what["max_rss"] > 4 * GIB else {}
                what |= raised
                story.move(index, JobStatus.QUEUED, at - 0.5, attempt=number, **raised)
            story.attempt(index, at, end, number=number, host=f"node{node + 1}", **what)
            heapq.heappush(free, (end + dice.uniform(0.2, 3), node, slot))
            if what.get("rc") == 1:
                story.stderr[index] = dice.choice(_LAST_LINES)
    return story


_LAST_LINES = (
    b"[E::bwa_idx_load] fail to locate the index files\n",
    b"gzip: unexpected end of file\n",
)


def _attempts(dice: random.Random) -> Iterator[Entry]:
    took, memory = dice.lognormvariate(4.6, 0.55), int(GIB * dice.lognormvariate(-0.35, 0.3))
    cores = dice.uniform(1.1, 1.9)

    def attempt(share: float, max_rss: int, **state: object) -> Entry:
        return {"took": took * share, "cpu": took * share * cores, "max_rss": max_rss, **state}

    again, fate = {"will_retry": True}, dice.random()
    if fate < 0.03:
        yield attempt(0.7, memory, rc=1, failure=Failure.EXIT)
        return
    if fate < 0.06:
        yield attempt(0.6, 4 * GIB, rc=137, failure=Failure.OUT_OF_MEMORY, **again)
        yield attempt(1, 5 * GIB)
        return
    if fate < 0.07:
        yield attempt(0.3, memory, failure=Failure.NODE_FAIL, **again)
    yield attempt(1, memory)
