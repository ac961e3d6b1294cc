"""What must be true of a simulated run, whatever went wrong."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from itertools import pairwise

from ...model.failure import Failure
from ...model.job import Job
from ...model.status import MOVES, JobStatus
from .chance import Chance
from .engine import SimulatedEngine
from .faults import Fault
from .scheduler import SimulatedScheduler
from .watching import HookLog, WatchedJob
from .wrapper import Execution

__all__ = ["Oracle"]

_ORDER = {
    name: place
    for place, name in enumerate(
        """on_job_queued on_job_submitting on_job_submitted on_job_started on_job_verify
        on_job_killed on_job_failed on_job_succeeded""".split()
    )
}

_CAUSES = {
    Failure.REJECTED: {Fault.SUBMIT_REJECTED},
    Failure.OUT_OF_MEMORY: {Fault.OUT_OF_MEMORY},
    Failure.NODE_FAIL: {Fault.NODE_FAIL, Fault.REQUEUED, Fault.REQUEUED_LATE},
    Failure.PREEMPTED: {
        Fault.PREEMPTED,
        Fault.PREEMPTED_BY_TERM,
        Fault.REQUEUED,
        Fault.REQUEUED_BY_TERM,
    },
}
"""Of which faults one has struck where a job is said to have failed like that."""

_QUESTIONS = 10
"""How many questions are counted together: each takes its time, so that two may come close."""

_IMPATIENT = 6
"""How many calls may come before the moment that an engine has named: others were on their way."""


class Oracle:
    """Watches the engine and the drivers, and collects what must not be."""

    def __init__(self, engine: SimulatedEngine, forks: int, chance: Chance) -> None:
        """Watch that engine; `chance` knows what has gone wrong."""
        self.violations: list[str] = []
        self._chance = chance
        self._engine = engine
        self.forks = forks
        """How many jobs may run at once."""
        self._running: list[Execution] = []
        engine.on_start = self.started

    def complain(self, what: str) -> None:
        """Note something that must not be."""
        self.violations.append(f"at {self._engine.clock():.3f}: {what}")

    # --- while it runs ---------------------------------------------------------------------------

    def started(self, new: Execution) -> None:
        """Judge the start of a command."""
        self._running = [old for old in self._running if old.ended is None]
        for old in self._running:
            if old.index == new.index:
                self.complain(f"two at once: {old} and {new}")
        self._running.append(new)
        if len(self._running) > self.forks:
            self.complain(f"{len(self._running)} run at once, more than {self.forks}")
        for old in self._engine.executions[:-1]:
            if (old.index, old.attempt) == (new.index, new.attempt):
                self._judge_restart(old, new)

    def _judge_restart(self, old: Execution, new: Execution) -> None:
        if old.jid != new.jid or old.restart >= new.restart:
            self.complain(f"an attempt was started twice: {old} and {new}")
        elif old.recorded and old.rc == 0:
            self.complain(f"an attempt that had finished was started again: {old} and {new}")

    def recorded(self) -> Iterable[Execution]:
        """Return the last starts of attempts, as far as they have recorded their ends."""
        last = {(e.index, e.attempt): e for e in self._engine.executions}
        started = self._engine.restarts
        return (e for e in last.values() if e.recorded and e.restart == started[e.jid])

    # --- at the end ------------------------------------------------------------------------------

    def judge_jobs(
        self, jobs: Iterable[Job], ended: Mapping[int, float], killed: Collection[int]
    ) -> None:
        """Judge what a run has made of its jobs; `ended` tells since when each is final, `killed`
        which of them somebody wanted to be killed.
        """
        executions = self._executions()
        for job in jobs:
            self._judge_job(job, executions.get(job.index, []), ended.get(job.index))
            if job.status is JobStatus.KILLED and job.index not in killed:
                self.complain(f"{job} was killed, and nobody wanted that")

    def _judge_job(self, job: Job, executions: list[Execution], ended: float | None) -> None:
        if not job.status.final:
            self.complain(f"{job} has not ended")
        own = [execution for execution in executions if execution.attempt == job.attempt]
        if job.failure is Failure.EXIT and not any(e.rc == job.rc for e in own):
            self.complain(f"{job} is said to have ended with {job.rc}, but ran as {own}")
        causes = _CAUSES.get(job.failure) if job.failure is not None else None
        if causes is not None and not causes.intersection(self._chance.counts):
            self.complain(f"{job} is said to have failed by {job.failure}, which nothing did")
        if job.status is JobStatus.FINISHED and not any(e.rc == 0 for e in own):
            self.complain(f"{job} is said to have finished, but ran as {own}")
        if not {Fault.CLOCK_JUMPS, Fault.NODE_CLOCK_JUMPS}.intersection(self._chance.counts):
            self._judge_times(job)
        for execution in executions:
            if ended is not None and execution.started > ended:
                self.complain(f"{job} had ended at {ended:.3f}, and ran again as {execution}")

    def _judge_times(self, job: Job) -> None:
        told = (job.queued, job.submitted, job.started, job.ended)
        known = [time for time in told if time is not None]
        missing = job.status is JobStatus.FINISHED and None in (job.queued, job.submitted)
        if missing or known != sorted(known):
            self.complain(f"{job} was queued, submitted, started and ended at {told}")

    def _executions(self) -> dict[int, list[Execution]]:
        found: dict[int, list[Execution]] = {}
        for execution in self._engine.executions:
            found.setdefault(execution.index, []).append(execution)
        return found

    def judge_limits(self, jobs: Iterable[Job]) -> None:
        """Judge whether jobs that nobody wanted to be killed, and that had too little time, got more."""
        executions = self._executions()
        for job in jobs:
            if _last_limit(job) is None:
                continue
            self._judge_limits(job, executions.get(job.index, []))

    def _judge_limits(self, job: Job, executions: list[Execution]) -> None:
        for old, new in pairwise(executions):
            if new.limit < old.limit:
                self.complain(f"{job} had less time than before: {old} and {new}")
            spent = old.timed_out and old.recorded and old.attempt != new.attempt
            if spent and new.limit == old.limit != _last_limit(job):
                self.complain(f"{job} has timed out, and had no more time: {old} and {new}")
        last = executions[-1] if executions else None
        if job.failure is Failure.TIMEOUT and last and last.limit != _last_limit(job):
            self.complain(f"{job} has timed out for good, and might have had more time: {last}")

    def judge_moves(self, driver: str, jobs: Iterable[Job]) -> None:
        """Judge the states that one driver gave its jobs."""
        for job in jobs:
            if not isinstance(job, WatchedJob):
                continue  # a host's own kind of job
            moves = [status for _, status in job.moves]
            if moves[1:] and moves[1] not in MOVES[JobStatus.INIT]:
                del moves[0]  # what was restored begins where it stood
            for old, new in pairwise(moves):
                if new not in MOVES[old]:
                    names = " ".join(status.name for status in moves)
                    self.complain(f"{driver} moved {job} from {old.name} to {new.name}: {names}")

    def judge_hooks(self, driver: str, log: HookLog) -> None:
        """Judge the hooks that one driver fired: each once for an attempt, and in order."""
        for execution in self.recorded():
            known = log.lost.get((execution.index, execution.attempt))
            # What was queued again since it recorded its end may never have begun once more.
            if known is not None and known <= execution.restart:
                self.complain(f"{driver} took a recorded attempt for lost: {execution}")
        for attempt, hooks in log.once():
            if len(set(hooks)) != len(hooks):
                self.complain(f"{driver}: a hook fired twice for {attempt}: {hooks}")
            elif hooks != sorted(hooks, key=_ORDER.__getitem__):
                self.complain(f"{driver}: hooks fired out of order for {attempt}: {hooks}")

    def judge_questions(self, scheduler: SimulatedScheduler) -> None:
        """Judge how often the engine was asked."""
        asked = scheduler.questions
        for first, last in zip(asked, asked[_QUESTIONS:], strict=False):
            if last - first < (_QUESTIONS - 1) * scheduler.poll_interval[0]:
                self.complain(f"the engine was asked {_QUESTIONS} times from {first:.3f} on")
        for until, times in scheduler.impatient.items():
            if times > _IMPATIENT:
                self.complain(
                    f"the engine was called {times} times before {until:.3f} as it wanted"
                )


def _last_limit(job: Job) -> float | None:
    amounts = job.resources.amounts("time") if job.resources is not None else ()
    return amounts[-1] if amounts else None
