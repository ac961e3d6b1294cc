"""What a Batch job is asked to be; every definition here is one that the library accepts."""

from __future__ import annotations

from typing import Any

import pytest

from sched_core import OptionError, Resources
from sched_gbatch.definition import Needs, region_of
from sched_gbatch.service import job_of

from .helpers import SCRIPT, defined, group_of, made, policy_of, spec_of

IMAGE = "debian:12"


def container_of(**options: Any) -> dict[str, Any]:
    found: dict[str, Any] = spec_of(defined(image_uri=IMAGE, **options))["runnables"][0]
    return found["container"]  # type: ignore[no-any-return]  # JSON


def test_a_job_of_tasks() -> None:
    found = defined(tasks=1000, parallelism=50)
    assert group_of(found)["taskCount"] == "1000"
    assert group_of(found)["parallelism"] == "50"
    assert spec_of(found)["maxRetryCount"] == 0
    message = job_of(found)
    assert message.task_groups[0].task_count == 1000


def test_labels_lead_back_to_the_run() -> None:
    scheduler = made()
    found = scheduler.definition(Needs(), tasks=1, parallelism=1, sid="0007")
    expected = {"sched-run": scheduler.session.run, "sched-submission": "0007"}
    assert found["labels"] == expected
    assert found["allocationPolicy"]["labels"] == expected


def test_t21_labels_lead_back_to_the_jobs() -> None:
    found = made().definition(Needs(), tasks=3, parallelism=1, indexes=[4, 5, 9])
    assert found["labels"]["sched-jobs"] == "4-5_9"


# --- mounts ------------------------------------------------------------------------------------------


def test_the_runs_folder_is_mounted() -> None:
    assert spec_of(defined())["volumes"] == [
        {
            "gcs": {"remotePath": "bucket/run1"},
            "mountPath": "/mnt/disks/run1",
            "mountOptions": [
                "-o rw,allow_other",
                "-implicit-dirs",
                "-file-mode=777",
                "-dir-mode=777",
            ],
        }
    ]


def test_further_mounts() -> None:
    mounts = ["gs://data/ref:/mnt/disks/ref:ro", "DATA=gs://data/in"]
    ref, data, _ = spec_of(defined(mount=mounts))["volumes"]
    assert ref["gcs"] == {"remotePath": "data/ref"}
    assert ref["mountOptions"][0] == "-o ro,allow_other"
    assert (data["gcs"], data["mountPath"]) == ({"remotePath": "data/in"}, "/mnt/disks/DATA")


def test_a_mount_that_holds_the_runs_folder_is_enough() -> None:
    found = defined(mount="gs://bucket:/mnt/disks/all")
    (volume,) = spec_of(found)["volumes"]
    assert volume["gcs"] == {"remotePath": "bucket"}
    assert "/mnt/disks/all/run1/.sched/" in spec_of(found)["runnables"][0]["script"]["text"]


@pytest.mark.parametrize("mount", ["/data:/mnt/disks/data", "DATA=/data", "s3://b/x:/mnt/disks/x"])
def test_what_batch_cannot_mount(mount: str) -> None:
    with pytest.raises(OptionError, match="Google Batch mounts folders of buckets"):
        defined(mount=mount)


# --- what runs ---------------------------------------------------------------------------------------


def test_a_script_that_waits_for_the_bucket() -> None:
    (runnable,) = spec_of(defined())["runnables"]
    text = runnable["script"]["text"]
    assert text.startswith("#!/bin/sh\n")
    assert text.endswith(f"\nexec /bin/bash {SCRIPT}\n")


@pytest.mark.parametrize(
    "options, entrypoint, commands",
    [
        # Without an entrypoint: words before the script, in the interpreter's place.
        ({}, "/bin/bash", [SCRIPT]),
        ({"commands": ["-l", "-x"]}, "/bin/bash", ["-l", "-x", SCRIPT]),
        ({"commands": "-l"}, "/bin/bash", ["-l", SCRIPT]),
        # With one: words before a line that runs the script.
        ({"entrypoint": "/bin/sh", "commands": "-c"}, "/bin/sh", ["-c", f"/bin/bash {SCRIPT}"]),
        (
            {"entrypoint": "/bin/bash", "commands": ["-l", "-c"]},
            "/bin/bash",
            ["-l", "-c", f"/bin/bash {SCRIPT}"],
        ),
        ({"entrypoint": "/usr/bin/bash"}, "/usr/bin/bash", [SCRIPT]),
        ({"entrypoint": "/usr/bin/env"}, "/usr/bin/env", ["/bin/bash", SCRIPT]),
        # Placeholders: these, and nothing more.
        ({"commands": ["{lang} {script}"]}, None, [f"/bin/bash {SCRIPT}"]),
        ({"commands": ["{lang}", "{script}"]}, None, ["/bin/bash", SCRIPT]),
        (
            {"entrypoint": "/bin/sh", "commands": ["-c", "nice {lang} {script}; true"]},
            "/bin/sh",
            ["-c", f"nice /bin/bash {SCRIPT}; true"],
        ),
    ],
)
def test_commands_of_containers(
    options: dict[str, Any], entrypoint: str | None, commands: list[str]
) -> None:
    found = container_of(**options)
    assert found["imageUri"] == IMAGE
    assert found.get("entrypoint") == entrypoint
    assert found["commands"] == commands


@pytest.mark.parametrize("option", ["entrypoint", "commands"])
def test_a_container_needs_its_image(option: str) -> None:
    with pytest.raises(OptionError, match=f"{option} is for containers"):
        made(**{option: "-c"})


