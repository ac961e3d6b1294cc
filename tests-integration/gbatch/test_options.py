"""What options ask of Batch, and what its tasks then find."""

from __future__ import annotations

from typing import Any

import pytest

from sched_core import CommandError, JobStatus, OptionError, Runner

from .batch_calls import calling
from .cloud import BUCKET, Cloud


async def run_one(cloud: Cloud, text: str = "true", **options: Any) -> tuple[Any, str]:
    """Run a job; return its Batch job's definition and what it has written."""
    async with cloud.run(**options) as runner:
        (job,) = await runner.feed_all([["/bin/bash", "-c", text]])
    written = (cloud.folder() / str(job.index) / "job.stdout").read_text()
    assert job.status is JobStatus.FINISHED, (job.reason, said(cloud))
    return the_definition(cloud), written


def the_definition(cloud: Cloud) -> Any:
    (batch,) = cloud.jobs()
    with calling(cloud.batch) as caller:
        return caller.get(batch)


def said(cloud: Cloud) -> str:
    return "".join(cloud.batch.printed(batch, 0) for batch in cloud.jobs())


def spec_of(definition: Any) -> Any:
    return definition.task_groups[0].task_spec


# --- machines ----------------------------------------------------------------------------------------


async def test_resources_become_those_of_tasks(cloud: Cloud) -> None:
    wanted = {"cpus": 1.5, "memory": "3 GiB", "disk": "50 GiB", "time": "10m"}
    definition, _ = await run_one(cloud, resources=wanted, grace=10)
    compute = spec_of(definition).compute_resource
    assert (compute.cpu_milli, compute.memory_mib, compute.boot_disk_mib) == (1500, 3072, 51200)
    # Batch's own limit leaves time for all that a task does besides its command.
    assert 600 + 10 + 300 <= spec_of(definition).max_run_duration.total_seconds() <= 1000
    assert spec_of(definition).max_retry_count == 0


async def test_gpus_need_a_kind(cloud: Cloud) -> None:
    async with cloud.run() as runner:
        with pytest.raises((OptionError, CommandError), match="accelerator_type"):
            await runner.feed(["true"], resources={"gpus": 1})
        assert runner.jobs == []


async def test_gpus(cloud: Cloud) -> None:
    definition, _ = await run_one(cloud, resources={"gpus": 2}, accelerator_type="nvidia-tesla-t4")
    (instance,) = definition.allocation_policy.instances
    (accelerator,) = instance.policy.accelerators
    assert (accelerator.type_, accelerator.count) == ("nvidia-tesla-t4", 2)
    assert instance.install_gpu_drivers


async def test_where_tasks_run(cloud: Cloud) -> None:
    definition, _ = await run_one(
        cloud,
        location="us-central1-b",
        service_account="runner@p.iam.gserviceaccount.com",
        network="global/networks/n",
        subnetwork="regions/us-central1/subnetworks/s",
        no_external_ip_address=True,
        machine_type="e2-standard-4",
        provisioning_model="spot",
    )
    allocation = definition.allocation_policy
    assert "/locations/us-central1/jobs/" in definition.name
    assert list(allocation.location.allowed_locations) == ["zones/us-central1-b"]
    assert allocation.service_account.email == "runner@p.iam.gserviceaccount.com"
    (interface,) = allocation.network.network_interfaces
    assert (interface.network, interface.no_external_ip_address) == ("global/networks/n", True)
    assert interface.subnetwork == "regions/us-central1/subnetworks/s"
    policy = allocation.instances[0].policy
    assert (policy.machine_type, policy.provisioning_model.name) == ("e2-standard-4", "SPOT")


async def test_fields_of_a_batch_job_win(cloud: Cloud) -> None:
    definition, _ = await run_one(
        cloud,
        machine_type="e2-small",
        allocation_policy={"instances": [{"policy": {"machine_type": "n2-standard-2"}}]},
        labels={"team": "genomes"},
        priority=7,
        taskGroups=[{"taskSpec": {"computeResource": {"cpuMilli": "500"}, "maxRetryCount": 2}}],
        resources={"cpus": 4, "memory": "1 GiB"},
    )
    assert definition.allocation_policy.instances[0].policy.machine_type == "n2-standard-2"
    assert (definition.labels["team"], definition.priority) == ("genomes", 7)
    compute = spec_of(definition).compute_resource
    assert (compute.cpu_milli, compute.memory_mib) == (500, 1024)
    assert spec_of(definition).max_retry_count == 2


@pytest.mark.parametrize(
    "options, words",
    [
        ({"machinetype": "e2"}, "did you mean machine_type"),
        ({"task_groups": [{"taskCount": 3}]}, "taskCount"),
        ({"task_groups": [{}, {}]}, "exactly one group"),
        ({"status": {}}, "sets status itself"),
        ({"entrypoint": "/bin/sh"}, "image_uri"),
        ({"project": None}, "project is missing"),
        ({"spot_attempts": -1}, "spot_attempts"),
    ],
)
def test_what_batch_does_not_know_is_refused(
    cloud: Cloud, options: dict[str, Any], words: str
) -> None:
    with pytest.raises(OptionError, match=words):
        cloud.scheduler(**options)


async def test_a_field_that_is_wrong_deep_inside(cloud: Cloud) -> None:
    options: dict[str, Any] = {
        "allocation_policy": {"instances": [{"policy": {"machineTyp": "e2"}}]}
    }
    with pytest.raises(OptionError, match="machineTyp"):
        async with cloud.run(cloud.scheduler(**options)):
            raise AssertionError("it was opened")


