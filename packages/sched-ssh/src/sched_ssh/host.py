"""One host: its connection, kept up as long as the run lasts, and what is asked of its agent."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Protocol

import anyio

from sched_core import AttemptId
from sched_core.ports import Ports
from sched_core.scheduler.admission import Admission, Machine

from .archives import fetch_files, send_files
from .link import ConnectOptions, Link, open_link
from .questions import Questions
from .servers import Server
from .staging import Parcel
from .troubles import HostUnavailable
from .wire import Done, Hello, Message, Root, Told, Trouble, request, run_folder

__all__ = ["Host", "Owner", "Place"]

_PATIENCE = 60.0
"""Seconds for an answer of an agent whose connection lives."""
_PATIENCE_AT_THE_END = 10.0
_FIRST_DELAY = 0.5
_LONGEST_DELAY = 30.0
_LASTING_DELAY = 300.0
"""Seconds until a host that lets nobody in is asked again: some ban who knocks too often."""


@dataclass(frozen=True, slots=True)
class Place:
    """What an agent must know to find or make the run's folder."""

    workdir: str
    probe: str
    content: str
    run: str
    recorder: str
    recorder_text: bytes
    directory: str


class Owner(Protocol):
    """Who is told what happens on hosts; for the loop's thread, and not for long."""

    async def came_up(self, host: Host) -> None: ...

    def went_down(self, host: Host) -> None: ...

    def heard(self, host: Host, message: Message) -> None: ...