def test_runnables_by_their_order() -> None:
    others = [
        {"order": 1, "script": {"text": "last"}},
        {"order": -1, "script": {"text": "second"}},
        {"order": -2.5, "script": {"text": "first"}},
        {"script": {"text": "third"}, "alwaysRun": True},
    ]
    found = spec_of(defined(runnables=others))["runnables"]
    texts = [runnable["script"]["text"] for runnable in found]
    assert [*texts[:2], *texts[3:]] == ["first", "second", "third", "last"]
    assert SCRIPT in texts[2]
    assert not any("order" in runnable for runnable in found)


def test_an_order_is_a_number() -> None:
    with pytest.raises(OptionError, match="the order 'early' is no number"):
        defined(runnables=[{"order": "early", "script": {"text": "true"}}])


# --- what is needed ----------------------------------------------------------------------------------


def test_t46_resources() -> None:
    wanted = Resources(cpus=1.5, memory="3 GiB", disk="30 GiB")
    assert spec_of(defined(Needs(wanted)))["computeResource"] == {
        "cpuMilli": "1500",
        "memoryMib": "3072",
        "bootDiskMib": "30720",
    }
    assert "computeResource" not in spec_of(defined())


def test_a_time_limit_leaves_time_for_what_is_not_the_command() -> None:
    (limit,) = [spec_of(defined(Needs(time=59.5), grace=10))["maxRunDuration"]]
    assert limit.endswith("s")
    assert int(limit[:-1]) >= 60 + 10 + 60
    assert "maxRunDuration" not in spec_of(defined())


def test_gpus() -> None:
    found = defined(Needs(Resources(gpus=2)), accelerator_type="nvidia-tesla-t4")
    assert policy_of(found)["accelerators"] == [{"type": "nvidia-tesla-t4", "count": "2"}]
    assert found["allocationPolicy"]["instances"][0]["installGpuDrivers"] is True
    with pytest.raises(OptionError, match="accelerator_type="):
        defined(Needs(Resources(gpus=2)))


# --- where -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "location, region",
    [
        ("us-central1", "us-central1"),
        ("us-central1-a", "us-central1"),
        ("northamerica-northeast1-b", "northamerica-northeast1"),
        ("europe-west4", "europe-west4"),
    ],
)
def test_regions(location: str, region: str) -> None:
    assert region_of(location) == region


def test_a_zone_is_the_only_one() -> None:
    found = defined(location="us-central1-b")["allocationPolicy"]
    assert found["location"] == {"allowedLocations": ["zones/us-central1-b"]}
    assert "location" not in defined()["allocationPolicy"]


def test_the_vms() -> None:
    found = defined(
        Needs(model="SPOT"),
        machine_type="e2-standard-4",
        service_account="a@p.iam.gserviceaccount.com",
        network="global/networks/n",
        subnetwork="regions/us-central1/subnetworks/s",
        no_external_ip_address=True,
    )
    assert policy_of(found) == {"machineType": "e2-standard-4", "provisioningModel": "SPOT"}
    allocation = found["allocationPolicy"]
    assert allocation["serviceAccount"] == {"email": "a@p.iam.gserviceaccount.com"}
    assert allocation["network"]["networkInterfaces"] == [
        {
            "network": "global/networks/n",
            "subnetwork": "regions/us-central1/subnetworks/s",
            "noExternalIpAddress": True,
        }
    ]


@pytest.mark.parametrize("value", [True, False])
def test_an_external_address_is_said_either_way(value: bool) -> None:
    (network,) = defined(no_external_ip_address=value)["allocationPolicy"]["network"][
        "networkInterfaces"
    ]
    assert network == {"noExternalIpAddress": value}


# --- the user's own fields ---------------------------------------------------------------------------


def test_native_fields_win() -> None:
    found = defined(
        machine_type="e2-small",
        labels={"team": "x"},
        priority=9,
        logs_policy={"destination": "PATH", "logs_path": "/mnt/disks/run1/logs"},
        taskGroups=[{"taskSpec": {"maxRetryCount": 2, "maxRunDuration": "60s"}}],
        allocation_policy={
            "location": {"allowed_locations": ["zones/us-central1-c"]},
            "instances": [{"policy": {"machine_type": "e2-standard-2"}}],
        },
    )
    assert found["labels"].keys() == {"sched-run", "sched-submission", "team"}
    assert found["priority"] == 9
    assert found["logsPolicy"]["destination"] == "PATH"
    assert (spec_of(found)["maxRetryCount"], spec_of(found)["maxRunDuration"]) == (2, "60s")
    assert group_of(found)["taskCount"] == "3"
    assert policy_of(found)["machineType"] == "e2-standard-2"


def test_a_template_stands_in_the_place_of_a_policy() -> None:
    found = defined(
        machine_type="e2-small",
        allocationPolicy={"instances": [{"instanceTemplate": "mine", "installGpuDrivers": True}]},
    )
    assert found["allocationPolicy"]["instances"] == [
        {"instanceTemplate": "mine", "installGpuDrivers": True}
    ]


@pytest.mark.parametrize(
    "options, words",
    [
        ({"allocation_policy": {"instance": []}}, 'no field named "instance"'),
        ({"priority": "high"}, "priority"),
        ({"logs_policy": {"destination": "NOWHERE"}}, "destination"),
        ({"taskGroups": [{"taskSpec": {"maxRetries": 3}}]}, 'no field named "maxRetries"'),
    ],
)
def test_what_the_library_does_not_know_is_named(options: dict[str, Any], words: str) -> None:
    with pytest.raises(OptionError, match=f"Google Batch has no such job: .*{words}"):
        defined(**options)
