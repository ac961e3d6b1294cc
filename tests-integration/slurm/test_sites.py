"""Sites that are set up otherwise, or of which something is down."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import anyio
import pytest

from sched_core import EngineUnavailable, Failure, JobStatus

from ..clusters.troubles import run_on_unasked
from ..jobs import ONCE, begun, pending, ran, running, until, waiting
from .cluster import SlurmCluster
from .helpers import Asked, Purged, SlurmEngine

pytestmark = pytest.mark.timeout(300)

Start = Callable[..., SlurmCluster]


@pytest.mark.parametrize("size", [0, pytest.param(1, marks=pytest.mark.full)])
async def test_t17_arrays_are_off(start_slurm: Start, tmp_path: Path, size: int) -> None:
    start_slurm(nodes=1, settings={"MaxArraySize": size})
    scheduler = Asked(tmp_path / "run", forks=3)
    async with running(scheduler) as runner:
        jobs = await runner.feed_all([waiting("never"), *[waiting()] * 5])
        for job in jobs[:3]:
            await begun(job)
        await runner.kill(jobs[0])
        await (scheduler.workdir / "gate").write_text("")
        await runner.stop_feeding()
    states = [job.status for job in jobs]
    assert states == [JobStatus.KILLED] + [JobStatus.FINISHED] * 5
    assert [ran(scheduler.workdir, job) for job in jobs] == [["1"]] * 6
    assert scheduler.toolbox.calls["sbatch"] == 6


async def test_t51_several_clusters(
    start_slurm: Start, slurm: SlurmCluster, tmp_path: Path
) -> None:
    """The second one counts its jobs from 1 as the first one did: ids alone tell nothing."""
    east = start_slurm(beside=slurm, name="east", nodes=1)
    os.environ["SLURM_CONF"] = os.fspath(slurm.conf)
    east.run("scontrol", "create", "PartitionName=eastern", "Nodes=ALL")
    taken = east.run("sbatch", "--parsable", "--hold", "-o", "/dev/null", "--wrap", "true").strip()
    scheduler = Asked(tmp_path / "run", forks=2, clusters=["test", "east"], partition="eastern")
    async with running(scheduler) as runner:
        jobs = await runner.feed_all([waiting("never"), *[waiting()] * 5])
        for job in jobs[:2]:
            await begun(job)
        assert "east" in await runner.scheduler.explain(jobs[0])
        await runner.kill(jobs[0])
        await (scheduler.workdir / "gate").write_text("")
        await runner.stop_feeding()
    states = [job.status for job in jobs]
    assert states == [JobStatus.KILLED] + [JobStatus.FINISHED] * 5
    assert [len(ran(scheduler.workdir, job)) for job in jobs] == [1] * 6
    await until(lambda: east.run("squeue", "--noheader", "--format=%i").split() == [taken])


async def test_t09_the_accounting_is_away_while_jobs_end(
    slurm: SlurmCluster, tmp_path: Path
) -> None:
    slurmdbd = slurm.database[-1]
    scheduler = Asked(tmp_path / "run", forks=10)
    async with running(scheduler) as runner:
        killed, cancelled, ends, fails = await runner.feed_all(
            [
                waiting("never"),
                waiting("never"),
                waiting(),
                ["/bin/sh", "-c", f"{ONCE}; exit 3"],
            ]
        )
        for job in (killed, cancelled, ends):
            await begun(job)
        slurmdbd.kill()
        try:
            await runner.kill(killed)
            slurm.run("scancel", str(cancelled.jid))
            await (scheduler.workdir / "gate").write_text("")
            await runner.stop_feeding()
        finally:
            slurmdbd.start()
            await until(lambda: slurm.works("sacctmgr", "--noheader", "list", "cluster"))
    ends_of = [(job.status, job.failure, job.rc) for job in (cancelled, ends, fails)]
    assert killed.status is JobStatus.KILLED
    assert ends_of == [
        (JobStatus.FAILED, Failure.CANCELLED, 143),
        (JobStatus.FINISHED, None, 0),
        (JobStatus.FAILED, Failure.EXIT, 3),
    ]


async def test_t18_as_many_jobs_as_the_accounting_lets_a_user_have(
    start_slurm: Start, slurm: SlurmCluster, tmp_path: Path
) -> None:
    narrow = start_slurm(
        beside=slurm, name="narrow", nodes=1, settings={"AccountingStorageEnforce": "limits"}
    )
    root = ("user", "root", "where", "cluster=narrow")
    narrow.run("sacctmgr", "--immediate", "modify", *root, "set", "MaxSubmitJobs=1")
    scheduler = Asked(tmp_path / "run", forks=10)
    async with running(scheduler) as runner:
        first = await runner.feed(waiting())
        await begun(first)
        taken = scheduler.toolbox.calls["sbatch"]
        second = await runner.feed(["/bin/sh", "-c", ONCE])
        await until(lambda: scheduler.toolbox.calls["sbatch"] > taken + 1)
        assert second.status is JobStatus.QUEUED
        await (scheduler.workdir / "gate").write_text("")
    jobs = [first, second]
    assert [(job.status, job.attempt) for job in jobs] == [(JobStatus.FINISHED, 1)] * 2
    assert [ran(scheduler.workdir, job) for job in jobs] == [["1"]] * 2


@pytest.mark.full
async def test_t09_the_accounting_is_away_when_the_queue_has_forgotten_a_job(
    start_slurm: Start, slurm: SlurmCluster, tmp_path: Path
) -> None:
    cluster = start_slurm(beside=slurm, name="west", nodes=1, settings={"MinJobAge": 2})
    scheduler = Purged(tmp_path / "run", begin="now+1hour")
    async with running(scheduler) as runner:
        job = await runner.feed(waiting())
        await pending(job)
        slurm.database[-1].kill()
        try:
            cluster.run("scancel", str(job.jid))
            await runner.wait(job)
        finally:
            slurm.database[-1].start()
            await until(lambda: slurm.works("sacctmgr", "--noheader", "list", "cluster"))
    assert (job.status, job.failure) == (JobStatus.FAILED, Failure.LOST)
    assert scheduler.toolbox.calls["sacct"] >= 1


async def test_t01_munge_is_away(frail_slurm: SlurmCluster, tmp_path: Path) -> None:
    async def back() -> None:
        frail_slurm.start_munged()

    away = partial(anyio.to_thread.run_sync, frail_slurm.munged.stop)
    scheduler = Asked(tmp_path / "run", forks=5)
    await run_on_unasked(SlurmEngine(frail_slurm), scheduler, away, back)


async def test_slurm_is_not_to_be_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLURM_CONF", "/nowhere/slurm.conf")
    scheduler = Asked(tmp_path / "run")
    with pytest.raises(EngineUnavailable, match=r"SLURM_CONF is /nowhere/slurm.conf"):
        async with running(scheduler):
            pass
    findings = {name: detail for name, verdict, detail in await scheduler.doctor()}
    assert "SLURM_CONF is /nowhere/slurm.conf" in findings["controller"]
    assert not scheduler.toolbox.calls  # the tools themselves wait for a minute


async def test_the_command_line_says_that_it_cannot_be_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLURM_CONF", "/nowhere/slurm.conf")
    argv = [str(Path(sys.executable).with_name("sched")), "run", "--scheduler=slurm", "--", "true"]
    done = await anyio.run_process(argv, cwd=tmp_path, check=False)
    assert done.returncode == 3
    assert b"SLURM_CONF is /nowhere/slurm.conf" in done.stderr


async def test_slurm_is_set_up_wrongly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    conf = tmp_path / "slurm.conf"
    conf.write_text("SlurmctldHost=nowhere\n")
    monkeypatch.setenv("SLURM_CONF", os.fspath(conf))
    with pytest.raises(EngineUnavailable, match=r"ClusterName.*; have SLURM_CONF name"):
        async with running(Asked(tmp_path / "run")):
            pass


async def test_t39_a_job_s_folder_is_not_there(slurm: SlurmCluster, tmp_path: Path) -> None:
    async with running(Asked(tmp_path / "run", cwd=tmp_path / "nowhere")) as runner:
        job = await runner.wait(await runner.feed(["/bin/true"]))
    assert (job.status, job.failure) == (JobStatus.FAILED, Failure.SETUP)
    assert "nowhere" in job.reason + await job.stderr_file.read_text()


async def test_t39_the_driver_s_folder_is_not_there_on_the_node(
    slurm: SlurmCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    async with running(Asked(tmp_path / "run", begin="now+1hour")) as runner:
        job = await runner.feed(["/bin/true"])
        await pending(job)
        monkeypatch.chdir(tmp_path)
        here.rmdir()
        slurm.run("scontrol", "update", f"JobId={job.jid}", "StartTime=now")
        await runner.wait(job)
    assert (job.status, job.failure) == (JobStatus.FAILED, Failure.SETUP)
