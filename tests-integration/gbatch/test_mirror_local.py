"""Jobs of this machine whose run is in a bucket: they see a mirror of it."""

from __future__ import annotations

import os
import uuid
from pathlib import Path
from typing import Any, ClassVar

import pytest

from sched_core.testing.contract import SchedulerContract
from sched_local import LocalScheduler

from .mirrors import BUCKET, prepare
from .storage import StorageEmulator


@pytest.fixture(autouse=True)
def settings(
    mirrored_storage: StorageEmulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare(mirrored_storage, tmp_path / "cache", monkeypatch)


@pytest.mark.witness("local", kind="engine")
class TestLocal(SchedulerContract):
    scheduler_class = LocalScheduler
    backends: ClassVar[tuple[str, ...]] = ("asyncio",)
    patience: ClassVar[float] = 90.0
    test_t15_folders_of_any_name: Any = None
    """An object's name may hold less than a folder's."""

    root: Path
    mirror: Path

    @pytest.fixture
    def workdir(self, mirrored_storage: StorageEmulator) -> Any:
        self.root = mirrored_storage.root
        return f"gs://{BUCKET}/{uuid.uuid4().hex}"

    def places_of(self, workdir: Any) -> list[Path]:
        name = str(workdir).removeprefix("gs://")
        self.mirror = Path(os.environ["XDG_CACHE_HOME"], "sched/buckets", name)
        return [self.root / name, self.mirror]

    def folder_of(self, workdir: Any) -> Path:
        return self.places_of(workdir)[-1]

    def check_private(self, *paths: Path) -> None:
        """See that secrets come to the mirror alone."""
        super().check_private(*paths)
        assert all(path.is_relative_to(self.mirror) for path in paths)

    async def test_a_finite_list_is_recorded_before_any_of_it_starts(self, workdir: Any) -> None:
        """The journal is in the bucket only."""
        folder = self.root / workdir.removeprefix("gs://") / ".sched/journal"
        count = f"cat {folder}/* | grep -c '\"job\":'"
        async with self.run(self.make(workdir, forks=2)) as runner:
            jobs = await runner.feed_all([self.shell(count)] * 5)
            await runner.stop_feeding()
            assert [await self.output(job) for job in jobs] == ["5\n"] * 5
