"""All that a driver knows of the run that it drives."""

from __future__ import annotations

import logging
import os
from collections import deque
from typing import TYPE_CHECKING

import anyio

from ..errors import CommandError, RunLocked
from ..hooks import Hooks
from ..model.job import Job
from ..model.status import JobStatus
from ..ports import Ports
from ..runfolder.journal import Journal
from ..runfolder.layout import Layout
from ..runfolder.lease import Lease
from ..runfolder.runfile import RunFile
from ..runfolder.submissions import AttemptId
from ..text.recorder import recorder_name
from ..text.script import recorder_text
from .active import Active, OpenSubmissions
from .backoff import BackOff
from .budget import Budget
from .byhand import ByHand
from .evidence import Evidence
from .journaling import Journaling
from .killing import Killer
from .mirroring import mirroring
from .queue import WaitingJobs
from .reconcile import Reconciler
from .retrying import Retries
from .secrets import Secrets
from .shortcut import Shortcut
from .submission import Submitter
from .transitions import Transitions

if TYPE_CHECKING:
    from ..scheduler import Observation, Scheduler

__all__ = ["Session"]

log = logging.getLogger("sched")


class Session:
    """The state of one open run; only the loop's thread touches it.

    Without journal and lease (`detached`) it serves a scheduler that no runner drives.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        ports: Ports,
        hooks: Hooks,
        run: RunFile,
        journal: Journal | None = None,
        lease: Lease | None = None,
    ) -> None:
        self.scheduler = scheduler
        self.ports = ports
        self.hooks = hooks
        self.run = run.run
        self.generation = run.generation
        self.directory = run.directory
        self.journal = Journaling(self, journal)
        self.lease = lease
        self.layout = Layout(str(scheduler.workdir))
        self.mounted = _whole(str(scheduler.mounted_workdir))
        self.folder = _on_this_machine(scheduler) or self.mounted
        """Where this machine has the run's folder as jobs write to it; of a bucket, the mirror."""
        self.mounted_recorder = f"{self.mounted}/.sched/{recorder_name()}"
        self.jobs: dict[int, Job] = {}
        self.active: dict[int, Active] = {}
        self.submissions = OpenSubmissions()
        self.waiting = WaitingJobs()
        self.finals: list[Job] = []
        self.feeding = True
        self.submits = True
        """Whether anything may start; otherwise jobs that an earlier driver has left are only killed."""
        self.closing = False
        """Whether nothing more is submitted."""
        self.listening = True
        """Whether what other processes ask for is done; what is asked for later is for the next driver."""
        self.stopping = False
        """Whether what still runs is ended or left now: then nothing is waited for that may take long."""
        self.interrupted = False
        self.interrupted_before: set[int] = set()
        """Jobs that an earlier driver was killing because the run was interrupted: they go on."""
        self.cut_short: set[int] = set()
        """Jobs that failed while the run stopped and would have been tried again: they go on, too."""
        self.unwanted: set[int] = set()
        """Jobs that somebody wants to be killed: none of them is tried again."""
        self.ousted = False
        """Another driver has taken over: whatever is there belongs to it."""
        self.abandoned = False
        """Nobody waits any longer for what may still run."""
        self.halted: Job | None = None
        self.failure: BaseException | None = None
        self.inbox: deque[tuple[AttemptId, Observation]] = deque()
        self.transitions = Transitions(self)
        self.retries = Retries(self)
        self.evidence = Evidence(self)
        self.backoff = BackOff(self)
        self.submitter = Submitter(self)
        self.reconciler = Reconciler(self)
        self.killer = Killer(self)
        self.mirror = mirroring(self)
        self.shortcut = Shortcut(self)
        self.secrets = Secrets(self)
        self.by_hand: ByHand | None = None
        self._changed = anyio.Event()
        self._over = anyio.Event()
        self._wake = anyio.Event()
        self._warned: set[str] = set()
        self._budgets: dict[str, Budget] = {}
        self._open: set[int] = set()
        self._done: set[int] = set()

    @classmethod
    def detached(cls, scheduler: Scheduler) -> Session:
        """Return a session for a scheduler that is used without a runner."""
        ports = scheduler.make_ports()
        name = f"{ports.random.getrandbits(40):010x}"
        run = RunFile(name, 1, ports.now(), scheduler.name, "", {}, "")
        session = cls(scheduler, ports, Hooks(), run)
        session.by_hand = ByHand(session)
        return session

    # --- the engine --------------------------------------------------------------------------

    @property
    def budget(self) -> Budget | None:
        """The calls that the scheduler may make to its engine, where they are limited."""
        endpoint = self.scheduler.endpoint()
        return None if endpoint is None else self.budget_of(endpoint)

    def budget_of(self, endpoint: str) -> Budget | None:
        """Return the calls that may be made there, where they are limited."""
        rate = self.scheduler.engine_rate
        if rate is not None and endpoint not in self._budgets:
            self._budgets[endpoint] = Budget(
                self.ports, endpoint, rate, self.warn, lambda: self.closing
            )
        return self._budgets.get(endpoint)

    async def budget_findings(self) -> list[tuple[str, bool | None, str]]:
        """Return what `doctor` says of the calls that the scheduler may make."""
        return [] if (budget := self.budget) is None else await budget.findings()

    async def may_poll(self) -> bool:
        """Tell whether it is this driver's turn to ask its engine about all jobs."""
        budget = self.budget
        return budget is None or await budget.may_poll(self.scheduler.poll_interval[0])

    # --- jobs --------------------------------------------------------------------------------

    async def added(self, job: Job) -> None:
        """Take a new job in: its index must be free."""
        if self.jobs.get(job.index, job) is not job:
            raise CommandError(f"there is a job {job.index} already; give each its own index")
        known = job.index in self.jobs
        self.jobs[job.index] = job
        if not known and self.hooks.has("on_job_init"):
            await self.hooks.fire("on_job_init", scheduler=self.scheduler, job=job)

    def enqueue(self, job: Job, delay: float = 0.0) -> None:
        """Put a job that is QUEUED into the line."""
        key = self.scheduler.batch_key(job)
        now = self.ports.monotonic()
        if delay > 0:
            self.waiting.add_later(job, key, now + delay)
        else:
            self.waiting.add(job, key, now)
        self.wake()

    @property
    def unfinished(self) -> int:
        """How many jobs have been fed and have not ended for good."""
        return len(self._open)

    def expect(self, job: Job) -> None:
        """Count a job among those that the run has to end."""
        self._open.add(job.index)

    def is_done(self, job: Job) -> bool:
        """Tell whether the job has ended for good."""
        return job.index in self._done

    def revive(self, job: Job) -> None:
        """Count a job that had ended for good among those that have still to end."""
        if job.index in self._done:
            self._done.discard(job.index)
            self.expect(job)

    def recall(self, job: Job) -> None:
        """Take in a job that had ended for good before this driver began."""
        self._done.add(job.index)
        self.finals.append(job)

    def ended(self, job: Job) -> None:
        """Count a job that has ended for good."""
        self._done.add(job.index)
        self.finals.append(job)
        self._open.discard(job.index)
        if self._halts(job):
            self.halted = job
            self.closing = True
        if not self._queue_is_full():
            self.wake()
        self.notify()

    def _queue_is_full(self) -> bool:
        """Tell whether the engine has more than enough to go on with, so that none need be sent."""
        if not self.scheduler.throttles or self.closing:
            return False
        return len(self.active) > self.scheduler.forks + self.scheduler.queue_ahead // 2

    def _halts(self, job: Job) -> bool:
        halts = self.scheduler.error_strategy == "halt" and self.halted is None
        return halts and job.status is JobStatus.FAILED and not self.interrupted

    def goes_on(self, job: Job) -> bool:
        """Tell whether a job that does not finish does so with the run alone: a resume goes on with it."""
        if job.index in self.unwanted:
            return False
        if job.status is JobStatus.FAILED:
            return job.index in self.cut_short
        killed = job.status is JobStatus.KILLED or job.status is JobStatus.KILLING
        return killed and (self.interrupted or job.index in self.interrupted_before)

    def let_go(self, job: Job) -> None:
        """Forget the job's attempt: it has ended, or was never handed over."""
        active = self.active.pop(job.index, None)
        if self.closing and not self.active:
            self.notify()  # nothing runs any more that is waited for, whatever has become of it
        if active is not None:
            self.submissions.let_go(active)

    def fail(self, error: BaseException) -> None:
        """Stop submitting: the run cannot go on, and whoever waits for it is told why."""
        if self.failure is None:
            reason = self.secrets.redactor.redact(str(error))
            log.error("the run in %s stops: %s", self.layout.workdir, reason)
            self.failure = error
        if isinstance(error, RunLocked):
            self.ousted = True
        self.closing = self.stopping = True
        self.wake()
        self.notify()

    # --- who waits for what --------------------------------------------------------------------

    def report(self, attempt: AttemptId, seen: Observation) -> None:
        """Take what a backend saw: at once, or when the loop comes round."""
        if not self.shortcut.take(attempt, seen):
            self.inbox.append((attempt, seen))
            self._wake.set()

    def wake(self) -> None:
        """Have the loop come round."""
        self._wake.set()

    async def sleep(self, seconds: float | None) -> None:
        """Wait until there is something to do, at most that long."""
        await self.ports.wait(self._wake, seconds)
        self._wake = anyio.Event()

    def notify(self) -> None:
        """Tell everybody who waits for a change of jobs."""
        self._changed.set()
        self._changed = anyio.Event()
        if self.closing or not self.unfinished:
            self._over.set()
            self._over = anyio.Event()

    async def change(self, seconds: float | None = None) -> None:
        """Wait until jobs have changed."""
        await self.ports.wait(self._changed, seconds)

    async def over(self) -> None:
        """Wait until there is no unfinished job, or a change while the run is being closed."""
        await self.ports.wait(self._over, None)

    # --- the run's folder ----------------------------------------------------------------------

    def check_lease(self) -> None:
        """Raise RunLocked where another driver has taken over. Blocks."""
        if self.lease is not None:
            self.lease.check()

    def make_folders(self) -> None:
        """Make the run's own folders and write the recorder that all wrappers share. Blocks."""
        for folder in self.layout.folders():
            self.ports.files.make_folder(folder)
        path = f"{self.layout.home}/{recorder_name()}"
        if not self.ports.files.exists(path):
            self.ports.files.write(path, recorder_text())

    def warn(self, message: str) -> None:
        """Say what the user should know, once for each text; from any thread."""
        message = self.secrets.redactor.redact(message)
        if message not in self._warned:
            self._warned.add(message)
            log.warning("%s", message, extra={"run": self.run})

    def log_fields(self, job: Job) -> dict[str, object]:
        """Return what a log record about a job carries."""
        return {"run": self.run, "job": job.index, "attempt": job.attempt}


def _whole(path: str) -> str:
    # A slot and a script name the recorder alike, and a script works from wherever it is run.
    return path if "://" in path else os.path.abspath(path)


def _on_this_machine(scheduler: Scheduler) -> str | None:
    if scheduler.workdir.is_cloud():
        return scheduler.mirror_folder()
    return os.path.abspath(str(scheduler.workdir))
