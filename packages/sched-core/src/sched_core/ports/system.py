"""The real ports, and the shape that every set of ports has."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, TypeVar, TypeVarTuple

from ..errors import OptionError
from .files import Files
from .identity import DriverIdentity
from .localfiles import LocalFiles
from .tokens import FolderTokens, Tokens, tokens_folder

if TYPE_CHECKING:
    import anyio

__all__ = ["Ports", "SystemPorts", "system_ports"]

T = TypeVar("T")
Args = TypeVarTuple("Args")


class Ports(Protocol):
    """Everything through which the lifecycle reaches the world."""

    @property
    def files(self) -> Files:
        """The store that holds the run's folder. Its calls block: use `offload`."""
        ...

    @property
    def random(self) -> random.Random:
        """The source of ids and jitter."""
        ...

    @property
    def identity(self) -> DriverIdentity:
        """Who this driver is."""
        ...

    def lives(self, identity: DriverIdentity) -> bool | None:
        """Tell whether another driver lives; None where this process cannot know."""
        ...

    def tokens(self, endpoint: str) -> Tokens:
        """Return the tokens of those that call this endpoint: drivers of the user on this machine."""
        ...

    def now(self) -> float:
        """Return the wall clock's time, seconds since 1970."""
        ...

    def monotonic(self) -> float:
        """Return seconds on a clock that never jumps."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait that long."""
        ...

    async def wait(self, event: anyio.Event, seconds: float | None) -> bool:
        """Wait for the event, at most that long; tell whether it came."""
        ...

    async def offload(self, function: Callable[[*Args], T], *args: *Args) -> T:
        """Call what blocks without blocking the event loop. Once begun, it is not cut short."""
        ...


class SystemPorts:
    """This machine's clock, files, processes and randomness."""

    def __init__(self, files: Files | None = None) -> None:
        """Use this store; by default files of this machine that only their owner may read."""
        self.files = files or LocalFiles()
        self.random: random.Random = random.SystemRandom()
        self.identity = DriverIdentity.of_this_process()

    def lives(self, identity: DriverIdentity) -> bool | None:
        """Tell whether another driver lives; None where this process cannot know."""
        return identity.lives() if identity.same_pids_as(self.identity) else None

    def tokens(self, endpoint: str) -> Tokens:
        """Return the tokens of those that call this endpoint, in a folder of the user's cache."""
        return FolderTokens(tokens_folder(endpoint, self.identity))

    def now(self) -> float:
        """Return the wall clock's time, seconds since 1970."""
        return time.time()

    def monotonic(self) -> float:
        """Return seconds on a clock that never jumps."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait that long."""
        import anyio

        await anyio.sleep(seconds)

    async def wait(self, event: anyio.Event, seconds: float | None) -> bool:
        """Wait for the event, at most that long; tell whether it came."""
        import anyio

        if seconds is None:
            await event.wait()
        else:
            with anyio.move_on_after(seconds):
                await event.wait()
        return event.is_set()

    async def offload(self, function: Callable[[*Args], T], *args: *Args) -> T:
        """Call what blocks in a worker thread. Once begun, it is not cut short."""
        import anyio.to_thread

        return await anyio.to_thread.run_sync(function, *args)


def system_ports(workdir: str, mode: int = 0o600, mirror: str | None = None) -> Ports:
    """Return the ports for a run in that folder, on a disk or in a bucket (gs://bucket/folder),
    which jobs find in the folder `mirror` of a disk, if there is one. An onlooker, who is not to
    choose it, says "".

    Raises OptionError for a kind of bucket that cannot hold a run.
    """
    return SystemPorts(_files_for(workdir, mode, mirror))


def _files_for(workdir: str, mode: int, mirror: str | None) -> Files:
    scheme, found, _ = workdir.partition("://")
    if not found:
        return LocalFiles(mode)
    if scheme != "gs":
        raise OptionError(
            f"workdir {workdir}: a run can lie in a bucket of Google Cloud Storage (gs://...) or "
            f"on a disk, not in one of {scheme}://; name one of these"
        )
    if mirror is not None:
        from .buckettree import BucketTree
        from .mirrored import MirroredFiles

        return MirroredFiles(BucketTree(), workdir, mirror, mode)
    from .bucket import BucketFiles

    return BucketFiles()