# --- what tasks find ----------------------------------------------------------------------------------


async def test_mounts_and_their_variables(cloud: Cloud) -> None:
    (cloud.storage.root / BUCKET / "inputs/a").mkdir(parents=True, exist_ok=True)
    (cloud.storage.root / BUCKET / "inputs/a/x.txt").write_text("x\n")
    mount = [f"gs://{BUCKET}/inputs/a:/mnt/disks/data", f"IN=gs://{BUCKET}/inputs"]
    text = 'cat /mnt/disks/data/x.txt "$IN/a/x.txt"; echo "$IN"; echo made >"$IN/a/made.txt"'
    _, written = await run_one(cloud, text, mount=mount)
    assert written == "x\nx\n/mnt/disks/IN\n"
    assert (cloud.storage.root / BUCKET / "inputs/a/made.txt").read_text() == "made\n"


async def test_a_mount_to_read_from(cloud: Cloud) -> None:
    (cloud.storage.root / BUCKET / "inputs/b").mkdir(parents=True, exist_ok=True)
    text = ": >/mnt/disks/data/new || echo cannot"
    _, written = await run_one(cloud, text, mount=f"gs://{BUCKET}/inputs/b:/mnt/disks/data:ro")
    assert written == "cannot\n"


async def test_the_folder_of_the_run_is_mounted_and_the_one_in_which_commands_start(
    cloud: Cloud,
) -> None:
    definition, written = await run_one(cloud, 'pwd; echo "$SCHED_WORKDIR"; echo x >here')
    where, workdir = written.splitlines()
    assert where == workdir == spec_of(definition).volumes[0].mount_path
    assert (cloud.folder() / "here").read_text() == "x\n"


async def test_a_mount_in_which_commands_start(cloud: Cloud) -> None:
    (cloud.storage.root / BUCKET / "inputs/c").mkdir(parents=True, exist_ok=True)
    _, written = await run_one(cloud, "pwd", mount_as_cwd=f"gs://{BUCKET}/inputs/c:/mnt/disks/c")
    assert written == "/mnt/disks/c\n"


async def test_a_folder_of_the_machine_in_which_commands_start(cloud: Cloud) -> None:
    _, written = await run_one(cloud, "pwd", cwd="/usr")
    assert written == "/usr\n"


async def test_variables_of_jobs_and_of_batch(cloud: Cloud) -> None:
    async with cloud.run() as runner:
        await runner.feed(
            ["/bin/sh", "-c", 'echo "$A|$SCHED_JOB_NAME|$BATCH_TASK_INDEX|$BATCH_JOB_ID"'],
            envs={"A": 'it\'s "x"\n'},
            name="first",
        )
    (batch,) = cloud.jobs()
    assert (cloud.folder() / "0/job.stdout").read_text() == f'it\'s "x"\n|first|0|{batch}\n'


async def test_secrets_are_not_in_the_definition(cloud: Cloud) -> None:
    async with cloud.run() as runner:
        await runner.feed(["/bin/sh", "-c", "true"], envs={"TOKEN": "hunter2"})
    assert "hunter2" not in str(the_definition(cloud))


async def test_variables_of_secret_manager_are_batchs_own_affair(cloud: Cloud) -> None:
    name = "projects/p/secrets/token/versions/latest"
    environment = {"secretVariables": {"TOKEN": name}}
    async with cloud.run(taskGroups=[{"taskSpec": {"environment": environment}}]) as runner:
        await runner.feed(["/bin/sh", "-c", "true"])
    asked = spec_of(the_definition(cloud)).environment
    assert dict(asked.secret_variables) == {"TOKEN": name}


async def test_inputs_and_outputs_are_refused_if_batch_cannot(cloud: Cloud) -> None:
    runner: Runner
    async with cloud.run() as runner:
        with pytest.raises((OptionError, CommandError)):
            await runner.feed(["true"], container={"image": "busybox"})


# --- what else runs -----------------------------------------------------------------------------------


async def test_other_runnables_in_their_order(cloud: Cloud) -> None:
    def note(word: str) -> dict[str, Any]:
        return {"text": f"echo {word} >>/mnt/disks/order/order"}

    (cloud.storage.root / BUCKET / "inputs/o").mkdir(parents=True, exist_ok=True)
    definition, _ = await run_one(
        cloud,
        "echo job >>/mnt/disks/order/order",
        mount=f"gs://{BUCKET}/inputs/o:/mnt/disks/order",
        runnables=[
            {"order": 2, "script": note("last")},
            {"order": -1, "script": note("second")},
            {"order": -2, "script": note("first")},
            {"script": note("after"), "always_run": True},
        ],
    )
    order = (cloud.storage.root / BUCKET / "inputs/o/order").read_text().split()
    assert order == ["first", "second", "job", "after", "last"]
    assert len(spec_of(definition).runnables) == 5


async def test_a_runnable_that_fails_before_the_job_is_no_fault_of_its_command(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sched_gbatch.polling._RECORDS_ARE_LATE", 1.0)
    broken = [{"order": -1, "script": {"text": "exit 9"}}]
    async with cloud.run(runnables=broken, error_strategy="retry") as runner:
        (job,) = await runner.feed_all([["/bin/sh", "-c", "echo run"]])
    assert (job.status, job.rc) == (JobStatus.FAILED, 9)
    assert not (cloud.folder() / "0/job.stdout").exists()
