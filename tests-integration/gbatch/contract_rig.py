"""What the contract's rig does elsewhere here: runs lie in a bucket."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import anyio
import pytest

from sched_core import Job, Scheduler, SpecPath
from sched_core.testing.contract import Rig

from .batch_calls import calling
from .cloud import Cloud, Quick, batch_of

__all__ = ["BucketRig", "WeakRig"]


class BucketRig(Rig):
    """Makes schedulers of which the run lies in a bucket. The name of an object has no line breaks."""

    scheduler_class = Quick
    options: Mapping[str, Any] = {}
    patience: ClassVar[float] = 90.0
    workdir_names = ("run", "a run", "it's 100% $HOME")
    test_with_umask_000_nobody_else_gets_at_what_a_run_leaves: Any = None
    """Objects of a bucket have no permissions."""

    @pytest.fixture(autouse=True)
    def _cloud(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.options = cloud.options

    @pytest.fixture
    def workdir(self) -> str | os.PathLike[str]:
        return self.cloud.workdir()

    def make(
        self,
        workdir: str | os.PathLike[str],
        cls: type[Scheduler] | None = None,
        **options: Any,
    ) -> Scheduler:
        # Some tests name a folder of this machine.
        place = self.cloud.workdir(workdir.name) if isinstance(workdir, Path) else workdir
        return super().make(place, cls, **options)

    def places_of(self, workdir: Any) -> list[Path]:
        return [self.cloud.folder(workdir), *Path(tempfile.gettempdir()).glob("sched.*")]

    def check_private(self, *paths: Path) -> None:
        """Who may read an object, the bucket's policy says."""

    async def told_by_engine(self, job: Job) -> str:
        with calling(self.cloud.batch) as caller:
            return str(await self.cloud.do(caller.get, batch_of(job)))

    def _seen(self, workdir: SpecPath, name: str) -> anyio.Path:
        return anyio.Path(self.cloud.folder(workdir) / name)

    async def has(self, job: Job, name: str) -> bool:
        return await self._seen(job.workdir, f"mark.{job.index}.{name}").exists()

    async def open_gate(self, scheduler: Scheduler) -> None:
        self.cloud.open_gate(workdir=str(scheduler.workdir))

    async def counted(self, scheduler: Scheduler, name: str) -> int:
        path = self._seen(scheduler.workdir, f"count.{name}")
        return len((await path.read_text()).splitlines()) if await path.exists() else 0


class WeakRig(BucketRig):
    """The same, with a mount as weak as gcsfuse's."""

    @pytest.fixture(autouse=True)
    def _cloud(self, weak_cloud: Cloud) -> None:
        self.cloud = weak_cloud
        self.options = weak_cloud.options
