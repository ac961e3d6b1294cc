"""The scheduler of many hosts."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import ClassVar, Literal

import anyio

from sched_core import (
    AttemptId,
    EngineState,
    EngineUnavailable,
    Job,
    Observation,
    OptionError,
    PreviewPart,
    Remains,
    Submission,
    attempt_id,
)

from .absences import Absences
from .attempts import Attempt, Stage, by_host
from .cleaning import Cleaner
from .configuration import SshConfiguration
from .dispatch import Dispatcher
from .doctor import check_host
from .fleet import Fleet, probed
from .host import Host
from .inputs import Inputs
from .judging import Judge
from .ledger import Ledger
from .peeking import Peeker
from .placement import refusal
from .results import Results
from .servers import check_variables
from .troubles import HostUnavailable

__all__ = ["SshScheduler"]

_START_STEP = 0.02


class SshScheduler(SshConfiguration):
    """Runs jobs on other hosts over SSH, as many at once as `forks` on all of them together.

    - `servers`: a list of hosts, or a mapping of names to options: `host`, `user`, `port`,
      `keyfile`, `slots` (how many jobs at once, by default the host's cores), `env` (variables for
      jobs there), `workdir` (where runs lie on a host that does not share the driver's disk,
      `~/.cache/sched`). What is not given comes from the user's ssh configuration.
    - `ssh_config`: the file or files to read in place of `~/.ssh/config`.
    - `connect_timeout`, `keepalive`: seconds; a host that is silent for three times `keepalive` has
      lost its connection.
    - `host_failures`: a host on which so many jobs in a row cannot even be started is set aside.
    - `host_lost_after`: after that time without a connection, jobs of a host are tried again
      elsewhere. Whether they run on is not known then, so that they may run twice: by default they
      wait.
    - `engine_rate`: how often a host is connected to at most by all drivers of the user on this machine
      together: by default "30/min:3", every two seconds after the first three.
    - `insecure_skip_host_key_check`: take whoever answers for the host.

    Jobs outlive the driver and the connection. Further options are those of Scheduler.
    """

    name: ClassVar[str] = "ssh"
    max_batch: int = 64
    batch_delay: ClassVar[float] = 0.0
    throttles: ClassVar[bool] = True
    usual_forks: ClassVar[int | None] = 1000
    pushes: ClassVar[bool] = True
    outlives_driver: ClassVar[bool] = False
    shared_disk: ClassVar[bool] = False
    movable: ClassVar[bool] = True
    containers: ClassVar[bool] = True
    events: ClassVar[Literal["always", "fallback"]] = "fallback"
    usual_rate: ClassVar[str | None] = "30/min"
    _hosts: Collection[Host] = ()

    # --- what the reference names ----------------------------------------------------------------

    async def submit_job(self, job: Job) -> str:
        """Start the job on the host with the most room and return its process id there.

        Waits until there is room. Of a job that could not be started, of which the reason is
        reported, the id is empty.
        """
        attempt = self._ledger.enqueue(job)
        while attempt.stage < Stage.STARTED:
            if self.session.closing and self._ledger.unplace(attempt):
                raise EngineUnavailable("the run ends before there is room for the job")
            await self.session.change(_START_STEP)
        return str(attempt.leader or "")

    async def kill_job(self, job: Job) -> None:
        """End the job's whole process tree: TERM, and after the grace period KILL."""
        await self.kill_jobs([job])

    async def job_is_running(self, job: Job) -> bool:
        """Tell whether the job waits for a host, or its processes live there."""
        told = [a for a in self._placed([job]) if a.stage in (Stage.SENT, Stage.STARTED)]
        for host, attempts in by_host(told).items():
            with contextlib.suppress(HostUnavailable):
                await self._judge.look_again(host, attempts)
        return attempt_id(job) in await self.query_jobs([job])

    # --- in bulk ---------------------------------------------------------------------------------

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Hold the connections to all hosts while the run is open.

        Raises HostUnavailable where not a single host can be used, and OptionError where jobs
        may start and values of hosts' variables are missing.
        """
        _check_loop()
        if self.session.submits:
            check_variables(self.servers.values())
        session, servers = self.session, self.servers.values()
        await session.ports.offload(session.make_folders)
        async with probed(session) as place:
            how = self.connect_options()
            self._ledger = Ledger(self)
            self._fleet = Fleet(servers, how, place, session, self.host_failures)
            self._hosts = self._fleet.hosts()
            known = self._ledger, self._fleet
            dispatcher = Dispatcher(*known, Inputs(*known))
            absences = Absences(*known, self.host_lost_after)
            self._judge = Judge(*known, Results(*known), dispatcher, absences)
            async with self._fleet.kept_up(self._judge, dispatcher.run):
                try:
                    yield
                finally:
                    if session.secrets.are_over:
                        await self._fleet.forget_secrets()

    def hosts(self) -> Collection[Host]:
        """Return the hosts of the open run."""
        return self._hosts

    async def submit_jobs(
        self, jobs: Sequence[Job], submission: Submission
    ) -> Mapping[AttemptId, str | None]:
        """Put jobs into the driver's queue; their ids are known when they start."""
        for job in jobs:
            self._ledger.enqueue(job)
        return {attempt_id(job): None for job in jobs}

    def preview_submission(self, jobs: Sequence[Job], submission: Submission) -> list[PreviewPart]:
        """Return the hosts that the jobs are shared among, and the script of the first one."""
        servers = self.servers.values()
        check_variables(servers)
        hosts = "\n".join(server.in_words() for server in servers)
        return [PreviewPart("hosts", hosts), *super().preview_submission(jobs, submission)]

    async def kill_jobs(self, jobs: Sequence[Job]) -> None:
        """End the whole process trees of jobs: TERM, and after the grace period KILL."""
        errors: list[HostUnavailable] = []

        async def kill(host: Host, attempts: Sequence[Attempt]) -> None:
            trees = [(a.id, self._ledger.token(a)) for a in attempts]
            try:
                await host.kill(trees, self.grace)
                await self._judge.look_again(host, attempts)
            except HostUnavailable as error:
                errors.append(error)

        living = [a for a in self._placed(jobs) if a.stage < Stage.ENDED]
        async with anyio.create_task_group() as group:
            for host, attempts in by_host(living).items():
                group.start_soon(kill, host, attempts)
        if errors:
            raise errors[0]

    def _placed(self, jobs: Sequence[Job]) -> list[Attempt]:
        """Return those of the jobs' attempts that have a host."""
        found = [self._ledger.placed(attempt_id(job)) for job in jobs]
        return [attempt for attempt in found if attempt is not None]

    async def withdraw_jobs(self, jobs: Sequence[Job]) -> Collection[AttemptId]:
        """Take back what no host has been told to start."""
        return self._ledger.withdraw({attempt_id(job) for job in jobs})

    async def fence(self, jobs: Sequence[Job]) -> Collection[AttemptId]:
        """Make sure that attempts that have not started never do; return those that now cannot."""
        won = set(await self.withdraw_jobs(jobs))
        left = [job for job in jobs if attempt_id(job) not in won]
        sent = self._placed(left)
        told = {attempt.id for attempt in sent}
        # No host was told of these: a claim here is enough.
        won |= set(await super().fence([job for job in left if attempt_id(job) not in told]))
        for host, attempts in by_host(sent).items():
            won |= set(await self._judge.fence(host, attempts))
        return won

    async def query_jobs(self, jobs: Sequence[Job]) -> Mapping[AttemptId, Observation]:
        """Tell what is known: what ends is told by its host, and when it is back after a silence."""
        wanted = {attempt_id(job) for job in jobs}
        waiting = self._ledger.waiting()
        seen = {a.id: Observation(EngineState.WAITING) for a in waiting if a.id in wanted}
        for attempt in self._placed(jobs):
            running = attempt.stage >= Stage.STARTED
            state = EngineState.RUNNING if running else EngineState.WAITING
            seen[attempt.id] = Observation(state)
        return seen

    async def recall_jobs(self, jobs: Sequence[Job]) -> Collection[AttemptId]:
        """Leave open what a host may have been told to start: it tells when it can be reached."""
        placed = [job for job in jobs if job.host is not None]
        for job in placed:
            if job.host not in self._fleet:
                raise OptionError(
                    f"job {job.index} may still run on {job.host}: name it among the servers"
                )
        return {attempt_id(job) for job in placed}

    async def adopt_jobs(self, jobs: Sequence[Job]) -> None:
        """Go on with what an earlier driver had hosts start."""
        adopted = [self._ledger.adopt(job, self._fleet[job.host or ""]) for job in jobs]
        for host, attempts in by_host(adopted).items():
            if host.up:
                with contextlib.suppress(HostUnavailable):
                    await self._judge.look(host, attempts)
            elif host.error is not None:
                self._judge.absences.say_waiting(host)

    async def explain(self, job: Job) -> str:
        """Tell where the job is, and what keeps it from going on."""
        if not self._hosts:
            where = f"it was given to the host {job.host}" if job.host else "it waits for a host"
            return job.reason or f"{where}; only the run's driver can ask"
        attempt = self._ledger.placed(attempt_id(job))
        if attempt is None or attempt.host is None:
            waiting = [str(h.error) for h in self._hosts if h.error is not None]
            return job.reason or "; ".join(["it waits for room on a host", *waiting])
        if not attempt.host.up:
            return f"it is on {attempt.host.name}, which cannot be asked: {attempt.host.error}"
        return f"it is on {attempt.host.name}, {attempt.stage.name.lower()}"

    async def doctor(self) -> Sequence[tuple[str, bool | None, str]]:
        """Check each host: connection, keys, bash, disk, clock, cores, and whether it shares the disk."""
        _check_loop()
        now = self.session.ports.now
        findings: dict[str, Sequence[tuple[str, bool | None, str]]] = {}
        async with probed(self.session) as place:

            async def check(name: str) -> None:
                server = self.servers[name]
                findings[name] = await check_host(server, self.connect_options(), place, now)

            async with anyio.create_task_group() as group:
                for name in self.servers:
                    group.start_soon(check, name)
        return [finding for name in self.servers for finding in findings[name]]

    async def read_outputs(
        self, jobs: Sequence[Job], name: str, take: Callable[[int, bytes], None], *, follow: bool
    ) -> None:
        """Read what jobs write on hosts that do not share the disk, on connections of their own."""
        _check_loop()
        peeker = Peeker(self.servers, self.connect_options(), self.session.run, name)
        await peeker.read(jobs, take, follow=follow)

    async def find_remains(self, used: Collection[str]) -> Sequence[Remains]:
        """Look for the run's folder on hosts that do not share the disk, whatever else they hold."""
        _check_loop()
        return await self._cleaner().find(used)

    async def remove_remains(self, found: Sequence[Remains]) -> Sequence[Remains]:
        """Remove the run's folder from hosts; where it is in use, or not the run's own, it stays."""
        return await self._cleaner().remove(found)

    def _cleaner(self) -> Cleaner:
        return Cleaner(self.servers.values(), self.connect_options(), self.session.run)

    def check_job(self, job: Job) -> None:
        """Refuse a job that no host can run. Raises OptionError."""
        self.check_container(job)
        wanted = self.job_resources(job)
        refusals = [refusal(host, job, wanted) for host in self._hosts]
        # One that was never reached may be able to.
        if refusals and refusals[0] is not None and None not in refusals:
            raise refusals[0]


def _check_loop() -> None:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        raise OptionError(
            "the scheduler ssh runs on asyncio only: anyio.run(main, backend='asyncio')"
        ) from None
