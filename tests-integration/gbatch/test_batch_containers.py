"""The emulator's runnables in containers, by Podman."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ..containers.machines import Podman
from ..engines import or_skip
from .batch import BatchEmulator
from .batch_calls import Caller, calling
from .batch_rig import store
from .test_batch_emulator import until_there
from .test_batch_runnables import code_of, run

__all__ = ["store"]

VOLUMES = [{"gcs": {"remote_path": "b"}, "mount_path": "/mnt/disks/b"}]
IMAGE = Podman.image


@pytest.fixture(scope="module")
def images(tree: Path) -> Iterator[Path]:
    """Podman's storage, with the image in it."""
    with tempfile.TemporaryDirectory(prefix="sched-images-", ignore_cleanup_errors=True) as root:
        podman = Podman(Path(root), tree)
        with or_skip():
            podman.start()
        yield Path(root, "data")
        podman.stop()


@pytest.fixture
def caller(tmp_path: Path, store: Path, images: Path) -> Iterator[Caller]:
    emulator = BatchEmulator(store, tmp_path / "batch", images=images)
    with emulator, calling(emulator) as caller:
        yield caller


def container(*commands: str, **words: Any) -> dict[str, Any]:
    return {"container": {"image_uri": IMAGE, "commands": commands} | words}


def test_runs_commands_in_the_image(caller: Caller) -> None:
    job = run(caller, container("sh", "-c", "cat /etc/passwd; exit 5"))
    assert caller.emulator.printed(job, 0).startswith("root:x:0:0:root:/root:/bin/sh\n")
    assert code_of(caller, job) == 5


def test_an_entrypoint_and_options(caller: Caller) -> None:
    text = 'echo "$0 $A $B"'
    runnable = container("-c", text, entrypoint="/bin/sh", options="--env=A='x  y' --workdir /tmp")
    runnable["environment"] = {"variables": {"B": "own"}}
    job = run(caller, runnable)
    assert caller.emulator.printed(job, 0) == "/bin/sh x  y own\n"


def test_sees_the_volumes_and_the_variables_of_its_task(caller: Caller, store: Path) -> None:
    text = 'echo "$BATCH_TASK_INDEX $A" >/mnt/disks/b/told'
    environment = {"variables": {"A": "two words"}}
    run(caller, container("sh", "-c", text), volumes=VOLUMES, environment=environment)
    assert (store / "b/told").read_text() == "0 two words\n"


def test_sees_the_volumes_that_it_names_instead(caller: Caller, store: Path) -> None:
    text = "ls /mnt; : >/other/told"
    named = container("sh", "-c", text, volumes=["/mnt/disks/b:/other"])
    job = run(caller, named, volumes=VOLUMES)
    assert (store / "b/told").exists()
    assert "disks" not in caller.emulator.printed(job, 0)


def test_nothing_of_a_container_outlives_its_machine(caller: Caller, store: Path) -> None:
    text = "cd /mnt/disks/b; : >began; while [ ! -e go ]; do sleep 0.05; done; : >late"
    spec = {"runnables": [container("sh", "-c", text)], "volumes": VOLUMES}
    job = caller.create({"task_spec": spec})
    until_there(store / "b/began")
    caller.emulator.strike(job, 0)
    caller.emulator.wait(job)
    (store / "b/go").touch()
    # The next one takes longer than the first would take to see it.
    run(caller, container("true"))
    assert not (store / "b/late").exists()
    assert code_of(caller, job) == 50001


def test_an_image_that_is_not_there(caller: Caller) -> None:
    job = run(caller, {"container": {"image_uri": "localhost/none:latest", "commands": ["true"]}})
    assert code_of(caller, job) == 125
