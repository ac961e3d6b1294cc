"""What becomes of jobs, as Slurm tells it: state, class, rc and reason."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest

from sched_core import Failure, Job, JobStatus, OptionError
from sched_core.runfolder import read_run

from ..clusters.engine import Engine
from ..clusters.outcomes import cancel_what_runs, is_refused, tells_memory
from ..daemons import end_at_once
from ..jobs import begun, explained, pending, ran, running, until, waiting
from .cluster import SlurmCluster
from .helpers import Asked, Purged, started_again

pytestmark = pytest.mark.timeout(300)


@pytest.mark.parametrize(
    "options, words",
    [
        ({"partition": "nope"}, "invalid partition specified: nope"),
        ({"mem": "1000G"}, "Memory specification can not be satisfied"),
        ({"constraint": "no-such-feature"}, "Invalid feature specification"),
        ({"gres": "gpu:1"}, "Invalid generic resource (gres) specification"),
        ({"time": "soon"}, "Invalid --time specification"),
        ({"account": "x y", "dependency": "afterok"}, "dependency"),
    ],
)
@pytest.mark.usefixtures("slurm")
async def test_t18_what_slurm_refuses_is_said_in_its_words(
    tmp_path: Path, options: dict[str, Any], words: str
) -> None:
    await is_refused(Asked(tmp_path / "run", error_strategy="retry", **options), words)


async def test_a_misspelt_option_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="did you mean partition"):
        Asked(tmp_path / "run", partitoin="main")


async def test_t38_the_time_limit_of_slurm(time_limited: Path) -> None:
    await until((anyio.Path(time_limited) / "ended").exists, 240)
    view = await anyio.to_thread.run_sync(read_run, time_limited)
    job = view.jobs[0]
    assert (job.status, job.failure, job.rc) == (JobStatus.FAILED, Failure.TIMEOUT, 143)
    assert "TIMEOUT" in job.reason


# On a loaded machine Slurm may miss the end of the first start, and start it again after two minutes.
@pytest.mark.timeout(600)
async def test_t37_out_of_memory(slurm: SlurmCluster, tmp_path: Path) -> None:
    if not slurm.cgroup:
        pytest.skip("no cgroups here: Slurm cannot tell")
    eat = "x=$(head -c 200000000 /dev/zero | tr '\\0' x); echo ${#x}"
    async with running(Asked(tmp_path / "run", mem="20M"), patience=500) as runner:
        job = await runner.wait(await runner.feed(["/bin/bash", "-c", eat]))
    assert (job.status, job.failure) == (JobStatus.FAILED, Failure.OUT_OF_MEMORY)


@pytest.mark.timeout(600)
async def test_t45_more_memory_follows_too_little(slurm: SlurmCluster, tmp_path: Path) -> None:
    if not slurm.cgroup:
        pytest.skip("no cgroups here: Slurm cannot tell")
    eat = "x=$(head -c 200000000 /dev/zero | tr '\\0' x); echo ${#x}"
    async with running(Asked(tmp_path / "run", error_strategy="halt"), patience=500) as runner:
        wanted = {"memory": ["20 MiB", "1 GiB"]}
        job = await runner.feed(["/bin/bash", "-c", eat], resources=wanted)
        await runner.wait(job)
    assert (job.status, job.attempt, job.trial_count) == (JobStatus.FINISHED, 2, 0)
    assert job.raised == {"memory": 2**30}


async def test_t11_a_requeued_job_starts_again_and_what_it_wrote_is_kept(
    slurm: SlurmCluster, tmp_path: Path
) -> None:
    scheduler = Asked(tmp_path / "run", requeue=True)
    async with running(scheduler) as runner:
        job = await runner.feed(waiting())
        await begun(job)
        await (job.metadir / "begun").unlink()
        slurm.run("scontrol", "requeue", str(job.jid))
        await until(lambda: job.status is JobStatus.SUBMITTED)
        await started_again(slurm, job)
        await (scheduler.workdir / "gate").write_text("")
        await runner.wait(job)
    assert (job.status, job.attempt, job.trial_count, job.restart) == (JobStatus.FINISHED, 1, 0, 1)
    assert ran(scheduler.workdir, job) == ["1", "1"]
    assert (await job.stdout_file.read_text()).startswith("begun\n")
    assert (await (job.retry_dir / "1.r0" / "job.stdout").read_text()).startswith("begun\n")


@pytest.fixture(params=["CANCEL"])
def humble(slurm: SlurmCluster, request: pytest.FixtureRequest) -> Iterator[str]:
    """A partition whose jobs are preempted, and how; another one has what is urgent."""
    with (
        slurm.partition("urgent", PriorityTier=9, PreemptMode="OFF"),
        slurm.partition("humble", PriorityTier=0, PreemptMode=request.param) as name,
    ):
        yield name


async def test_t11_a_preempted_job_is_tried_again_on_nobody_s_account(
    slurm: SlurmCluster, tmp_path: Path, humble: str
) -> None:
    scheduler = Asked(tmp_path / "run", partition=humble, error_strategy="retry", num_retries=0)
    async with running(scheduler) as runner:
        job = await runner.feed(waiting())
        await begun(job)
        await (job.metadir / "begun").unlink()
        urgent = preempt(slurm, job)
        await until(lambda: job.attempt == 2)
        slurm.run("scancel", urgent)
        await begun(job)
        await (scheduler.workdir / "gate").write_text("")
        await runner.wait(job)
    assert (job.status, job.attempt, job.trial_count) == (JobStatus.FINISHED, 2, 0)
    assert ran(scheduler.workdir, job) == ["1", "2"]


async def test_t11_a_preempted_job_that_is_not_tried_again(
    slurm: SlurmCluster, tmp_path: Path, humble: str
) -> None:
    async with running(Asked(tmp_path / "run", partition=humble)) as runner:
        job = await runner.feed(waiting())
        await begun(job)
        urgent = preempt(slurm, job)
        await runner.wait(job)
        slurm.run("scancel", urgent)
    assert (job.status, job.failure, job.rc) == (JobStatus.FAILED, Failure.PREEMPTED, 143)
    assert "PREEMPTED" in job.reason


def preempt(slurm: SlurmCluster, job: Job) -> str:
    """Have something more important take the node on which the job runs, all of it."""
    node = slurm.run("squeue", "--noheader", f"--jobs={job.jid}", "--format=%N").strip()
    return slurm.run(
        "sbatch", "--parsable", "--partition=urgent", f"--nodelist={node}", "--exclusive",
        "--output=/dev/null", "--wrap", "sleep 600",
    ).strip()  # fmt: skip


@pytest.mark.parametrize("humble", ["REQUEUE"], indirect=True)
async def test_t11_a_preempted_job_that_slurm_requeues(
    slurm: SlurmCluster, tmp_path: Path, humble: str
) -> None:
    scheduler = Asked(tmp_path / "run", partition=humble, requeue=True)
    async with running(scheduler) as runner:
        job = await runner.feed(waiting())
        await begun(job)
        await (job.metadir / "begun").unlink()
        urgent = preempt(slurm, job)
        await until(lambda: job.status is JobStatus.SUBMITTED)
        slurm.run("scancel", urgent)
        await started_again(slurm, job)
        await (scheduler.workdir / "gate").write_text("")
        await runner.wait(job)
    assert (job.status, job.attempt, job.trial_count, job.restart) == (JobStatus.FINISHED, 1, 0, 1)
    assert ran(scheduler.workdir, job) == ["1", "1"]
    assert "begun" in await (job.retry_dir / "1.r0" / "job.stdout").read_text()


async def test_cancelled_by_hand_while_it_runs(engine: Engine, tmp_path: Path) -> None:
    job = await cancel_what_runs(engine, Asked(tmp_path / "run", error_strategy="retry"))
    assert (job.status, job.failure, job.rc) == (JobStatus.FAILED, Failure.CANCELLED, 143)
    assert "CANCELLED" in job.reason


async def test_a_job_that_is_held_is_told_of(
    slurm: SlurmCluster, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with running(Asked(tmp_path / "run", begin="now+1hour")) as runner:
        job = await runner.feed(["/bin/true"])
        await pending(job)
        slurm.run("scontrol", "hold", str(job.jid))
        await until(lambda: "scontrol release" in caplog.text)
        assert "JobHeld" in await runner.scheduler.explain(job)
        slurm.run("scontrol", "release", str(job.jid))
        slurm.run("scontrol", "update", f"JobId={job.jid}", "StartTime=now")
        await runner.wait(job)
    assert (job.status, job.attempt) == (JobStatus.FINISHED, 1)


async def test_t07_cancelled_by_hand_while_it_waits(slurm: SlurmCluster, tmp_path: Path) -> None:
    async with running(Asked(tmp_path / "run", begin="now+1hour")) as runner:
        job = await runner.feed(waiting())
        await pending(job)
        await explained(runner.scheduler, job, "BeginTime")
        slurm.run("scancel", str(job.jid))
        await runner.wait(job)
    assert (job.status, job.failure) == (JobStatus.FAILED, Failure.CANCELLED)
    assert ran(tmp_path / "run", job) == []


async def test_t06_t07_cancelled_and_purged_before_the_next_question_without_accounting(
    bare_slurm: SlurmCluster, tmp_path: Path
) -> None:
    async with running(Purged(tmp_path / "run", begin="now+1hour")) as runner:
        job = await runner.feed(waiting())
        await pending(job)
        bare_slurm.run("scancel", str(job.jid))
        await runner.wait(job)
    assert (job.status, job.failure) == (JobStatus.FAILED, Failure.LOST)
    assert ran(tmp_path / "run", job) == []


async def test_t50_a_node_is_lost(slurm: SlurmCluster, tmp_path: Path) -> None:
    name, node = list(slurm.nodes.items())[-1]
    scheduler = Asked(tmp_path / "run", nodelist=name, no_requeue=True)
    try:
        async with running(scheduler) as runner:
            job = await runner.feed(waiting())
            await begun(job)
            node.kill()
            end_at_once(slurm.processes_of(str(job.jid)))
            slurm.run("scontrol", "update", f"NodeName={name}", "State=DOWN", "Reason=test")
            await runner.wait(job)
    finally:
        node.start()
        # Unless it has come back by itself: then Slurm refuses this.
        slurm.works("scontrol", "update", f"NodeName={name}", "State=RESUME")
        slurm.until_ready()
    assert (job.status, job.failure) == (JobStatus.FAILED, Failure.NODE_FAIL)


async def test_a_dependency_that_can_never_be_fulfilled(
    slurm: SlurmCluster, tmp_path: Path
) -> None:
    failed = slurm.run("sbatch", "--parsable", "-o", "/dev/null", "--wrap", "exit 1").strip()
    await until(
        lambda: "FAILED" in slurm.run("squeue", "-h", "-t", "all", "-j", failed, "-o", "%T")
    )
    options: dict[str, Any] = {"dependency": f"afterok:{failed}", "kill_on_invalid_dep": "yes"}
    async with running(Asked(tmp_path / "run", **options)) as runner:
        job = await runner.wait(await runner.feed(["/bin/true"]))
    assert (job.status, job.failure) == (JobStatus.FAILED, Failure.CANCELLED)


async def test_t14_the_environment_of_a_surrounding_job_does_not_leak(
    slurm: SlurmCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    leaks = {
        "SLURM_JOB_ID": "1", "SLURM_ARRAY_TASK_ID": "5", "SLURM_CPU_BIND": "mask", "SLURM_NTASKS": "9",
        "SBATCH_PARTITION": "nope", "SBATCH_EXPORT": "NONE", "SGE_TASK_ID": "3",
    }  # fmt: skip
    for name, value in leaks.items():
        monkeypatch.setenv(name, value)
    async with running(Asked(tmp_path / "run", resources={"cpus": 2})) as runner:
        job = await runner.wait(
            await runner.feed(["/bin/sh", "-c", "env; srun sh -c 'echo S=$SLURM_CPUS_PER_TASK'"])
        )
    found = dict(
        line.partition("=")[::2] for line in (await job.stdout_file.read_text()).splitlines()
    )
    assert job.rc == 0, await job.stderr_file.read_text()
    assert (
        not {"SLURM_CPU_BIND", "SLURM_ARRAY_TASK_ID", "SBATCH_EXPORT", "SGE_TASK_ID"} & found.keys()
    )
    assert found["SLURM_CONF"] == str(slurm.conf)
    assert found["S"] == "2"


async def test_the_doctor_finds_all_well(
    slurm: SlurmCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Not what earlier tests have had of the budget of calls, or have heard of too much to do.
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    findings = {name: (verdict, detail) for name, verdict, detail in await Asked(tmp_path).doctor()}
    memory, _ = findings.pop("memory")
    assert memory is (True if slurm.cgroup else None)
    assert all(verdict for verdict, _ in findings.values()), findings
    assert "main*" in findings["partitions"][1]


async def test_the_most_memory_of_jobs(engine: Engine, tmp_path: Path) -> None:
    await tells_memory(engine, Asked(tmp_path / "run", forks=2, mem="200M"))
