"""The scheduler of many hosts."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
from collections import deque
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, ClassVar, Literal

import anyio

from sched_core import (
    AttemptId,
    EngineState,
    EngineUnavailable,
    Failure,
    Job,
    Observation,
    OptionError,
    Report,
    Resources,
    Scheduler,
    Submission,
    attempt_id,
)
from sched_core.model.units import parse_time
from sched_core.scheduler import job_token
from sched_core.scheduler.options import check_count
from sched_core.text.recorder import recorder_name
from sched_core.text.script import recorder_text

from .attempts import Attempt, Stage
from .doctor import check_host
from .host import Host, Place
from .judging import Judge
from .link import ConnectOptions
from .placement import best_host
from .servers import parse_servers
from .staging import check_staged
from .transfer import Transfers
from .troubles import HostUnavailable
from .wire import Message

__all__ = ["SshScheduler"]

_FIRST_ANSWERS = 1.0
"""Seconds that are waited for further hosts once the first can be used."""
_START_STEP = 0.02


class SshScheduler(Scheduler):
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
    - `insecure_skip_host_key_check`: take whoever answers for the host.

    Jobs outlive the driver and the connection. Further options are those of Scheduler.
    """

    name: ClassVar[str] = "ssh"
    max_batch: int = 64
    batch_delay: ClassVar[float] = 0.0
    throttles: ClassVar[bool] = True
    pushes: ClassVar[bool] = True
    outlives_driver: ClassVar[bool] = False
    shared_disk: ClassVar[bool] = False
    movable: ClassVar[bool] = True
    events: ClassVar[Literal["always", "fallback"]] = "fallback"
    OPTIONS: ClassVar[frozenset[str]] = Scheduler.OPTIONS | frozenset(
        """servers ssh_config connect_timeout keepalive host_failures host_lost_after
        insecure_skip_host_key_check""".split()
    )

    def _set_options(self, options: dict[str, Any]) -> None:
        super()._set_options(options)
        self.servers = parse_servers(options.get("servers", ()))
        self.ssh_config = _files(options.get("ssh_config"))
        self.connect_timeout = parse_time(options.get("connect_timeout", 20.0), "connect_timeout")
        self.keepalive = parse_time(options.get("keepalive", 15.0), "keepalive")
        self.host_failures = check_count("host_failures", options.get("host_failures", 3), 1)
        lost_after = options.get("host_lost_after")
        self.host_lost_after = (
            None if lost_after is None else parse_time(lost_after, "host_lost_after")
        )
        self.insecure_skip_host_key_check = bool(options.get("insecure_skip_host_key_check", False))

    def options(self) -> dict[str, Any]:
        """Return the options as a run's folder records them; variables of hosts are not among them."""
        servers = {name: server.to_json() for name, server in self.servers.items()}
        for server in servers.values():
            server.pop("env", None)
        return super().options() | {
            "servers": servers,
            "ssh_config": self.ssh_config,
            "connect_timeout": self.connect_timeout,
            "keepalive": self.keepalive,
            "host_failures": self.host_failures,
            "host_lost_after": self.host_lost_after,
            "insecure_skip_host_key_check": self.insecure_skip_host_key_check,
        }

    # --- what the reference names ----------------------------------------------------------------

    async def submit_job(self, job: Job) -> str:
        """Start the job on the host with the most room and return its process id there.

        Waits until there is room.
        """
        attempt = self._enqueue(job)
        while attempt.stage < Stage.STARTED:
            if self.session.closing and self._unplace(attempt):
                raise EngineUnavailable("the run ends before there is room for the job")
            if attempt.refused is not None:
                raise attempt.refused
            await self.session.change(_START_STEP)
        return str(attempt.leader)

    async def kill_job(self, job: Job) -> None:
        """End the job's whole process tree: TERM, and after the grace period KILL."""
        await self.kill_jobs([job])

    async def job_is_running(self, job: Job) -> bool:
        """Tell whether the job waits for a host, or its processes live there."""
        return attempt_id(job) in await self.query_jobs([job])

    # --- in bulk ---------------------------------------------------------------------------------

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Hold the connections to all hosts while the run is open.

        Raises HostUnavailable where not a single host can be used.
        """
        _check_loop()
        self._report: Report = self.session.report
        self._queue: deque[Attempt] = deque()
        self._attempts: dict[AttemptId, Attempt] = {}
        self._wake = anyio.Event()
        self._usable = anyio.Event()
        place = await self._make_probe()
        ports = self.session.ports
        how = self.connect_options()
        self._hosts = {n: Host(s, how, place, ports) for n, s in self.servers.items()}
        self._transfers = Transfers(self)
        self._judge = Judge(self, self._transfers)
        room = asyncio.create_task(self._keep_house())
        try:
            await self._await_hosts(room)
            yield
        finally:
            await _end(room)
            await ports.offload(ports.files.remove, f"{self.session.layout.home}/{place.probe}")

    def connect_options(self) -> ConnectOptions:
        """Return how hosts are connected to."""
        if self.insecure_skip_host_key_check:
            self.session.warn(
                "host keys are not checked (insecure_skip_host_key_check): whoever answers gets the jobs"
            )
        return ConnectOptions(
            None if self.ssh_config is None else tuple(self.ssh_config),
            self.connect_timeout,
            self.keepalive,
            self.insecure_skip_host_key_check,
        )

    async def _make_probe(self) -> Place:
        """Leave a file that only a host with the same disk can see."""
        session = self.session
        name, content = f"probe.{secrets.token_hex(8)}", secrets.token_hex(16)
        await session.ports.offload(session.make_folders)
        path = f"{session.layout.home}/{name}"
        await session.ports.offload(session.ports.files.create, path, f"{content}\n".encode())
        return Place(
            os.path.abspath(session.layout.workdir),
            name,
            content,
            session.run,
            recorder_name(),
            recorder_text(),
            session.directory,
        )

    async def _keep_house(self) -> None:
        """Do all that goes on while the run is open."""
        try:
            async with anyio.create_task_group() as group:
                self._group = group
                for host in self._hosts.values():
                    group.start_soon(host.keep_up, self)
                group.start_soon(self._dispatch)
        except Exception as error:
            cause = error
            while isinstance(cause, ExceptionGroup):
                cause = cause.exceptions[0]
            self.session.fail(cause)
            raise

    async def _await_hosts(self, room: asyncio.Task[None]) -> None:
        """Wait for hosts that can be used. Raises HostUnavailable where there is none."""
        async with anyio.create_task_group() as group:
            group.start_soon(self._await_all, group.cancel_scope)
            group.start_soon(self._await_first, group.cancel_scope)
            group.start_soon(_raise_failure, room)
        if not any(host.up for host in self._hosts.values()):
            errors = [str(host.error) for host in self._hosts.values() if host.error is not None]
            raise HostUnavailable("; ".join(errors))

    async def _await_all(self, scope: anyio.CancelScope) -> None:
        for host in self._hosts.values():
            await host.tried.wait()
        scope.cancel()

    async def _await_first(self, scope: anyio.CancelScope) -> None:
        await self._usable.wait()
        await anyio.sleep(_FIRST_ANSWERS)
        scope.cancel()

    async def submit_jobs(
        self, jobs: Sequence[Job], submission: Submission
    ) -> Mapping[AttemptId, str | None]:
        """Put jobs into the driver's queue; their ids are known when they start."""
        for job in jobs:
            self._enqueue(job)
        return {attempt_id(job): None for job in jobs}

    def _enqueue(self, job: Job) -> Attempt:
        attempt = Attempt(job, job.attempt)
        self._queue.append(attempt)
        self.wake()
        return attempt

    async def kill_jobs(self, jobs: Sequence[Job]) -> None:
        """End the whole process trees of jobs: TERM, and after the grace period KILL."""
        by_host: dict[Host, list[Attempt]] = {}
        for job in jobs:
            attempt = self._attempts.get(attempt_id(job))
            if attempt is not None and attempt.host is not None and attempt.stage < Stage.ENDED:
                by_host.setdefault(attempt.host, []).append(attempt)
        errors: list[HostUnavailable] = []

        async def kill(host: Host, attempts: list[Attempt]) -> None:
            trees = [(a.id, self.token(a.job)) for a in attempts]
            try:
                await host.kill(trees, self.grace)
                await self._judge.look_again(host, attempts)
            except HostUnavailable as error:
                errors.append(error)

        async with anyio.create_task_group() as group:
            for host, attempts in by_host.items():
                group.start_soon(kill, host, attempts)
        if errors:
            raise errors[0]

    async def withdraw_jobs(self, jobs: Sequence[Job]) -> Collection[AttemptId]:
        """Take back what no host has been told to start."""
        wanted = {attempt_id(job) for job in jobs}
        known = [*self._queue, *self._attempts.values()]
        return {a.id for a in known if a.id in wanted and self._unplace(a)}

    def _unplace(self, attempt: Attempt) -> bool:
        """Take an attempt back, unless its host was told to start it."""
        if attempt.stage > Stage.PLACED:
            return False
        attempt.withdrawn = True
        if attempt in self._queue:
            self._queue.remove(attempt)
        self.forget(attempt)
        return True

    async def fence(self, jobs: Sequence[Job]) -> Collection[AttemptId]:
        """Make sure that attempts that have not started never do; return those that now cannot."""
        won = set(await self.withdraw_jobs(jobs))
        left = [job for job in jobs if attempt_id(job) not in won]
        sent = [a for job in left if (a := self._attempts.get(attempt_id(job))) is not None]
        # No host was told of these: a claim here is enough.
        won |= set(
            await super().fence([job for job in left if attempt_id(job) not in self._attempts])
        )
        for host in {a.host for a in sent if a.host is not None}:
            there = [a for a in sent if a.host is host]
            with contextlib.suppress(HostUnavailable):
                told = await host.look([a.id for a in there], self.fence_text())
                for attempt in there:
                    if told[attempt.id].state == "fence":
                        self.forget(attempt)
                        won.add(attempt.id)
        return won

    def fence_text(self) -> str:
        """Return the claim of whoever keeps an attempt from starting."""
        return self._fence_text().decode().strip()

    async def query_jobs(self, jobs: Sequence[Job]) -> Mapping[AttemptId, Observation]:
        """Look at the queue, and on the hosts at what they were told to start."""
        wanted = {attempt_id(job) for job in jobs}
        seen = {a.id: Observation(EngineState.WAITING) for a in self._queue if a.id in wanted}
        attempts = [a for i in wanted if (a := self._attempts.get(i)) is not None]
        for attempt in attempts:
            running = attempt.stage >= Stage.STARTED
            state = EngineState.RUNNING if running else EngineState.WAITING
            seen[attempt.id] = Observation(state)
        for host in {a.host for a in attempts if a.host is not None and a.host.up}:
            there = [a for a in attempts if a.host is host and a.stage in _ON_HOST]
            with contextlib.suppress(HostUnavailable):
                await self._judge.look_again(host, there)
        return seen

    async def recall_jobs(self, jobs: Sequence[Job]) -> Collection[AttemptId]:
        """Leave open what a host may have been told to start: it tells when it can be reached."""
        placed = [job for job in jobs if job.host is not None]
        for job in placed:
            if job.host not in self._hosts:
                raise OptionError(
                    f"job {job.index} may still run on {job.host}: name it among the servers"
                )
        return {attempt_id(job) for job in placed}

    async def adopt_jobs(self, jobs: Sequence[Job]) -> None:
        """Go on with what an earlier driver had hosts start."""
        by_host: dict[Host, list[Attempt]] = {}
        for job in jobs:
            host = self._hosts[job.host or ""]
            attempt = Attempt(job, job.attempt, host, stage=Stage.SENT, adopted=True)
            self._attempts[attempt.id] = attempt
            by_host.setdefault(host, []).append(attempt)
        for host, attempts in by_host.items():
            if host.up:
                with contextlib.suppress(HostUnavailable):
                    await self._judge.look(host, attempts)
            elif host.error is not None:
                self._say_waiting(host)

    async def explain(self, job: Job) -> str:
        """Tell where the job is, and what keeps it from going on."""
        attempt = self._attempts.get(attempt_id(job))
        if attempt is None or attempt.host is None:
            waiting = [str(h.error) for h in self._hosts.values() if h.error is not None]
            return job.reason or "; ".join(["it waits for room on a host", *waiting])
        if not attempt.host.up:
            return f"it is on {attempt.host.name}, which cannot be asked: {attempt.host.error}"
        return f"it is on {attempt.host.name}, {attempt.stage.name.lower()}"

    async def doctor(self) -> Sequence[tuple[str, bool | None, str]]:
        """Check each host: connection, keys, bash, disk, clock, cores, and whether it shares the disk."""
        _check_loop()
        place = await self._make_probe()
        ports = self.session.ports
        findings: dict[str, Sequence[tuple[str, bool | None, str]]] = {}

        async def check(name: str) -> None:
            server = self.servers[name]
            findings[name] = await check_host(server, self.connect_options(), place, ports.now)

        try:
            async with anyio.create_task_group() as group:
                for name in self.servers:
                    group.start_soon(check, name)
        finally:
            await ports.offload(ports.files.remove, f"{self.session.layout.home}/{place.probe}")
        return [finding for name in self.servers for finding in findings[name]]

    def check_job(self, job: Job) -> None:
        """Refuse a job that no host can run. Raises OptionError."""
        if job.container is not None:
            raise OptionError("the scheduler ssh runs no containers: leave container out")
        for path in (*job.inputs, *job.outputs):
            if any(host.shared is False for host in self._hosts.values()):
                check_staged(path)
        wanted = self.job_resources(job)
        if wanted == _NO_WISHES:
            return
        errors = []
        for host in self._hosts.values():
            if host.admission is None:
                return  # it may be able to, once it can be reached
            try:
                host.admission.machine.check(wanted)
            except OptionError as error:
                errors.append(error)
            else:
                return
        raise errors[0]

    # --- starting --------------------------------------------------------------------------------

    def wake(self) -> None:
        """Have the queue be looked at."""
        self._wake.set()

    async def _dispatch(self) -> None:
        """Hand waiting jobs to hosts whenever there is room."""
        while True:
            await self._wake.wait()
            self._wake = anyio.Event()
            placed = self._place()
            if not placed:
                continue
            try:
                # Where a job may be is known before it can be there, whoever goes on with the run.
                await self.session.flush_with(self.session.check_lease)
            except Exception as error:  # noqa: BLE001  # whatever it is, nothing may start
                for attempt in placed:
                    self._unplace(attempt)
                self.session.fail(error)
                continue
            for host in {a.host for a in placed if a.host is not None}:
                self._group.start_soon(self.start, host, [a for a in placed if a.host is host])

    def _place(self) -> list[Attempt]:
        """Find hosts for what waits, in order, as far as forks and hosts allow."""
        placed: list[Attempt] = []
        running = sum(a.stage < Stage.ENDED for a in self._attempts.values())
        while self._queue and running + len(placed) < self.forks:
            attempt = self._queue[0]
            found = best_host(self._hosts.values(), self.job_resources(attempt.job))
            if found is None:
                break
            host, attempt.grant = found
            self._queue.popleft()
            attempt.host, attempt.slot, attempt.stage = host, host.free.pop(), Stage.PLACED
            attempt.job.host = host.name
            self._attempts[attempt.id] = attempt
            self.session.note_state(attempt.job)
            placed.append(attempt)
        return placed

    async def start(self, host: Host, attempts: Sequence[Attempt]) -> None:
        """Bring to a host what it needs, and have it start attempts that were placed there."""
        ready = list(attempts)
        texts: dict[AttemptId, str] = {}
        try:
            if not host.shared:
                ready = await self._transfers.bring(host, ready)
                texts = await self._transfers.scripts(ready)
        except HostUnavailable as error:
            self.session.warn(str(error))
            # Some may have gone elsewhere meanwhile, or were told before to start.
            self.put_back(
                [a for a in ready if a.host is host and a.stage is Stage.PLACED and not a.withdrawn]
            )
            return
        for attempt in ready:
            if not attempt.withdrawn and attempt.host is host and attempt.stage <= Stage.SENT:
                attempt.stage = Stage.SENT
                text, extra = texts.get(attempt.id, ""), _exports(attempt, host)
                host.start(attempt.slot, text, extra, attempt.id, f"job.wrapped.{self.name}")

    def waiting(self) -> Iterable[Attempt]:
        """Return what waits for a host, in order."""
        return self._queue

    def put_back(self, attempts: Sequence[Attempt]) -> None:
        """Let what was not started on a host go to another one."""
        for attempt in reversed(attempts):
            self.forget(attempt)
            attempt.host, attempt.stage = None, Stage.QUEUED
            attempt.job.host = None
            self._queue.appendleft(attempt)
        self.wake()

    def release(self, attempt: Attempt) -> None:
        """Let others have what an attempt held on its host."""
        host = attempt.host
        if host is None or attempt.released:
            return
        attempt.released = True
        if attempt.slot:
            host.give_back(attempt.slot)
            attempt.slot = 0
        if attempt.grant is not None and host.admission is not None:
            host.admission.give_back(attempt.grant)
            attempt.grant = None
        self.wake()

    def forget(self, attempt: Attempt) -> None:
        """Know no more of an attempt."""
        self.release(attempt)
        attempt.released = False
        self._attempts.pop(attempt.id, None)

    def report(self, attempt: Attempt, seen: Observation) -> None:
        """Tell the lifecycle what was seen of an attempt."""
        self.answers_again(attempt)
        self._report(attempt.id, seen)

    def answers_again(self, attempt: Attempt) -> None:
        """Take back that an attempt's host cannot be asked about it."""
        if attempt.job.failure is Failure.UNAVAILABLE:
            attempt.job.failure, attempt.job.reason = None, ""

    def token(self, job: Job) -> str:
        """Return what all processes of the job's present attempt carry."""
        return job_token(self.session.run, job)

    # --- what hosts say --------------------------------------------------------------------------

    def on_host(self, host: Host) -> list[Attempt]:
        """Return what the host has, or had and was not reported yet."""
        return [a for a in self._attempts.values() if a.host is host]

    def hosts(self) -> Collection[Host]:
        """Return all hosts."""
        return self._hosts.values()

    def attempt(self, wanted: AttemptId) -> Attempt | None:
        """Return what is known of an attempt."""
        return self._attempts.get(wanted)

    def count_start(self, host: Host, *, failed: bool) -> None:
        """Count what a host could not, or could, start."""
        self._judge.count(host, failed)

    def spawn(self, function: Any, *args: Any) -> None:
        """Do something while the run is open."""
        self._group.start_soon(function, *args)

    async def came_up(self, host: Host) -> None:
        """A host can be used, for the first time or again."""
        await self._judge.look(host, [a for a in self.on_host(host) if a.stage > Stage.PLACED])
        self._usable.set()
        self.wake()

    def went_down(self, host: Host) -> None:
        """A host cannot be used now."""
        attempts = self.on_host(host)
        # It was not told to start these.
        self.put_back([a for a in attempts if a.stage is Stage.PLACED])
        self._say_waiting(host)
        if self.host_lost_after is not None and not host.given_up:
            host.given_up = True
            self.spawn(self._judge.give_up_later, host, self.host_lost_after)

    def _say_waiting(self, host: Host) -> None:
        left = [a for a in self.on_host(host) if a.stage > Stage.PLACED]
        for attempt in left:
            attempt.job.failure = Failure.UNAVAILABLE
            attempt.job.reason = f"{host.error}; waiting for the host"
            self.session.note_state(attempt.job)
        waiting = f"; {len(left)} jobs on it wait for it" if left else ""
        self.session.warn(f"{host.error}{waiting}")

    def heard(self, host: Host, message: Message) -> None:
        """An agent has something to tell."""
        self._judge.hear(host, message)


_NO_WISHES = Resources()
_ON_HOST = (Stage.SENT, Stage.STARTED)


def _exports(attempt: Attempt, host: Host) -> str:
    own = attempt.job.envs or {}
    lines = [f"{key}={value}" for key, value in host.server.env.items() if key not in own]
    if attempt.grant is not None and (cards := attempt.grant.exports()):
        lines.append(cards)
    return "\n".join(lines)


def _files(value: object) -> list[str] | None:
    if value is None:
        return None
    if isinstance(value, str | os.PathLike):
        return [os.fspath(value)]
    if isinstance(value, Sequence):
        return [os.fspath(name) for name in value]
    raise OptionError(f"ssh_config {value!r}: give the path of a file, or several")


def _check_loop() -> None:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        raise OptionError(
            "the scheduler ssh runs on asyncio only: anyio.run(main, backend='asyncio')"
        ) from None


async def _raise_failure(room: asyncio.Task[None]) -> None:
    await asyncio.wait([room])
    room.result()


async def _end(room: asyncio.Task[None]) -> None:
    """End what goes on, and wait until it has ended."""
    room.cancel()
    with anyio.CancelScope(shield=True):
        await asyncio.wait([room])
    if not room.cancelled():
        room.exception()  # it was told to the session
