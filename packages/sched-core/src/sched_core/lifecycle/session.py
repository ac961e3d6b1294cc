"""All that a driver knows of the run that it drives."""

from __future__ import annotations

import logging
import os
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING, Any, TypeVar, TypeVarTuple

import anyio

from ..errors import CommandError, RunLocked
from ..hooks import Hooks
from ..model.job import Job
from ..model.resources import Resources
from ..model.secret import Secret
from ..model.status import JobStatus
from ..ports import Ports
from ..runfolder.journal import Journal
from ..runfolder.layout import Layout
from ..runfolder.lease import Lease
from ..runfolder.runfile import RunFile
from ..runfolder.state import JOB_STATE, SPARSE_STATE, job_entry, state_entry
from ..runfolder.submissions import AttemptId, Submission
from ..scheduler.wishes import change_resources
from ..text.recorder import recorder_name
from ..text.script import recorder_text
from .backoff import BackOff
from .budget import Budget
from .byhand import ByHand
from .evidence import Evidence
from .killing import Killer
from .mirroring import mirroring
from .queue import WaitingJobs
from .reconcile import Reconciler
from .secrets import Secrets
from .shortcut import Shortcut
from .submission import Submitter
from .transitions import Transitions

if TYPE_CHECKING:
    from ..scheduler import Observation, Scheduler

__all__ = ["Active", "Session"]

T = TypeVar("T")
Args = TypeVarTuple("Args")

log = logging.getLogger("sched")


