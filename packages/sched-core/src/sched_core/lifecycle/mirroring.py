"""Keeps a run in a bucket and its mirror, where jobs run, in step."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

import anyio

from ..errors import RunExists
from ..model.job import Job
from ..ports.files import Files
from .pace import Pace

if TYPE_CHECKING:
    from ..ports.mirrored import MirroredFiles
    from .session import Session

__all__ = ["Mirroring", "as_mirrored", "mirroring"]

_FIRST_DELAY, _LONGEST_DELAY = 1.0, 30.0
_SOON = 0.2
_SHARE = 10
"""A look at both sides is followed by a rest of at least so many times its own length."""


class Mirroring:
    """Brings to the bucket what jobs leave in the mirror, and to the mirror what comes to the bucket."""

    interval, _longest = 2.0, 5.0
    """Seconds between two looks at both sides: more while nothing changes."""

    def __init__(self, session: Session, files: MirroredFiles) -> None:
        """Mirror the run of that session."""
        self._session, self._files = session, files
        self._wanted: set[int] = set()
        self._busy = anyio.Lock()
        self._rested = 0.0
        """When the next look at the mirror is due, on the monotonic clock: it may hold a lot."""
        files.exchange.jobs = session.jobs
        files.gives_up = lambda: session.stopping or session.ousted

    async def take_over(self, unclaimed: Sequence[Job]) -> None:
        """Make this the run's mirror. Some open attempts have no claim here or in the bucket.

        Raises RunExists where they may have one in another mirror.
        """
        if unclaimed and self._files.elsewhere is not None:
            await self._session.ports.offload(self._check_that_none_runs, unclaimed)
        await self._session.ports.offload(self._files.take)

    def _check_that_none_runs(self, unclaimed: Sequence[Job]) -> None:
        other, files = self._files.elsewhere, self._files
        if other is None:
            return
        seen = files.elsewhere_is_seen()
        if not seen and self._session.scheduler.mirror not in (None, other.folder):
            return  # whoever names another folder says that nothing runs there any more
        what = f"{len(unclaimed)} jobs (job {unclaimed[0].index}, ...) may still run"
        way = f"resume the run with mirror={other.folder}"
        if not seen:
            way = f"resume the run on {other.host}, or, if nothing runs there, name another folder"
            way += f" (mirror={os.path.dirname(files.folder)}/...)"
        raise RunExists(f"{what} in the mirror {other.folder} of {other.host}: {way}")

    # --- what a job leaves -------------------------------------------------------------------------

    async def publish(self, job: Job) -> None:
        """Wait until the bucket has all that is in the job's folder, with those of others that end
        now, and, as far as it is soon found, what else is new in the mirror.
        """
        self._wanted.add(job.index)
        async with self._busy:
            if job.index in self._wanted:
                await self._publish_wanted()

    async def _publish_wanted(self) -> None:
        wanted, delay = list(self._wanted), _FIRST_DELAY
        while not self._session.ousted:
            problems = await self._session.ports.offload(self._publish, wanted)
            if not problems:
                break
            self._warn("the files of jobs cannot be brought to the bucket, trying again", problems)
            await self._session.ports.sleep(delay)
            delay = min(delay * 2, _LONGEST_DELAY)
        self._wanted.difference_update(wanted)
        await self._bring_what_is_small()

    async def _bring_what_is_small(self) -> None:
        ports, exchange = self._session.ports, self._files.exchange
        if ports.monotonic() >= self._rested:
            await self._try(partial(exchange.bring_out, small=True))
            if exchange.searched_for > _SOON:
                self._rested = ports.monotonic() + exchange.searched_for * _SHARE

    def _publish(self, indexes: Sequence[int]) -> list[OSError]:
        try:
            self._session.check_lease()
        except OSError as error:
            return [error]
        return self._files.jobs.publish(indexes)

    # --- everything else ---------------------------------------------------------------------------

    async def keep_in_step(self) -> None:
        """Look at both sides again and again, until cancelled."""
        # Side by side: what is large may take its time.
        async with anyio.create_task_group() as group:
            group.start_soon(self._repeat, self._files.exchange.look_in)
            group.start_soon(self._repeat, self._files.exchange.bring_out)

    async def _repeat(self, step: Callable[[], Sequence[OSError]]) -> None:
        ports, exchange = self._session.ports, self._files.exchange
        pace = Pace(self.interval, self._longest)
        while not self._session.ousted:
            began, before = ports.monotonic(), exchange.changes
            await self._try(step)
            pace.note(found=exchange.changes != before)
            await ports.sleep(max(pace.seconds, (ports.monotonic() - began) * _SHARE))

    async def look(self) -> None:
        """Bring what is new at either side to the other."""
        await self._try(self._files.exchange.look_in)
        await self._try(self._files.exchange.bring_out)

    async def finish(self) -> None:
        """Bring all that is left in the mirror to the bucket: the run is about to be closed."""
        if self._session.ousted:
            return
        if await self._try(partial(self._files.exchange.bring_out, unfinished=True)):
            await self._try(self._files.jobs.publish_again)

    async def _try(self, step: Callable[[], Sequence[OSError]]) -> bool:
        problems = await self._session.ports.offload(_step, step)
        if problems:
            self._warn("files cannot be brought between the bucket and its mirror", problems)
        for name in list(self._files.exchange.left_out):
            self._session.warn(f"{name!r} can have this name on one side only: it stays there")
        return not problems

    def _warn(self, what: str, problems: Sequence[OSError]) -> None:
        self._session.warn(f"{what}: {problems[0]}")


def _step(step: Callable[[], Sequence[OSError]]) -> Sequence[OSError]:
    try:
        return step()
    except OSError as error:
        return [error]


def mirroring(session: Session) -> Mirroring | None:
    """Return what keeps the session's run in step with its mirror, None where it has none."""
    files = as_mirrored(session.ports.files)
    return None if files is None else Mirroring(session, files)


def as_mirrored(files: Files) -> MirroredFiles | None:
    """Return the store, if it has a mirror, without loading what reaches buckets for the question."""
    if not hasattr(files, "join"):
        return None
    from ..ports.mirrored import MirroredFiles

    return files if isinstance(files, MirroredFiles) else None
