"""Options: what is refused, what a run's folder records, what decides who shares a Batch job."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sched_core import Job, OptionError, SpecPath
from sched_gbatch import GbatchScheduler

from .helpers import RUN, made

SCRIPT = {"script": {"text": "true"}}
ALL: dict[str, Any] = {
    "project": "q",
    "location": "us-central1-b",
    "forks": 30,
    "mount": ["gs://data/ref:/mnt/disks/ref:ro", "DATA=gs://data/in"],
    "service_account": "a@q.iam.gserviceaccount.com",
    "network": "global/networks/n",
    "subnetwork": "regions/us-central1/subnetworks/s",
    "no_external_ip_address": True,
    "machine_type": "e2-standard-4",
    "provisioning_model": "spot",
    "accelerator_type": "nvidia-tesla-t4",
    "spot_attempts": 2,
    "start_timeout": "2h",
    "image_uri": "debian:12",
    "entrypoint": "/bin/bash",
    "commands": ["-l"],
    "runnables": [SCRIPT | {"order": -1}],
    "api_endpoint": "http://127.0.0.1:1",
    "labels": {"team": "x"},
    "allocation_policy": {"instances": [{"install_gpu_drivers": True}]},
    "timeout": 60,
    "cwd": "/mnt/disks/DATA",
}


def test_a_scheduler_is_made_again_of_its_options() -> None:
    options = json.loads(json.dumps(made(**ALL).options()))
    again = GbatchScheduler(RUN, **options)
    assert json.loads(json.dumps(again.options())) == options
    assert options["provisioning_model"] == "SPOT"
    assert options["start_timeout"] == 7200
    assert options["allocationPolicy"] == {"instances": [{"installGpuDrivers": True}]}


def test_what_is_not_said_is_recorded_as_such() -> None:
    options = made().options()
    assert GbatchScheduler(RUN, **options).options() == options


@pytest.mark.parametrize(
    "options, words",
    [
        ({"project": None}, "project is missing"),
        ({"locations": "x"}, "no option locations; did you mean location?"),
        ({"machineType": "x"}, "did you mean machine_type?"),
        ({"forks": 0}, "forks"),
        ({"spot_attempts": -1}, "spot_attempts"),
        ({"spot_attempts": "x"}, "spot_attempts"),
        ({"start_timeout": "soon"}, "start_timeout"),
        ({"commands": 5, "image_uri": "x"}, "commands"),
        ({"commands": [5], "image_uri": "x"}, "commands"),
        ({"entrypoint": 5, "image_uri": "x"}, "entrypoint"),
        ({"runnables": "true"}, "runnables"),
        ({"runnables": ["true"]}, "runnables"),
        ({"runnables": SCRIPT}, "runnables"),
        ({"provisioning_model": 5}, "provisioning_model"),
        ({"machine_type": 5}, "machine_type"),
        ({"no_external_ip_address": "yes"}, "no_external_ip_address"),
        ({"api_endpoint": 5}, "api_endpoint"),
    ],
)
def test_bad_options_are_named(options: dict[str, Any], words: str) -> None:
    with pytest.raises(OptionError, match=words.replace("?", r"\?")):
        made(**options)


@pytest.mark.parametrize("workdir", ["run1", "/data/run1", "s3://bucket/run1", ""])
def test_the_runs_folder_is_in_a_bucket(workdir: str) -> None:
    with pytest.raises(OptionError, match="needs a folder in a bucket, 'gs://bucket/run1'"):
        made(workdir)


def test_a_path_of_both_sides_as_the_runs_folder() -> None:
    scheduler = made(SpecPath("gs://bucket/run1", "/mnt/disks/there"))
    scheduler.mount_volumes()
    assert str(scheduler.mounted_workdir) == "/mnt/disks/there"


def test_a_host_may_change_the_runs_folder(tmp_path: Path) -> None:
    scheduler = made()
    scheduler.workdir = "gs://bucket/other"
    assert str(scheduler.mounted_workdir) == "/mnt/disks/other"
    with pytest.raises(OptionError):
        scheduler.workdir = tmp_path


# --- who shares a Batch job --------------------------------------------------------------------------


def job_of(scheduler: GbatchScheduler, **given: Any) -> Job:
    job = scheduler.new_job(0, ["true"])
    for name, value in given.items():
        setattr(job, name, value)
    return job


def test_jobs_of_equal_needs_share_a_batch_job() -> None:
    scheduler = made(resources={"cpus": 2}, timeout=60)
    assert scheduler.batch_key(job_of(scheduler)) == scheduler.batch_key(job_of(scheduler))
    assert scheduler.batch_key(job_of(scheduler, timeout=5)) != scheduler.batch_key(
        job_of(scheduler)
    )


@pytest.mark.parametrize(
    "lost, model", [(0, "SPOT"), (1, "SPOT"), (2, "STANDARD"), (3, "STANDARD")]
)
def test_a_job_that_lost_its_vms_gets_one_that_stays(lost: int, model: str) -> None:
    scheduler = made(provisioning_model="spot", spot_attempts=2)
    job = job_of(scheduler, infrastructure_retries=lost)
    assert scheduler.needs_of(job).model == model


def test_without_a_limit_all_attempts_are_of_the_model() -> None:
    scheduler = made(provisioning_model="SPOT")
    assert scheduler.needs_of(job_of(scheduler, infrastructure_retries=9)).model == "SPOT"


def test_commands_start_in_the_runs_folder() -> None:
    scheduler = made()
    assert scheduler.job_script(job_of(scheduler)).cwd == "/mnt/disks/run1"
    elsewhere = made(cwd="/mnt/disks/data")
    assert elsewhere.job_script(job_of(elsewhere)).cwd == "/mnt/disks/data"


@pytest.mark.parametrize(
    "options, cwd",
    [
        ({"mount": "DATA=gs://data/in", "mount_as_cwd": "/mnt/disks/DATA"}, "/mnt/disks/DATA"),
        ({"mount_as_cwd": "DATA=gs://data/in"}, "/mnt/disks/DATA"),
        ({"mount_as_cwd": "gs://data/in"}, "/mnt/disks/in"),
        ({"mount": "DATA=gs://data/in", "cwd": "gs://data/in/more"}, "/mnt/disks/DATA/more"),
        ({"mount_as_cwd": "gs://data/in", "cwd": "/tmp"}, "/tmp"),
    ],
)
def test_a_mount_as_the_commands_folder(options: dict[str, Any], cwd: str) -> None:
    first = made(**options)
    for scheduler in (first, GbatchScheduler(RUN, **first.options())):
        scheduler.mount_volumes()
        assert scheduler.job_script(job_of(scheduler)).cwd == cwd
        assert "gs://data/in" in [mount.source for mount in scheduler.mounts]


def test_a_script_knows_its_task() -> None:
    scheduler = made()
    script = scheduler.job_script(job_of(scheduler))
    assert script.jid == "${BATCH_JOB_ID-}/${BATCH_TASK_INDEX-}"
    assert script.envs["SCHED_WORKDIR"] == "/mnt/disks/run1"
    assert script.envs["SCHED_JOB_METADIR"] == "/mnt/disks/run1/0"
