"""The scheduler of containers on this machine."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, ClassVar

import anyio

from sched_core import Job, OptionError
from sched_core.model.container import Container
from sched_core.processes import ProcessScheduler

from .engine import Engine

__all__ = ["ContainerScheduler"]


class ContainerScheduler(ProcessScheduler):
    """Runs each job in a container of its own, as many at once as `forks`.

    - `image`: what the containers are made of; it must have bash.
    - `bin`: the engine's program: docker, podman, apptainer, singularity, or the path of one.
    - `entrypoint`: the bash of the image, with its arguments.
    - `volumes`: what is mounted, as in "/ref:/ref:ro", or "DATA=/data": that is /mnt/disks/DATA in
      the container, and the variable DATA holds that path. The run's folder is mounted anyway.
    - `user`: whom commands run as; by default the caller, so that outputs are the caller's.
    - `pull`: when the image is fetched: missing (once, before the first job), never, always.
    - `remove`: whether containers are removed when they have ended.
    - `bin_args`: further words for the engine's command.

    Jobs outlive the driver. Further options are those of Scheduler; `container=` of a job says what
    is different for that job.
    """

    name: ClassVar[str] = "container"
    OPTIONS: ClassVar[frozenset[str]] = ProcessScheduler.OPTIONS | frozenset(
        "image entrypoint bin user pull remove bin_args".split()
    )

    def _set_options(self, options: dict[str, Any]) -> None:
        super()._set_options(options)
        given = {
            "image": options.get("image"),
            "engine": options.get("bin"),
            "entrypoint": options.get("entrypoint"),
            "user": options.get("user"),
            "pull": options.get("pull"),
            "remove": options.get("remove"),
            "args": options.get("bin_args"),
        }
        given = {name: value for name, value in given.items() if value is not None}
        if self.container is None and "image" not in given:
            raise OptionError("image is missing: name what the containers are made of")
        self.container = Container.from_value(given, self.container)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Have the image, hold the slots while the run is open, and leave no container behind."""
        assert self.container is not None
        self._engine = Engine(self.container)
        await self._engine.fetch()
        async with super().open():
            try:
                yield
            finally:
                with anyio.CancelScope(shield=True):
                    await self._leave_none()

    async def _leave_none(self) -> None: ...

    async def doctor(self) -> Sequence[tuple[str, bool | None, str]]:
        """Check the engine and the image."""
        assert self.container is not None
        return await Engine(self.container).check()

    def check_job(self, job: Job) -> None:
        """Refuse a job that no container here can run. Raises OptionError."""
        super().check_job(job)