@dataclass(slots=True)
class Active:
    """An attempt that is on its way to the engine, or in it."""

    job: Job
    attempt: int
    seen: float
    """When there was last a sign of life, on the monotonic clock."""
    submission: Submission | None = None
    accepted: bool = False
    """The engine is known to have taken it."""
    concluded: bool = False
    """How it ended is known: what is seen later, or at the same time, changes nothing."""
    recorded: bool = False
    """The wrapper's own record tells how it ended."""
    absent_since: float | None = None
    """Since when the engine does not know it."""
    held: bool = False
    """There is a record of an end by a signal, and the engine has not said yet what it was about."""
    told: float | None = None
    """When the engine was last told to end it, on the monotonic clock."""
    engine_ended: float | None = None
    """Since when the engine says that it has ended, while there is no record."""


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
        self.journal = journal
        self.lease = lease
        self.layout = Layout(str(scheduler.workdir))
        self.mounted = _whole(str(scheduler.mounted_workdir))
        self.folder = _on_this_machine(scheduler) or self.mounted
        """Where this machine has the run's folder as jobs write to it; of a bucket, the mirror."""
        self.mounted_recorder = f"{self.mounted}/.sched/{recorder_name()}"
        self.jobs: dict[int, Job] = {}
        self.active: dict[int, Active] = {}
        self.waiting = WaitingJobs()
        self.finals: list[Job] = []
        self.feeding = True
        self.submits = True
        """Whether anything may start; otherwise jobs that an earlier driver has left are only killed."""
        self.closing = False
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
        self._news = anyio.Event()
        self._wake = anyio.Event()
        self._flushing = anyio.Lock()
        self._noted: dict[int, dict[str, Any]] = {}
        self._warned: set[str] = set()
        self._budgets: dict[str, Budget] = {}
        self._open: set[int] = set()
        self._done: set[int] = set()
        self._tasks_left: dict[str, int] = {}
        self._settled: list[Submission] = []

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
            self._budgets[endpoint] = Budget(self.ports, endpoint, rate, self.warn)
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

    async def reopen(self, job: Job, resources: Resources | None = None) -> None:
        """Have a job that ended for good tried once more, on nobody's account.

        `resources` are what it gets in place of what it asked for. Raises OptionError where the
        backend cannot promise them; then nothing has happened.
        """
        self.secrets.require(job)
        if resources is not None:
            change_resources(self.scheduler, job, resources)
            self.note_job(job)
        self._done.discard(job.index)
        self.unwanted.discard(job.index)
        self.cut_short.discard(job.index)
        self.expect(job)
        raised = job.raised
        self.transitions.next_attempt(job, charged=False)
        if resources is not None:
            job.raised = raised  # it gets what was asked for now
        job.trial_count = 0
        await self.scheduler.transition_job_status(job, JobStatus.QUEUED)
        self.enqueue(job)

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

    def fail(self, error: BaseException) -> None:
        """Stop submitting: the run cannot go on, and whoever waits for it is told why."""
        if self.failure is None:
            reason = self.secrets.redactor.redact(str(error))
            log.error("the run in %s stops: %s", self.layout.workdir, reason)
            self.failure = error
        if isinstance(error, RunLocked):
            self.ousted = True
        self.closing = True
        self.wake()
        self.notify()

    # --- submissions ---------------------------------------------------------------------------

    def bind(self, active: Active, submission: Submission) -> None:
        """Keep the record of a submission until this attempt, as well, has ended."""
        active.submission = submission
        self._tasks_left[submission.sid] = self._tasks_left.get(submission.sid, 0) + 1

    def let_go(self, job: Job) -> None:
        """Forget the job's attempt: it has ended, or was never handed over."""
        active = self.active.pop(job.index, None)
        if self.closing and not self.active:
            self.notify()  # nothing runs any more that is waited for, whatever has become of it
        if active is None or active.submission is None:
            return
        sid = active.submission.sid
        left = self._tasks_left.get(sid, 1) - 1
        if left:
            self._tasks_left[sid] = left
        else:
            self._tasks_left.pop(sid, None)
            self._settled.append(active.submission)

    @property
    def tasks_left(self) -> Mapping[str, int]:
        """How many attempts of each submission have not ended, by its sid."""
        return self._tasks_left

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

    # --- the journal ---------------------------------------------------------------------------

    def note_job(self, job: Job) -> None:
        """Record what a job is to run."""
        self.secrets.settle(job)
        if self.journal is not None:
            self._add(self.journal, job_entry(job.index, _spec(job)))

    def _add(self, journal: Journal, entry: dict[str, Any]) -> None:
        if not journal.pending:
            self._news.set()
        journal.add(entry)

    async def noted(self) -> None:
        """Wait until there is something to flush."""
        while self.journal is None or not self.journal.pending:
            self._news = anyio.Event()
            await self.ports.wait(self._news, None)

    def note_state(self, job: Job) -> None:
        """Record where a job stands; several moves of an attempt before a flush become one entry."""
        job.reason = self.secrets.redactor.redact(job.reason)
        if self.journal is None:
            return
        entry = state_entry(job.index, job.status, self.ports.now(), self._state(job))
        noted = self._noted.get(job.index)
        if noted is not None and noted["attempt"] == job.attempt:
            noted.clear()
            noted.update(entry)
        else:
            self._noted[job.index] = entry
            self._add(self.journal, entry)

    def _state(self, job: Job) -> dict[str, Any]:
        state: dict[str, Any] = dict(zip(JOB_STATE, _read_state(job), strict=True))
        sparse = zip(SPARSE_STATE, _read_sparse(job), strict=True)
        state.update([pair for pair in sparse if pair[1] is not None])
        killed = job.status is JobStatus.KILLED or job.status is JobStatus.KILLING
        if killed or job.index in self.cut_short:
            state["interrupted"] = self.goes_on(job)
        return state

    def goes_on(self, job: Job) -> bool:
        """Tell whether a job that does not finish does so with the run alone: a resume goes on with it."""
        if job.index in self.unwanted:
            return False
        if job.status is JobStatus.FAILED:
            return job.index in self.cut_short
        killed = job.status is JobStatus.KILLED or job.status is JobStatus.KILLING
        return killed and (self.interrupted or job.index in self.interrupted_before)

    async def flush(self) -> None:
        """Make what was noted safe. Raises OSError."""
        await self.flush_with(_nothing)

    async def flush_with(self, function: Callable[[*Args], T], *args: *Args) -> T:
        """Make what was noted safe, then call the function, in one hop to a worker thread."""
        if self.journal is None:
            await self.store_secrets()
            return await self.ports.offload(function, *args)
        async with self._flushing:
            self._noted = {}
            entries, settled, secrets = self.journal.take(), self._settled, self.secrets.take()
            self._settled = []
            try:
                return await self.ports.offload(
                    self._write, self.journal, entries, settled, secrets, function, *args
                )
            except BaseException:
                # A full disk, or a cancellation before it began. Said twice does no harm, not said
                # at all would.
                self.journal.put_back(entries)
                self.secrets.put_back(secrets)
                self._settled += settled
                self._news.set()
                raise

    def _write(
        self,
        journal: Journal,
        entries: list[dict[str, Any]],
        settled: list[Submission],
        secrets: Mapping[str, str],
        function: Callable[[*Args], T],
        *args: *Args,
    ) -> T:
        self.secrets.store(secrets)
        journal.write(entries)
        # Only now: what became of its attempts is safe without it.
        self.remove_settled(settled)
        return function(*args)

    async def store_secrets(self) -> None:
        """Write the values that scripts are about to refer to, if there are new ones. Raises OSError."""
        if secrets := self.secrets.take():
            try:
                await self.ports.offload(self.secrets.store, secrets)
            except BaseException:
                self.secrets.put_back(secrets)
                raise

    def remove_settled(self, submissions: Iterable[Submission]) -> None:
        """Remove the records of submissions of which no attempt is open, and their scripts. Blocks."""
        paths: list[str] = []
        for submission in submissions:
            paths += [
                self.layout.submission(submission.sid),
                *self.scheduler.stored_with(submission),
            ]
        self.ports.files.remove_many(paths)

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


_read_state = attrgetter(*JOB_STATE)
_read_sparse = attrgetter(*SPARSE_STATE)


def _whole(path: str) -> str:
    # A slot and a script name the recorder alike, and a script works from wherever it is run.
    return path if "://" in path else os.path.abspath(path)


def _on_this_machine(scheduler: Scheduler) -> str | None:
    if scheduler.workdir.is_cloud():
        return scheduler.mirror_folder()
    return os.path.abspath(str(scheduler.workdir))


def _spec(job: Job) -> Mapping[str, Any]:
    return {
        "cmd": job.cmd,
        "name": job.given_name,
        "envs": {n: v for n, v in (job.envs or {}).items() if not isinstance(v, Secret)},
        "secrets": job.secrets,
        "resources": job.resources.to_json() if job.resources is not None else None,
        "timeout": job.timeout,
        "inputs": job.inputs,
        "outputs": job.outputs,
        "container": job.container.to_json() if job.container is not None else None,
    }


def _nothing() -> None:
    """Have only the journal written."""
