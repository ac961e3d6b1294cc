"""Google Cloud for tests of the scheduler: both emulators, and runs in a bucket of theirs."""

from __future__ import annotations

import itertools
import os
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import anyio

from sched_core import Job, JobStatus, Runner, Scheduler, SpecPath
from sched_gbatch import GbatchScheduler

from .batch import BatchEmulator
from .gcsfuse import Gcsfuse
from .storage import StorageEmulator

__all__ = [
    "BUCKET",
    "COUNTED",
    "PLACE",
    "Cloud",
    "Quick",
    "batch_of",
    "gated",
    "number_of",
    "until",
]

BUCKET = "runs"
PLACE = {"project": "p", "location": "us-central1"}

PATIENCE = 90.0
"""Seconds: what hangs is ended by it, and told of well before the limit of a test: that takes its time, too."""

T = TypeVar("T")


class Quick(GbatchScheduler):
    """Asks more often, for tests."""

    poll_interval: ClassVar[tuple[float, float]] = (0.3, 0.6)
    spool_interval = 0.1
    batch_delay: ClassVar[float] = 0.1


COUNTED = ': >"$SCHED_WORKDIR/count.$SCHED_JOB_INDEX.$SCHED_ATTEMPT.$EPOCHREALTIME"'
"""Bash that counts the starts of a job: a mounted bucket has no append, so each is a file."""


def gated(*words: str, gate: str = "gate") -> list[str]:
    """Return a command that does this, says that it has begun, and ends when there is a file of that name."""
    loop = f'while [ ! -e "$SCHED_WORKDIR/{gate}" ]; do sleep 0.05; done'
    begun = ': >"$SCHED_WORKDIR/begun.$SCHED_JOB_INDEX.$SCHED_ATTEMPT"'
    return ["/bin/bash", "-c", "; ".join([COUNTED, *words, begun, loop])]


def batch_of(job: Job) -> str:
    """Return the id of the Batch job that a job is in."""
    assert job.jid is not None
    return job.jid.partition("/")[0]


def number_of(job: Job) -> int:
    """Return which of its Batch job's tasks a job is."""
    assert job.jid is not None
    return int(job.jid.partition("/")[2])


async def until(
    condition: Callable[[], bool | Awaitable[bool]], patience: float = PATIENCE
) -> None:
    with anyio.fail_after(patience):
        while True:
            holds = condition()
            if await holds if isinstance(holds, Awaitable) else holds:
                return
            await anyio.sleep(0.03)


class Cloud:
    """A bucket for one test, and a Batch service that has forgotten earlier ones."""

    def __init__(
        self, storage: StorageEmulator, batch: BatchEmulator, name: str, mount: Gcsfuse | None
    ) -> None:
        self.storage, self.batch, self.mount = storage, batch, mount
        self._name = name
        self._starts = len(batch.starts())
        self._before = set(batch.jobs())
        self._runs = itertools.count()

    @property
    def options(self) -> dict[str, Any]:
        """What every scheduler needs here."""
        return {**PLACE, "api_endpoint": f"http://{self.batch.address}"}

    def workdir(self, name: str = "run") -> str:
        return f"gs://{BUCKET}/{self._name}/{name}"

    def folder(self, workdir: str | os.PathLike[str] | SpecPath | None = None) -> Path:
        """Return the folder of this machine in which the objects of a run lie."""
        place = self.workdir() if workdir is None else str(workdir)
        return self.storage.root / place.removeprefix("gs://")

    def scheduler(
        self, workdir: str | None = None, cls: type[Scheduler] = Quick, **options: Any
    ) -> Any:
        return cls(workdir or self.workdir(), **{"forks": 8, **self.options, **options})

    @asynccontextmanager
    async def run(
        self, scheduler: Scheduler | None = None, patience: float = PATIENCE, **options: Any
    ) -> AsyncIterator[Runner]:
        """Open a run with no plugins but those given; what is no option of a runner is one of the scheduler."""
        own = {name: options.pop(name) for name in ("existing", "plugins") if name in options}
        scheduler = scheduler or self.scheduler(**options)
        with anyio.fail_after(patience):
            async with Runner(scheduler, **{"plugins": [], **own}) as runner:
                yield runner

    async def do(self, function: Callable[..., T], *args: object, **words: object) -> T:
        """Ask an emulator, in a thread: the driver goes on meanwhile."""
        return await anyio.to_thread.run_sync(partial(function, *args, **words))

    # --- what the jobs do ----------------------------------------------------------------------------

    def put(self, name: str, text: str = "", workdir: str | None = None) -> Path:
        """Write an object, as somebody else would."""
        path = self.folder(workdir) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        # Not in the folder itself: no half of it is ever seen.
        draft = self.storage.root / f".{self._name}.draft"
        draft.write_text(text)
        draft.rename(path)
        return path

    def open_gate(self, gate: str = "gate", workdir: str | None = None) -> None:
        """Let the jobs of `gated` end."""
        self.put(gate, "open", workdir)

    async def begun(self, *jobs: Job, known: bool = True) -> None:
        """Wait until the commands run, and the driver knows it."""
        for job in jobs:
            mark = self.folder(job.workdir) / f"begun.{job.index}.{job.attempt}"
            await until(mark.exists)
            if known:
                await until(lambda job=job: job.status is JobStatus.RUNNING)  # type: ignore[misc]

    def counted(self, workdir: str | None = None) -> Counter[int]:
        """Return how often each job's command has started."""
        names = [path.name for path in self.folder(workdir).glob("count.*")]
        return Counter(int(name.split(".")[1]) for name in names)

    # --- what the service does -----------------------------------------------------------------------

    def jobs(self) -> dict[str, str]:
        """Return the states of this test's Batch jobs by their ids."""
        return {name: s for name, s in self.batch.jobs().items() if name not in self._before}

    def starts(self) -> list[tuple[str, int]]:
        """Return this test's starts of tasks: Batch job and number."""
        return [(start["job"], start["index"]) for start in self.batch.starts()[self._starts :]]

    def calls(self, method: str) -> int:
        """Return how often a method of the service was called."""
        return self.batch.calls().get(method, 0)

    def clean(self) -> None:
        """Have both emulators as they were."""
        self.storage.clear_faults()
        self.storage.delay_files(0)
        self.storage.deny({})
        self.storage.require_authorization(False)
        self.batch.clear_faults()
        self.batch.clear_fates()
        for name, state in self.jobs().items():
            if state not in ("SUCCEEDED", "FAILED", "CANCELLED"):
                self.batch.delete(name)
        self.batch.resume()
        self.batch.reset_calls()
        self.storage.reset_counts()


def outputs(jobs: Sequence[Job], folder: Path) -> list[str]:
    """Return what jobs have written, by their order."""
    return [(folder / str(job.index) / "job.stdout").read_text() for job in jobs]
