"""The examples of docs/backends/gbatch.md, with the bucket and the project that they name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from sched_gbatch import GbatchScheduler
from sched_gbatch.definition import Needs
from sched_gbatch.service import job_of

from ..engines import or_skip
from ..readmes import commands, example, run_script
from .batch import BatchEmulator
from .storage import StorageEmulator

PAGE = "docs/backends/gbatch.md"

BUCKET = "my-bucket"

_CHANGES = re.compile(r"\d+(\.\d+)?s\b")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder to type in, with the environment that leads to the emulators."""
    (tmp_path / "here").mkdir()
    with StorageEmulator(tmp_path / "storage", BUCKET) as storage:
        batch = BatchEmulator(storage.root, tmp_path / "batch")
        with or_skip():
            batch.start()
        data = storage.root / BUCKET / "data"
        data.mkdir()
        for name in "abc":
            (data / f"{name}.txt").write_text("text\n")
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", storage.url)
        monkeypatch.setenv("DISABLE_GCS_PYTHON_CLIENT_OTEL_BUCKET_METADATA", "true")
        monkeypatch.setenv("CLOUDSDK_API_ENDPOINT_OVERRIDES_BATCH", f"http://{batch.address}")
        yield tmp_path / "here"
        batch.stop()


def test_the_library(folder: Path) -> None:
    printed = run_script(example(PAGE, "gbatch"), folder)
    assert sorted(printed.splitlines()) == [f"{n} FINISHED 0" for n in range(3)]
    run = folder.parent / "storage" / BUCKET / "run1"
    assert (run / "0/job.stdout").read_text().endswith("  /mnt/disks/DATA/a.txt\n")


@pytest.mark.parametrize("name", ["command_line", "refused"])
def test_the_command_line(folder: Path, name: str) -> None:
    for command in commands(example(PAGE, name)):
        printed = _CHANGES.sub("N", command.run(folder)).splitlines()
        # What the doctor says of the machine comes first, and is left out there.
        shown = _CHANGES.sub("N", command.shown).removeprefix("...\n").splitlines()
        assert printed[-len(shown) :] == shown


@pytest.mark.parametrize("name", ["allocation", "runnables"])
def test_schedulers(name: str) -> None:
    scheduler = eval(example(PAGE, name), {"GbatchScheduler": GbatchScheduler})
    scheduler.mount_volumes()
    job_of(scheduler.definition(Needs(), tasks=1, parallelism=1))
