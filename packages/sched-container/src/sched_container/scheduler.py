"""The scheduler of containers on this machine."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar, Self

import anyio

from sched_core import EngineUnavailable, Failure, Job, OptionError, SubmitRejected
from sched_core.model.container import Container
from sched_core.model.resources import Resources
from sched_core.processes import ProcessScheduler
from sched_core.processes.slots import Ended
from sched_core.text.refusal import is_away

from .engine import engine_of

__all__ = ["ContainerScheduler"]

_NONE = "none"
"""Stands for an image where there are only engines to be checked."""

_FIELDS = {
    "image": "image",
    "bin": "engine",
    "entrypoint": "entrypoint",
    "user": "user",
    "pull": "pull",
    "remove": "remove",
    "reuse": "reuse",
    "bin_args": "args",
}
"""Options, and what they are called in a Container."""


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
    - `reuse`: whether one container serves job after job, which is many times faster; see Container.
    - `bin_args`: further words for the engine's command.

    Jobs outlive the driver. Further options are those of Scheduler; `container=` of a job says what
    is different for that job.
    """

    name: ClassVar[str] = "container"
    OPTIONS: ClassVar[frozenset[str]] = ProcessScheduler.OPTIONS | frozenset(
        "image entrypoint bin user pull remove reuse bin_args".split()
    )

    def __init__(
        self,
        *args: Any,
        image: str | None = None,
        entrypoint: str | Sequence[str] = "/bin/bash",
        bin: str = "docker",  # noqa: A002  # its name in the reference
        volumes: str | Sequence[str] | None = None,
        remove: bool = True,
        user: str | None = None,
        bin_args: str | Sequence[str] | None = None,
        pull: str = "missing",
        reuse: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            *args,
            image=image,
            entrypoint=entrypoint,
            bin=bin,
            volumes=volumes,
            remove=remove,
            user=user,
            bin_args=bin_args,
            pull=pull,
            reuse=reuse,
            **kwargs,
        )

    def _set_options(self, options: dict[str, Any]) -> None:
        super()._set_options(options)
        given = {field: options.get(name) for name, field in _FIELDS.items()}
        given = {field: value for field, value in given.items() if value is not None}
        default = self.container
        if default is None and "image" not in given:
            raise OptionError("image is missing: name what the containers are made of (image=NAME)")
        if default is not None:
            # An option that is as it would be anyway leaves to `container` what that says.
            plain = Container.from_value({"image": default.image, **given})
            given = plain.to_json() if plain is not None else {}
        self.container = Container.from_value(given, default)

    def options(self) -> dict[str, Any]:
        """Return the options as a run's folder records them, each under its own name."""
        recorded, container = super().options(), self._container
        del recorded["container"]
        own = {name: getattr(container, field) for name, field in _FIELDS.items()}
        own = {
            name: list(value) if isinstance(value, tuple) else value for name, value in own.items()
        }
        return recorded | own | {"volumes": [*self.volumes, *container.volumes]}

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Have the image, hold the slots while the run is open, and leave no container behind."""
        self._fetched: set[tuple[str, str]] = set()
        self._limiting: set[tuple[str, bool, bool]] = set()
        self._used = {self._container.engine: self._container}
        await self._fetch(self._container)
        async with super().open():
            try:
                yield
            finally:
                with anyio.CancelScope(shield=True):
                    await self._remove_left_overs()

    def batch_key(self, job: Job) -> object:
        """Keep jobs of different images apart, so that one which cannot be had concerns no other."""
        own, wanted = job.container, self.job_resources(job)
        limits = wanted.memory is not None, wanted.cpus is not None
        return None if own is None else (own.engine, own.image), limits

    async def prepare(self, jobs: Sequence[Job]) -> None:
        """Have the images of jobs that name one of their own, each once."""
        for job in jobs:
            container = job.container or self._container
            self._used.setdefault(container.engine, container)
            await self._check_limits(container, self.job_resources(job))
            try:
                await self._fetch(container)
            except EngineUnavailable as error:
                if is_away(error.stderr) or container.pull == "always":
                    raise
                # A registry: the job's own start says so, and is tried again a few times.

    def container_of(self, job: Job) -> Container:
        """Return what the job's command runs in: its own container, or the scheduler's."""
        container = job.container or self._container
        # `prepare` fetches the image once a run; the engine would do so for each job.
        return replace(container, pull="missing") if container.pull == "always" else container

    @property
    def _container(self) -> Container:
        assert self.container is not None
        return self.container

    async def _check_limits(self, container: Container, wanted: Resources) -> None:
        key = container.engine, wanted.memory is not None, wanted.cpus is not None
        if key in self._limiting or not any(key[1:]):
            return
        from .doctor import check_limits

        await self.session.ports.offload(partial(check_limits, container, wanted))
        self._limiting.add(key)

    async def _fetch(self, container: Container) -> None:
        key = container.engine, container.image
        if key not in self._fetched:
            await self.session.ports.offload(engine_of(container).fetch)
            self._fetched.add(key)

    async def _ended(self, message: Ended) -> None:
        if message.failure is Failure.UNAVAILABLE:
            self._fetched.clear()  # so that the engine is asked before the next job is submitted
        await super()._ended(message)

    async def _remove_left_overs(self) -> None:
        """Remove what is left of attempts that have ended."""
        keep = self._keeper([one.job for one in self.session.active.values()])
        for container in self._used.values():
            clear = engine_of(container).clear
            try:
                await self.session.ports.offload(clear, self.session.run, keep)
            except (EngineUnavailable, SubmitRejected) as error:
                self.session.warn(f"containers of this run may be left: {error}")

    def _keeper(self, active: Sequence[Job]) -> Callable[[str], bool] | None:
        """Return what tells the containers of these jobs by their names; None without jobs."""
        if not active:
            return None
        return lambda name: any(self._runs_in(job, name) for job in active)

    def _runs_in(self, job: Job, name: str) -> bool:
        own, container = self.container_name(job), self.container_of(job)
        return (
            name.startswith(f"{own}-") if container is not None and container.reuse else name == own
        )

    async def doctor(self) -> Sequence[tuple[str, bool | None, str]]:
        """Check the engines, and the image where one was named."""
        from .doctor import check_engines

        check = partial(check_engines, self._container, has_image=self._container.image != _NONE)
        return await self.session.ports.offload(check)

    @classmethod
    def for_doctor(cls, workdir: str | os.PathLike[str], **options: Any) -> Self:
        """Return a scheduler that is only asked what it needs; `image` may be left out."""
        if options.get("container") is None:
            options.setdefault("image", _NONE)
        return super().for_doctor(workdir, **options)
