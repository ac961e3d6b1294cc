"""Tasks in containers, which Podman really runs: the three ways to say what a container is given."""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sched_core import Failure, JobStatus

from ..containers.machines import Podman
from ..engines import or_skip
from .batch import BatchEmulator
from .cloud import BUCKET, Cloud, gated, until
from .storage import StorageEmulator
from .test_kills import lives
from .test_options import the_definition

IMAGE = Podman.image
INSIDE = '[ -e /usr/bin/dpkg ] || echo "inside $1"'
WAYS: dict[str, dict[str, Any]] = {
    "as it is": {},
    "words before the script": {"commands": ["-l"]},
    "an entrypoint": {"entrypoint": "/bin/bash"},
    "a line of a shell": {"entrypoint": "/bin/sh", "commands": ["-c"]},
    "one word": {"entrypoint": "/bin/sh", "commands": "-c"},
    "a line to fill in": {"entrypoint": "/bin/sh", "commands": ["-c", "exec env {lang} {script}"]},
    "words to fill in": {"commands": ["/bin/env", "/bin/bash", "{script}"]},
}


@pytest.fixture(scope="module")
def images(tree: Path) -> Iterator[Path]:
    """Podman's storage, with the image in it."""
    with tempfile.TemporaryDirectory(prefix="sched-images-", ignore_cleanup_errors=True) as root:
        with or_skip():
            podman = Podman(Path(root), tree)
            podman.start()
        yield Path(root, "data")
        podman.stop()


@pytest.fixture(scope="module")
def all_batch(
    all_storage: StorageEmulator, images: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[BatchEmulator]:
    """The service, with images."""
    work = tmp_path_factory.mktemp("batch")
    with BatchEmulator(all_storage.root, work, slots=4, images=images) as batch:
        yield batch


@pytest.mark.parametrize("way", WAYS.values(), ids=list(WAYS))
async def test_a_job_runs_inside(cloud: Cloud, way: dict[str, Any]) -> None:
    async with cloud.run(image_uri=IMAGE, **way) as runner:
        (job,) = await runner.feed_all([["/bin/sh", "-c", INSIDE, "sh", "it's"]])
        bad = await runner.feed(["/bin/sh", "-c", "exit 3"])
    printed = [cloud.batch.printed(batch, 0) for batch in cloud.jobs()]
    assert job.status is JobStatus.FINISHED, printed
    assert await job.stdout_file.read_text() == "inside it's\n"
    assert (bad.rc, bad.failure) == (3, Failure.EXIT)


async def test_mounts_are_in_the_container(cloud: Cloud) -> None:
    (cloud.storage.root / BUCKET / "inputs/d").mkdir(parents=True, exist_ok=True)
    (cloud.storage.root / BUCKET / "inputs/d/x.txt").write_text("x\n")
    async with cloud.run(image_uri=IMAGE, mount=f"D=gs://{BUCKET}/inputs/d") as runner:
        (job,) = await runner.feed_all([["/bin/sh", "-c", 'cat "$D/x.txt"; pwd']])
    (volume, _) = sorted(
        the_definition(cloud).task_groups[0].task_spec.volumes,
        key=lambda volume: volume.mount_path != "/mnt/disks/D",
    )
    assert volume.mount_path == "/mnt/disks/D"
    assert (await job.stdout_file.read_text()).splitlines()[0] == "x"


async def test_an_image_without_bash_is_no_fault_of_the_command(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sched_gbatch.polling._RECORDS_ARE_LATE", 1.0)
    async with cloud.run(image_uri=IMAGE, entrypoint="/no/such/shell") as runner:
        (job,) = await runner.feed_all([["/bin/true"]])
    assert (job.status, job.failure) == (JobStatus.FAILED, Failure.SETUP)


async def test_t26_a_job_in_a_container_is_killed(cloud: Cloud) -> None:
    marker = f"marker-{uuid.uuid4().hex}"
    async with cloud.run(image_uri=IMAGE, grace=1) as runner:
        jobs = [await runner.feed([*gated(), marker]) for _ in range(2)]
        await cloud.begun(*jobs)
        await runner.kill(jobs[0])
        assert jobs[0].status is JobStatus.KILLED
        cloud.open_gate()
    assert jobs[1].status is JobStatus.FINISHED
    await until(lambda: not lives(marker))


async def test_t26_a_lost_machine_takes_the_container_with_it(cloud: Cloud) -> None:
    cloud.batch.strike_next(after=1.5)
    text = '[ "$SCHED_ATTEMPT" = 2 ] && exit 0'
    options: dict[str, Any] = {"error_strategy": "retry", "num_retries": 0}
    async with cloud.run(cloud.scheduler(image_uri=IMAGE, **options)) as runner:
        (job,) = await runner.feed_all([gated(text)])
    assert (job.status, job.attempt, job.trial_count) == (JobStatus.FINISHED, 2, 0)
