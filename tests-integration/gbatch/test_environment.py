"""A run to which nothing is injected, what doctor finds, and gcloud beside it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sched_core import JobStatus
from sched_gbatch import GbatchScheduler

from ..engines import or_skip
from .batch import BatchEmulator
from .batch_access import make_account, make_certificate
from .cloud import BUCKET, PLACE, Cloud, batch_of, gated, until
from .storage import StorageEmulator
from .test_batch_access import Gcloud

OUTSIDER = """
import json, sys
import sched_core
from sched_gbatch import GbatchScheduler

scheduler = GbatchScheduler(sys.argv[1], project="p", location="us-central1", forks=4)
assert not [name for name in sys.modules if name.startswith(("google.cloud", "grpc"))]
jobs = sched_core.run(scheduler, [["/bin/sh", "-c", f"echo {n}; exit {n}"] for n in range(3)])
print(json.dumps([[job.status.name, job.rc, job.jid] for job in jobs]))
"""
Environment = dict[str, str]


@pytest.fixture
def guarded(
    tmp_path: Path, all_storage: StorageEmulator
) -> Iterator[tuple[BatchEmulator, Environment]]:
    """A service that lets in one account only, and the environment by which a driver finds it."""
    certificate, key = make_certificate(tmp_path)
    account, signer = make_account(tmp_path)
    keys = {"certificate": certificate, "key": key, "signer": signer}
    batch = BatchEmulator(all_storage.root, tmp_path / "batch", **keys)
    with or_skip():
        batch.start()
    environment = {
        "STORAGE_EMULATOR_HOST": all_storage.url,
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_BATCH": f"https://{batch.endpoint}",
        "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH": str(certificate),
        "GOOGLE_APPLICATION_CREDENTIALS": str(account),
    }
    yield batch, environment
    batch.stop()


def drive(environment: Environment, workdir: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", OUTSIDER, workdir],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_nothing_is_injected(guarded: tuple[BatchEmulator, Environment], tmp_path: Path) -> None:
    """Endpoint, certificate and credentials come from the environment, and all else is as it is by default."""
    batch, environment = guarded
    done = drive(environment, f"gs://{BUCKET}/{tmp_path.name}")
    assert done.returncode == 0, done.stderr
    (made,) = batch.jobs()
    ends = [["FINISHED", 0], ["FAILED", 1], ["FAILED", 2]]
    assert json.loads(done.stdout) == [[*end, f"{made}/{n}"] for n, end in enumerate(ends)]
    assert done.stderr == ""


def test_credentials_of_somebody_else(
    guarded: tuple[BatchEmulator, Environment], tmp_path: Path
) -> None:
    _, environment = guarded
    (tmp_path / "other").mkdir()
    account, _ = make_account(tmp_path / "other")
    environment["GOOGLE_APPLICATION_CREDENTIALS"] = str(account)
    done = drive(environment, f"gs://{BUCKET}/{tmp_path.name}")
    assert "gcloud auth application-default login" in done.stderr
    assert "EngineUnavailable" in done.stderr.splitlines()[-1]


# --- doctor -------------------------------------------------------------------------------------------


async def findings(cloud: Cloud) -> dict[str, tuple[bool | None, str]]:
    async with cloud.run() as runner:
        return {name: (good, text) for name, good, text in await runner.scheduler.doctor()}


async def test_doctor_when_all_is_well(cloud: Cloud) -> None:
    found = await findings(cloud)
    assert found["Batch API"] == (True, "projects/p/locations/us-central1 can be used")
    assert found["bucket"] == (True, f"objects of gs://{BUCKET} can be read, made and removed")


async def test_doctor_when_rights_are_missing(cloud: Cloud) -> None:
    async with cloud.run() as runner:
        cloud.batch.fault("ListJobs", "PERMISSION_DENIED", "Permission denied", count=-1)
        cloud.storage.deny({BUCKET: ["storage.objects.delete"]})
        found = {name: (good, text) for name, good, text in await runner.scheduler.doctor()}
        cloud.storage.deny({})
    good, text = found["Batch API"]
    assert good is False
    assert "roles/batch.jobsEditor" in text
    good, text = found["bucket"]
    assert good is False
    assert "storage.objects.delete" in text
    assert "roles/storage.objectAdmin" in text


def test_doctor_needs_no_bucket(cloud: Cloud) -> None:
    scheduler = GbatchScheduler.for_doctor(".", **PLACE)
    assert str(scheduler.workdir).startswith("gs://")
    assert not cloud.folder().exists()


# --- gcloud -------------------------------------------------------------------------------------------

# Where gcloud is not installed there is no such test: it is none of what has to be installed.
if shutil.which("gcloud"):

    async def test_gcloud_beside_a_run(cloud: Cloud, tmp_path: Path) -> None:
        """It finds the run's Batch job by its label, sees its tasks, and deletes it."""
        gcloud = Gcloud(cloud.batch, tmp_path)
        async with cloud.run(forks=1) as runner:
            jobs = await runner.feed_all([gated()] * 2)
            await cloud.begun(jobs[0])
            wanted = f"--filter=labels.sched-run={runner.scheduler.session.run}"
            (found,) = await cloud.do(gcloud.json, "jobs", "list", wanted)
            assert found["name"].rpartition("/")[2] == batch_of(jobs[0])
            job = f"--job={batch_of(jobs[0])}"
            tasks = await cloud.do(gcloud.json, "tasks", "list", job)
            assert sorted(task["status"]["state"] for task in tasks) == ["PENDING", "RUNNING"]
            await cloud.do(gcloud.run, "jobs", "delete", batch_of(jobs[0]))
            await until(lambda: all(job.status is JobStatus.FAILED for job in jobs))
        assert {str(job.failure) for job in jobs} == {"CANCELLED"}