class Host:
    """A host that jobs run on, whether it can be reached now or not."""

    def __init__(self, server: Server, how: ConnectOptions, place: Place, ports: Ports) -> None:
        self.server = server
        self.name = server.name
        self.error: HostUnavailable | None = None
        """Why it cannot be used now."""
        self.down_since = ports.monotonic()
        self.up = False
        self.tried = anyio.Event()
        """Whether it was connected to once, with or without success."""
        self.hello: Hello | None = None
        self.shared: bool | None = None
        """Whether it sees the driver's folder; None until it was up."""
        self.root = ""
        self.admission: Admission | None = None
        self.slots = 0
        self.free: list[int] = []
        self.uploaded: dict[str, tuple[int, int]] = {}
        """Size and time of what has been brought there already, by name."""
        self.secrets: set[str] = set()
        """Names of the secrets' files that its agent was given on this connection."""
        self.aside = False
        self.given_up = False
        """Whether somebody waits for it to have been away for too long."""
        self.boots: set[str] = set()
        """What tells its boots apart, of all that were seen."""
        self._how, self._place, self._ports = how, place, ports
        self._link: Link | None = None
        self._extra = 0
        self._questions = Questions(self.name)

    def __repr__(self) -> str:
        return f"<Host {self.name} {'up' if self.up else 'down'}>"

    def take_slot(self) -> int:
        """Return a free slot; one more where there is none, for what an earlier driver had placed."""
        if self.free:
            return self.free.pop()
        self._extra += 1
        return self.slots + self._extra

    def give_back(self, slot: int) -> None:
        """Let another job have the slot."""
        if slot <= self.slots:
            self.free.append(slot)

    # --- the connection --------------------------------------------------------------------------

    async def keep_up(self, owner: Owner) -> None:
        """Connect, and connect again whenever the connection is lost, until cancelled."""
        delay = 0.0
        while True:
            began = self._ports.monotonic()
            try:
                await self._serve(owner)
            except HostUnavailable as error:
                self._went_down(owner, error, began)
                delay = self._next_delay(delay, began, error)
            await self._ports.sleep(delay * self._ports.random.uniform(0.7, 1.0))

    def _next_delay(self, delay: float, began: float, error: HostUnavailable) -> float:
        if error.lasting:
            return _LASTING_DELAY
        if self._ports.monotonic() - began > _LONGEST_DELAY:
            return _FIRST_DELAY
        return min(max(delay * 2, _FIRST_DELAY), _LONGEST_DELAY)

    async def _serve(self, owner: Owner) -> None:
        async with open_link(self.server, self._how) as link:
            try:
                await self._open(link)
                self._link = link
                async with anyio.create_task_group() as group:
                    group.start_soon(self._greet, owner)
                    await self._listen(link, owner)
            except* HostUnavailable as errors:
                raise _first(errors) from errors
            finally:
                self._link = None
                self._questions.lose()

    async def _open(self, link: Link) -> None:
        """Have the agent find the run's folder. Raises HostUnavailable."""
        place = self._place
        self.secrets.clear()  # what the last connection was to bring may not have come
        # A folder that was shared does not become the host's own because a disk is not mounted.
        probe = "" if self.shared is False else place.probe
        fallback = "/" if self.shared else self.server.workdir or ""
        link.send(
            request(
                "open",
                *(place.workdir, probe, place.content, fallback, run_folder(place.run)),
                *(place.recorder, os.fsdecode(place.recorder_text), place.directory),
            )
        )
        with anyio.move_on_after(_PATIENCE):
            while True:
                message = await link.message()
                if isinstance(message, Hello):
                    self._greeted(message)
                elif isinstance(message, Root):
                    self.shared = message.shared
                    self.root = place.workdir if message.shared else message.path
                    return
                elif isinstance(message, Trouble):
                    raise HostUnavailable(f"{self.name}: {message.text}")
        raise HostUnavailable(f"{self.name}: its agent does not answer")

    def _greeted(self, hello: Hello) -> None:
        if hello.bash < (4, 2):
            major, minor = hello.bash
            raise HostUnavailable(
                f"{self.name}: its bash is {major}.{minor}, 4.2 is needed", lasting=True
            )
        self.hello = hello
        self.boots.add(hello.boot)
        if self.admission is None:
            cards = tuple(str(n) for n in range(hello.cards))
            machine = Machine(hello.cores, hello.memory, cards, f"the host {self.name}", "ssh")
            self.admission = Admission(machine)
            self.slots = self.server.slots or hello.cores
            self.free = list(range(self.slots, 0, -1))

    async def _greet(self, owner: Owner) -> None:
        try:
            await owner.came_up(self)
        except HostUnavailable:
            return  # lost again: whoever listens says so
        self.up, self.error = True, None
        self.tried.set()

    async def _listen(self, link: Link, owner: Owner) -> None:
        while True:
            message = await link.message()
            if isinstance(message, Told | Done):
                self._questions.answered(message)
            elif isinstance(message, Trouble):
                raise HostUnavailable(f"{self.name}: {message.text}")
            else:
                owner.heard(self, message)

    def _went_down(self, owner: Owner, error: HostUnavailable, began: float) -> None:
        was_up, self.up, self.error = self.up, False, error
        if was_up:
            self.down_since = self._ports.monotonic()
        owner.went_down(self)
        self.tried.set()

    # --- questions -------------------------------------------------------------------------------

    async def look(
        self, attempts: Sequence[AttemptId], fence: str = ""
    ) -> Mapping[AttemptId, Told]:
        """Return what is known there of attempts; those without a claim get `fence` as theirs.

        Raises HostUnavailable.
        """
        if not attempts:
            return {}
        fields = [part for attempt in attempts for part in attempt]

        def asked(number: int) -> bytes:
            return request("look", number, fence, lists=fields)

        return await self._questions.ask(self._required(), asked, _PATIENCE, looks=True)

    async def kill(self, trees: Iterable[tuple[AttemptId, str]], grace: float) -> None:
        """End the process trees of attempts, given with their tokens. Raises HostUnavailable."""
        fields = [part for attempt, token in trees for part in (*attempt, token)]
        tenths = math.ceil(grace * 10)

        def asked(number: int) -> bytes:
            return request("kill", number, tenths, lists=fields)

        await self._questions.ask(self._required(), asked, grace + _PATIENCE)

    async def forget_secrets(self) -> None:
        """Have the values removed that were brought there for jobs. Raises HostUnavailable."""

        def asked(number: int) -> bytes:
            return request("forget", number)

        await self._questions.ask(self._required(), asked, _PATIENCE_AT_THE_END)

    # --- orders ----------------------------------------------------------------------------------

    def start(self, slot: int, text: str, extra: str, attempt: AttemptId, script: str) -> None:
        """Have a slot run a job's script; its text where it is not there yet."""
        data = os.fsencode(text)
        self._send(request("run", slot, len(data), extra, *attempt, script) + data)

    def keep_secret(self, name: str, value: str) -> None:
        """Have a value kept in a file of the run's folder there, before a job's script looks for it."""
        if name not in self.secrets:
            data = os.fsencode(value)
            self._send(request("secret", name, len(data)) + data)
            self.secrets.add(name)

    def drop_slot(self, slot: int) -> None:
        """Forget a slot whose shell has died."""
        self._send(request("drop", slot))

    def watch(self, attempts: Sequence[AttemptId]) -> None:
        """Have the ends told of what an earlier agent has started."""
        if attempts:
            self._send(request("watch", lists=[part for attempt in attempts for part in attempt]))

    def _send(self, data: bytes) -> None:
        if self._link is not None:
            self._link.send(data)

    # --- files -----------------------------------------------------------------------------------

    async def upload(self, parcel: Parcel) -> None:
        """Bring files into the run's folder there. Raises HostUnavailable, FilesRefused."""
        await send_files(self._required(), self.root, parcel, self._ports)

    async def download(self, names: Sequence[str]) -> tuple[IO[bytes], dict[str, str]]:
        """Return an archive of files of the run's folder there, and the digests of those there are.

        A folder's digest is "-". Raises HostUnavailable, FilesRefused.
        """
        return await fetch_files(self._required(), self.root, names, self._ports)

    def _required(self) -> Link:
        if self._link is None:
            raise self.error or HostUnavailable(f"{self.name} cannot be reached")
        return self._link


def _first(errors: BaseExceptionGroup[HostUnavailable]) -> HostUnavailable:
    for error in errors.exceptions:
        return _first(error) if isinstance(error, BaseExceptionGroup) else error
    raise AssertionError("a group is never empty")
