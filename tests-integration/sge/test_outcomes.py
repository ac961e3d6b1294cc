"""What becomes of jobs, as Grid Engine tells it: state, class, rc and reason."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import pytest

from sched_core import Failure, Job, JobStatus, OptionError
from sched_core.text.claim import parse_claim

from ..clusters.engine import Engine
from ..clusters.outcomes import cancel_what_runs, is_refused, tells_memory
from ..daemons import end_at_once, processes_with
from ..jobs import ONCE, begun, explained, left_of, pending, ran, running, until, waiting
from .cluster import SgeCluster
from .helpers import Asked

pytestmark = pytest.mark.timeout(300)


@pytest.mark.parametrize(
    "options, words",
    [
        ({"q": "nosuch.q"}, 'requests unknown queue "nosuch.q"'),
        ({"l": "nosuchres=1"}, 'unknown resource "nosuchres"'),
        ({"l": "h_rt=soon"}, 'attribute "h_rt" is not a time value'),
        ({"pe": "nope 2"}, 'parallel environment "nope" does not exist'),
        ({"P": "nope"}, 'project "nope" does not exist'),
        ({"p": 5000}, 'invalid priority "5000"'),
        ({"pe": "smp 4000"}, "no suitable queues"),
    ],
)
@pytest.mark.usefixtures("sge")
async def test_t18_what_grid_engine_refuses_is_said_in_its_words(
    tmp_path: Path, options: dict[str, Any], words: str
) -> None:
    await is_refused(Asked(tmp_path / "run", error_strategy="retry", **options), words)


async def test_a_misspelt_option_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="did you mean hold_jid"):
        Asked(tmp_path / "run", hold_jib="7")


async def test_codes_that_mean_more_to_grid_engine_are_the_command_s_own(
    sge: SgeCluster, tmp_path: Path
) -> None:
    codes = [0, 1, 99, 100, 121, 255]
    async with running(Asked(tmp_path / "run")) as runner:
        for code in codes:
            await runner.feed(["/bin/sh", "-c", f"{ONCE}; exit {code}"])
        await runner.stop_feeding()
        jobs = runner.jobs
    assert [job.rc for job in jobs] == codes
    assert {job.failure for job in jobs[1:]} == {Failure.EXIT}
    # One in an error state would stay, and one that is started again run once more.
    await until(lambda: all(not sge.state(str(job.jid)) for job in jobs))
    assert all(ran(tmp_path / "run", job) == ["1"] for job in jobs)


async def test_t38_the_time_limit_of_grid_engine(sge: SgeCluster, tmp_path: Path) -> None:
    scheduler = Asked(tmp_path / "run", l="h_rt=5", grace=1)
    async with running(scheduler) as runner:
        job = await runner.wait(await runner.feed(waiting()))
    assert (job.status, job.failure, job.rc) == (JobStatus.FAILED, Failure.TIMEOUT, 143)
    assert "h_rt" in job.reason


async def test_the_soft_time_limit_is_a_signal_to_the_command(
    sge: SgeCluster, tmp_path: Path
) -> None:
    command = "trap 'echo told; exit 0' USR1; while :; do sleep 0.2; done"
    async with running(Asked(tmp_path / "run", l="s_rt=5,h_rt=120")) as runner:
        job = await runner.wait(await runner.feed(["/bin/sh", "-c", command]))
    assert job.status is JobStatus.FINISHED
    assert await job.stdout_file.read_text() == "told\n"


async def test_the_job_s_own_time_limit_comes_first(sge: SgeCluster, tmp_path: Path) -> None:
    async with running(Asked(tmp_path / "run", timeout="1s", grace=1)) as runner:
        job = await runner.wait(await runner.feed(waiting()))
    assert (job.status, job.failure) == (JobStatus.FAILED, Failure.TIMEOUT)
    assert job.reason == ""


async def test_t37_all_processes_of_a_job_together_need_too_much_memory(
    sge: SgeCluster, tmp_path: Path
) -> None:
    eat = "x=$(head -c 60000000 /dev/zero | tr '\\0' x); while :; do sleep 1; done"
    both = 'for n in 1 2 3; do /bin/bash -c "$0" & done; wait'
    async with running(Asked(tmp_path / "run", l="h_vmem=150M", grace=1)) as runner:
        job = await runner.wait(await runner.feed(["/bin/bash", "-c", both, eat]))
    assert (job.status, job.failure) == (JobStatus.FAILED, Failure.OUT_OF_MEMORY)


async def test_t45_more_memory_follows_too_little(sge: SgeCluster, tmp_path: Path) -> None:
    # One that has enough may end at once; the other is to be found by Grid Engine.
    held = "while [ $SCHED_ATTEMPT = 1 ]; do sleep 1; done"
    eat = f"x=$(head -c 60000000 /dev/zero | tr '\\0' x); {held}"
    both = 'for n in 1 2 3; do /bin/bash -c "$0" & done; wait'
    scheduler = Asked(tmp_path / "run", grace=1, error_strategy="halt")
    async with running(scheduler) as runner:
        wanted = {"memory": ["150 MiB", "2 GiB"]}
        job = await runner.feed(["/bin/bash", "-c", both, eat], resources=wanted)
        await runner.wait(job)
    assert (job.status, job.attempt, job.trial_count) == (JobStatus.FINISHED, 2, 0)
    assert job.raised == {"memory": 2 * 2**30}


async def test_t07_a_job_that_cannot_be_started_is_no_longer_in_the_queue(
    sge: SgeCluster, tmp_path: Path
) -> None:
    class NoShell(Asked):
        JOBCMD_WRAPPER_LANG: ClassVar[str] = "/no/such/bash"

    scheduler = NoShell(tmp_path / "run")
    async with running(scheduler) as runner:
        jobs = await runner.feed_all([["/bin/true"]] * 3)
        await runner.stop_feeding()
    assert {(job.status, job.failure) for job in jobs} == {(JobStatus.FAILED, Failure.SETUP)}
    assert all("Eqw" in job.reason for job in jobs)
    assert all("No such file or directory" in job.reason for job in jobs)
    assert [sge.state(str(job.jid)) for job in jobs] == ["", "", ""]
    assert scheduler.toolbox.calls["qdel"] <= 3


async def test_t39_a_folder_that_is_not_there_is_the_job_s_own_failure(
    sge: SgeCluster, tmp_path: Path
) -> None:
    async with running(Asked(tmp_path / "run", cwd="/no/such/folder")) as runner:
        job = await runner.wait(await runner.feed(["/bin/true"]))
    assert (job.status, job.failure) == (JobStatus.FAILED, Failure.SETUP)
    assert "/no/such/folder" in await job.stderr_file.read_text()


async def test_t11_a_job_that_is_started_again_keeps_what_it_wrote(
    sge: SgeCluster, tmp_path: Path
) -> None:
    scheduler = Asked(tmp_path / "run", r=True, grace=1)
    async with running(scheduler) as runner:
        job = await runner.feed(waiting())
        for restart in (1, 2):
            await begun(job)
            await (job.metadir / "begun").unlink()
            sge.run("qmod", "-rj", str(job.jid))
            await until(lambda restart=restart: job.restart == restart)  # type: ignore[misc]
        await begun(job)
        await (scheduler.workdir / "gate").write_text("")
        await runner.wait(job)
    assert (job.status, job.attempt, job.trial_count, job.restart) == (JobStatus.FINISHED, 1, 0, 2)
    assert ran(scheduler.workdir, job) == ["1", "1", "1"]
    outputs = [job.stdout_file, *(job.retry_dir / f"1.r{n}" / "job.stdout" for n in (0, 1))]
    assert [(await path.read_text()).count("begun\n") for path in outputs] == [1, 1, 1]


async def test_deleted_by_hand_while_it_runs(engine: Engine, tmp_path: Path) -> None:
    job = await cancel_what_runs(engine, Asked(tmp_path / "run", error_strategy="retry"))
    assert (job.status, job.failure, job.rc) == (JobStatus.FAILED, Failure.CANCELLED, 143)
    assert "Grid Engine: 100" in job.reason


async def test_deleted_by_hand_without_notice(sge: SgeCluster, tmp_path: Path) -> None:
    scheduler = Asked(tmp_path / "run", notify=False, grace=1)
    async with running(scheduler) as runner:
        stubborn = 'trap "" TERM; while :; do sleep 0.2; done'
        job = await runner.feed(["/bin/sh", "-c", f': >"$SCHED_JOB_METADIR/begun"; {stubborn}'])
        await begun(job)
        token = f"SCHED_JOB_TOKEN={scheduler.session.run}-0-1"
        assert processes_with(token)
        sge.run("qdel", str(job.jid))
        await runner.wait(job)
        await until(lambda: not processes_with(token))
    assert (job.status, job.failure, job.rc) == (JobStatus.FAILED, Failure.CANCELLED, 137)


async def test_t06_t07_deleted_by_hand_while_it_waits(sge: SgeCluster, tmp_path: Path) -> None:
    scheduler = Asked(tmp_path / "run", h=True)
    async with running(scheduler) as runner:
        job = await runner.feed(waiting())
        await pending(job)
        assert "it is held" in await scheduler.explain(job)
        sge.run("qdel", str(job.jid))
        await runner.wait(job)
    # Grid Engine keeps no record of it.
    assert (job.status, job.failure) == (JobStatus.FAILED, Failure.LOST)
    assert "it never started" in job.reason
    assert ran(tmp_path / "run", job) == []


async def test_one_task_of_an_array_is_deleted(sge: SgeCluster, tmp_path: Path) -> None:
    scheduler = Asked(tmp_path / "run", forks=4)
    async with running(scheduler) as runner:
        jobs = await runner.feed_all([waiting()] * 4)
        for job in jobs:
            await begun(job)
        sge.run("qdel", str(jobs[2].jid))
        await runner.wait(jobs[2])
        await (scheduler.workdir / "gate").write_text("")
    assert [job.failure for job in jobs] == [None, None, Failure.CANCELLED, None]


async def test_a_suspended_job_goes_on_later(sge: SgeCluster, tmp_path: Path) -> None:
    scheduler = Asked(tmp_path / "run")
    tick = 'while [ ! -e "$SCHED_WORKDIR/gate" ]; do echo tick; sleep 0.1; done'
    begin = 'cd "$SCHED_JOB_METADIR" && echo $$ >pid && : >begun'
    async with running(scheduler) as runner:
        job = await runner.feed(["/bin/sh", "-c", f"{begin}; {tick}"])
        await begun(job)
        pid = int(await (job.metadir / "pid").read_text())
        sge.run("qmod", "-sj", str(job.jid))
        await until(lambda: state_of_process(pid) == "T")
        await until(lambda: sge.state(str(job.jid)) == "s")
        assert (await scheduler.explain(job)).startswith(f"Grid Engine job {job.jid}: s, on ")
        sge.run("qmod", "-usj", str(job.jid))
        await until(lambda: state_of_process(pid) in "SR")
        await (scheduler.workdir / "gate").write_text("")
        await runner.wait(job)
    assert job.status is JobStatus.FINISHED


def state_of_process(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


@pytest.mark.parametrize("restartable", [False, True])
@pytest.mark.parametrize("crashed", [False, pytest.param(True, marks=pytest.mark.full)])
async def test_t50_the_host_is_lost(
    sge: SgeCluster, tmp_path: Path, restartable: bool, crashed: bool
) -> None:
    scheduler = Asked(tmp_path / "run", r=restartable)
    async with running(scheduler) as runner:
        job = await runner.feed(waiting())
        await begun(job)
        await (job.metadir / "begun").unlink()
        if crashed:
            sge.execd.kill()  # once it is back it takes a minute until it believes that they are lost
        sge.lose_watchers()
        end_at_once(sge.processes_of(str(job.jid)))
        sge.execd.start()
        if restartable:
            await until((job.metadir / "begun").exists)
            await (scheduler.workdir / "gate").write_text("")
        await until(lambda: job.status.final)
    sge.until_ready()
    if restartable:
        assert (job.status, job.attempt, job.restart) == (JobStatus.FINISHED, 1, 1)
    else:
        assert (job.status, job.failure) == (JobStatus.FAILED, Failure.NODE_FAIL)


async def test_t50_a_task_whose_watcher_was_killed_is_ended_by_its_next_start(
    sge: SgeCluster, tmp_path: Path
) -> None:
    """Grid Engine takes it for lost while it runs on: two must not run at once."""
    scheduler = Asked(tmp_path / "run", r=True)
    async with running(scheduler) as runner:
        job = await runner.feed(waiting())
        await begun(job)
        first = await leader_of(job, "job.claim.1")
        await (job.metadir / "begun").unlink()
        sge.lose_watchers()
        await until(lambda: sge.state(str(job.jid)).startswith("R"))
        assert first in left_of(runner, job)
        await until(partial(started_once_more, sge, job))
        assert await leader_of(job, "job.claim.1.r1") in left_of(runner, job)
        assert first not in left_of(runner, job)
        await (scheduler.workdir / "gate").write_text("")
    assert (job.status, job.attempt, job.restart) == (JobStatus.FINISHED, 1, 1)


async def leader_of(job: Job, claim: str) -> int | None:
    return parse_claim(await (job.metadir / claim).read_bytes()).leader


async def started_once_more(sge: SgeCluster, job: Job) -> bool:
    # Whose jobs have lost their watchers, that queue starts none, until somebody says that it may.
    sge.run("qmod", "-cq", "all.q")
    return await (job.metadir / "begun").exists()


async def test_a_dependency_and_several_cores(sge: SgeCluster, tmp_path: Path) -> None:
    held = sge.submit("before", "sleep 60", "-h")
    options: dict[str, Any] = {"hold_jid": held, "resources": {"cpus": 2, "memory": "1 GiB"}}
    scheduler = Asked(tmp_path / "run", **options)
    async with running(scheduler) as runner:
        job = await runner.feed(["/bin/sh", "-c", "echo $NSLOTS; ulimit -v"])
        await pending(job)
        await explained(scheduler, job, "job dependencies")
        sge.run("qdel", held)
        await runner.wait(job)
    assert await job.stdout_file.read_text() == f"2\n{1 << 20}\n"


async def test_t14_the_environment_of_a_surrounding_job_does_not_leak(
    sge: SgeCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    leaks = {
        "JOB_ID": "1", "SGE_TASK_ID": "5", "SGE_TASK_LAST": "9", "QUEUE": "nope", "RESTARTED": "1", "PE": "x",
        "SGE_JOB_SPOOL_DIR": "/nope", "SLURM_JOB_ID": "3", "SCHED_JOB_TOKEN": "other", "ARC": "x",
    }  # fmt: skip
    for name, value in leaks.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("KEPT", "a\nb 'c' \\n")
    async with running(Asked(tmp_path / "run")) as runner:
        job = await runner.wait(await runner.feed(["/usr/bin/env", "-0"]))
    lines = (await job.stdout_file.read_text()).split("\0")
    found = dict(line.partition("=")[::2] for line in lines)
    assert found["JOB_ID"] == job.jid
    assert (found["RESTARTED"], found["QUEUE"], found["KEPT"]) == ("0", "all.q", "a\nb 'c' \\n")
    assert not {"SGE_TASK_ID", "SGE_TASK_LAST", "SLURM_JOB_ID", "PE"} & found.keys()
    assert found["SGE_ROOT"] == sge.variables["SGE_ROOT"]
    assert job.rc == 0


async def test_nobody_is_shown_the_environment(
    sge: SgeCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PASSWORD", "swordfish")
    async with running(Asked(tmp_path / "run")) as runner:
        shell, option, script = waiting()
        job = await runner.feed([shell, option, f'{script}; echo "found $PASSWORD"'])
        await begun(job)
        assert "swordfish" not in sge.run("qstat", "-j", str(job.jid))
        await (runner.scheduler.workdir / "gate").write_text("")
    assert "found swordfish" in await job.stdout_file.read_text()
    (carried,) = (tmp_path / "run/.sched").glob("environment.*")
    assert carried.stat().st_mode & 0o777 == 0o600


async def test_the_doctor_finds_all_well(
    sge: SgeCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Not what earlier tests have had of the budget of calls, or have heard of too much to do.
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    findings = {name: (verdict, detail) for name, verdict, detail in await Asked(tmp_path).doctor()}
    assert all(verdict for verdict, _ in findings.values()), findings
    assert findings["qsub"][1].startswith("/usr/lib/gridengine/qsub (instead of the slower ")
    assert "all.q" in findings["queues"][1]
    assert findings["parallel environments"][1] == "smp"
    assert "8.1" in findings["qmaster"][1]


async def test_the_doctor_says_that_the_cell_is_missing(
    sge: SgeCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SGE_ROOT", os.fspath(tmp_path / "nowhere"))
    findings = {name: (verdict, detail) for name, verdict, detail in await Asked(tmp_path).doctor()}
    verdict, detail = findings["qmaster"]
    assert verdict is False
    assert "SGE_ROOT directory" in detail
    with pytest.raises(OptionError, match=r"settings\.sh"):
        async with running(Asked(tmp_path / "run")):
            pass


async def test_the_most_memory_of_jobs(engine: Engine, tmp_path: Path) -> None:
    await tells_memory(engine, Asked(tmp_path / "run", forks=2))
