"""The installed `sched` on Google Batch: the emulated service, which really runs the tasks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ..engines import or_skip
from .batch import BatchEmulator
from .conftest import BUCKET
from .program import RUN, Sched, finish
from .storage import StorageEmulator

PLACE = ("-o", "project=p", "-o", "location=us-central1")
QUOTA = (
    "VM in Managed Instance Group meets error: Batch Error: code - CODE_GCE_QUOTA_EXCEEDED, "
    "description - error count is 1, latest message example: Quota CPUS exceeded"
)


@pytest.fixture
def batch(
    storage: StorageEmulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[BatchEmulator]:
    emulator = BatchEmulator(storage.root, tmp_path / "batch")
    with or_skip():
        emulator.start()
    monkeypatch.setenv("CLOUDSDK_API_ENDPOINT_OVERRIDES_BATCH", f"http://{emulator.address}")
    yield emulator
    emulator.stop()


@pytest.fixture
def sched(batch: BatchEmulator, tmp_path: Path) -> Iterator[Sched]:
    (tmp_path / "here").mkdir()
    program = Sched(tmp_path / "here", "-s", "gbatch", *PLACE)
    yield program
    program.close()


def test_a_run(sched: Sched) -> None:
    mounts = ("-o", f"mount=DATA=gs://{BUCKET}/data", "-o", f"mount=gs://{BUCKET}/b:/mnt/disks/b")
    objects = (
        "-o",
        'labels={"team": "a"}',
        "-o",
        'runnables={"order": -1, "script": {"text": ":"}}',
    )
    line = 'echo "$DATA" /mnt/disks/b*; echo oops >&2; exit "$1"'
    done = sched.run(*mounts, *objects, "--shell", "--", line, ":::", "0", "3", code=1)
    assert "sched: job 1 failed: EXIT rc 3: oops\n" in done.stderr
    assert sched("logs", RUN, "all").stdout == "/mnt/disks/DATA /mnt/disks/b\n" * 2
    explained = sched("explain", RUN, "1").stdout
    assert "\nattempt 1: FAILED EXIT rc 3 on " in explained
    assert "took it back" not in explained


def test_logs_of_a_job_that_runs(sched: Sched, folder: Path) -> None:
    wait = f"until test -e /mnt/disks/{BUCKET}/go; do sleep 0.1; done"
    mount = ("-o", f"mount=gs://{BUCKET}:/mnt/disks/{BUCKET}")
    driver = sched.start_run(*mount, "--", "bash", "-c", f"echo one; {wait}; echo two")
    follower = sched.start("logs", RUN, "0", "-f")
    assert follower.stdout is not None
    assert follower.stdout.readline() == "one\n"
    (folder / "go").touch()
    assert follower.stdout.read() == "two\n"
    assert finish(follower) == (0, "")
    assert finish(driver)[0] == 0


def test_why_jobs_wait(sched: Sched, batch: BatchEmulator) -> None:
    batch.hold_next(QUOTA)
    driver = sched.start("run", "-w", RUN, "-s", "gbatch", *PLACE, "--", "true")
    assert driver.stderr is not None
    assert driver.stderr.readline().startswith(f"sched: run {RUN}: 1 job on gbatch, ")
    warning = driver.stderr.readline()
    assert warning.startswith("sched: warning: Batch job ")
    assert QUOTA in warning
    # The journal is written at intervals: the reason may be in it only a little later.
    while f"\nstate:    SUBMITTED: {QUOTA}" not in (explained := sched("explain", RUN, "0").stdout):
        assert "\nstate:    SUBMITTED\n" in explained
    assert "\nengine:   Batch job gbatch-" in explained
    assert "\n          its task is PENDING\n" in explained
    batch.release(*batch.jobs())
    code, err = finish(driver)
    assert code == 0
    assert QUOTA not in err


def test_run_without_a_bucket(sched: Sched) -> None:
    done = sched("run", "-s", "gbatch", *PLACE, "--", "true", code=2)
    assert "needs a folder in a bucket, 'gs://bucket/run1'" in done.stderr
    assert not (sched.folder / "sched-runs").exists()


def test_doctor(sched: Sched, batch: BatchEmulator, storage: StorageEmulator) -> None:
    done = sched("doctor", "gbatch", *PLACE, "-w", RUN)
    assert "ok    gbatch Batch API: projects/p/locations/us-central1 can be used\n" in done.stdout
    assert f"ok    gbatch bucket: objects of gs://{BUCKET} can be read" in done.stdout
    storage.deny({BUCKET: ["storage.objects.delete"]})
    batch.fault("ListJobs", "PERMISSION_DENIED", "Permission 'batch.jobs.list' denied", count=-1)
    done = sched("doctor", "gbatch", *PLACE, "-w", RUN, code=1)
    assert "FAIL  gbatch Batch API: " in done.stdout
    assert (
        f"FAIL  gbatch bucket: gs://{BUCKET} does not allow storage.objects.delete" in done.stdout
    )


def test_service_that_refuses(sched: Sched, batch: BatchEmulator) -> None:
    batch.fault("ListJobs", "PERMISSION_DENIED", "Permission 'batch.jobs.list' denied", count=-1)
    done = sched.run("--", "true", code=3)
    assert done.stderr.startswith("sched: error: ")
    assert "batch.jobs.list" in done.stderr


def test_it_is_listed(sched: Sched) -> None:
    assert "\ngbatch     sched_gbatch:GbatchScheduler " in sched("schedulers").stdout
