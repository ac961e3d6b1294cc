"""How often a bucket is looked at for what comes to its mirror."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import anyio.lowlevel
import pytest

from sched_core.lifecycle.mirroring import Mirroring
from sched_core.lifecycle.session import Session
from sched_core.ports.mirrored import MirroredFiles

from .bucket import MemoryBucket

ROOT = "gs://bucket/run"


class Ports:
    """Notes how long is slept; in the third sleep a file comes to the bucket, after the fifth all ends."""

    def __init__(self, session: SimpleNamespace, bucket: MemoryBucket) -> None:
        self.session, self.bucket = session, bucket
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        if len(self.slept) == 3:
            self.bucket.put(f"{ROOT}/new", "new")
        self.session.ousted = len(self.slept) == 5
        await anyio.lowlevel.checkpoint()

    async def offload(self, function: Callable[..., Any], *args: Any) -> Any:
        return function(*args)


async def test_a_side_is_looked_at_ever_less_often_while_nothing_changes(
    tmp_path: Path,
) -> None:
    bucket = MemoryBucket()
    files = MirroredFiles(bucket, ROOT, str(tmp_path / "mirror"))
    files.join()
    session = SimpleNamespace(jobs={}, ousted=False, stopping=False)
    session.ports = Ports(session, bucket)
    await Mirroring(cast(Session, session), files)._repeat(files.exchange.look_in)
    assert session.ports.slept == [3.0, 4.5, 5.0, 2.0, 3.0]
    assert (tmp_path / "mirror/new").read_text() == "new"


@pytest.mark.parametrize("stopping", [False, True])
async def test_a_run_that_takes_nothing_more_still_waits_for_its_bucket(
    tmp_path: Path, stopping: bool
) -> None:
    files = MirroredFiles(MemoryBucket(), ROOT, str(tmp_path / "mirror"))
    session = SimpleNamespace(jobs={}, ousted=False, closing=True, stopping=stopping)
    Mirroring(cast(Session, session), files)
    assert files.gives_up() is stopping
