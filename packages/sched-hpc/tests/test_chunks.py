"""Several jobs in one task: each is recorded, retried and killed for itself."""

from __future__ import annotations

import json
import os
import signal
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from sched_core import (
    AttemptId,
    EngineState,
    Failure,
    Job,
    JobStatus,
    Observation,
    Runner,
    SpecPath,
    Submission,
)
from sched_core.lifecycle.active import Active
from sched_core.testing.contract.driver import driver_command, driver_killed_at_end
from sched_hpc import SlurmScheduler
from sched_hpc.cluster.chunks import in_tasks, of_each_job

from .fake_slurm import processes_of
from .helpers import Quick, until, until_running

ATTEMPTS = [AttemptId(index, 1) for index in range(5)]


def tasks(slurm: Path) -> list[dict[str, Any]]:
    found = [json.loads(path.read_text()) for path in (slurm / "tasks").glob("*.json")]
    return sorted(found, key=lambda task: (int(task["job"]), task["name"]))


def after(go: Path, then: str = "exit 0") -> list[str]:
    return [
        "/bin/bash",
        "-c",
        f"until [[ -e $1 ]]; do sleep 0.05; done; {then}",
        "-",
        os.fspath(go),
    ]


def test_what_is_not_present_leaves_its_place_empty() -> None:
    a, b, c, d, e = ATTEMPTS
    assert in_tasks(ATTEMPTS, ATTEMPTS, 2) == [[a, b], [c, d], [e]]
    assert in_tasks(ATTEMPTS, [a, c, d], 2) == [[a, None], [c, d]]
    assert in_tasks(ATTEMPTS, [e], 1) == [[None], [None], [None], [None], [e]]


async def test_each_job_has_its_own_record(slurm: Path, tmp_path: Path) -> None:
    scheduler = Quick(tmp_path / "run", forks=5, chunk=3)
    async with Runner(scheduler) as runner:
        jobs = [
            await runner.feed(["/bin/sh", "-c", f"echo out {n}; exit {n % 3}"]) for n in range(10)
        ]
    assert [job.rc for job in jobs] == [n % 3 for n in range(10)]
    assert [await job.stdout_file.read_text() for job in jobs] == [f"out {n}\n" for n in range(10)]
    assert [task["name"] for task in tasks(slurm)] == ["1_0", "1_1", "1_2", "1_3"]
    assert [job.jid for job in jobs] == [f"1_{n // 3}" for n in range(10)]
    assert scheduler.toolbox.calls["sbatch"] == 1


async def test_they_run_one_after_the_other(slurm: Path, tmp_path: Path) -> None:
    async with Runner(Quick(tmp_path / "run", chunk=4)) as runner:
        jobs = [await runner.feed(["/bin/true"]) for _ in range(4)]
    ended = [job.ended for job in jobs[:-1]]
    begun = [job.started for job in jobs[1:]]
    assert all(end is not None and start is not None and end <= start
               for end, start in zip(ended, begun, strict=True))  # fmt: skip
    assert [task["name"] for task in tasks(slurm)] == ["1"]


async def test_only_what_failed_is_retried(slurm: Path, tmp_path: Path) -> None:
    script = 'echo "$SCHED_JOB_INDEX" >>"$1"; ((SCHED_JOB_INDEX % 2 == 0 || SCHED_ATTEMPT > 1))'
    ran = tmp_path / "ran"
    options: dict[str, Any] = {"chunk": 3, "error_strategy": "retry", "num_retries": 2}
    async with Runner(Quick(tmp_path / "run", **options)) as runner:
        jobs = [await runner.feed(["/bin/bash", "-c", script, "-", str(ran)]) for _ in range(6)]
    assert {job.status for job in jobs} == {JobStatus.FINISHED}
    assert [job.attempt for job in jobs] == [1, 2, 1, 2, 1, 2]
    assert sorted(map(int, ran.read_text().split())) == [0, 1, 1, 2, 3, 3, 4, 5, 5]


async def test_a_job_has_not_started_because_its_task_has(slurm: Path, tmp_path: Path) -> None:
    go = tmp_path / "go"
    async with Runner(Quick(tmp_path / "run", chunk=2)) as runner:
        first, second = [await runner.feed(after(go)) for _ in range(2)]
        await until_running(first)
        await runner.scheduler.query_jobs([first, second])
        await runner.scheduler.check_all_done([first, second], 1)
        assert (first.status, second.status) == (JobStatus.RUNNING, JobStatus.SUBMITTED)
        go.touch()
    assert second.status is JobStatus.FINISHED


async def test_one_that_runs_is_killed_alone(slurm: Path, tmp_path: Path) -> None:
    go = tmp_path / "go"
    script = "setsid sleep 600 & trap '' TERM; sleep 600"
    scheduler = Quick(tmp_path / "run", chunk=3, grace=0.3)
    async with Runner(scheduler) as runner:
        killed = await runner.feed(["/bin/bash", "-c", script])
        others = [await runner.feed(after(go)) for _ in range(2)]
        await until_running(killed)
        await runner.kill(killed)
        go.touch()
    assert (killed.status, killed.failure) == (JobStatus.KILLED, Failure.CANCELLED)
    assert {job.status for job in others} == {JobStatus.FINISHED}
    assert scheduler.toolbox.calls["scancel"] == 0
    assert not list((tmp_path / "run").glob("*/job.kill.*"))


async def test_one_that_waits_is_killed_alone(slurm: Path, tmp_path: Path) -> None:
    go = tmp_path / "go"
    async with Runner(Quick(tmp_path / "run", chunk=3)) as runner:
        first, killed, last = [await runner.feed(after(go)) for _ in range(3)]
        await until_running(first)
        await runner.kill(killed)
        assert killed.status is JobStatus.KILLED
        go.touch()
    assert (first.status, last.status) == (JobStatus.FINISHED, JobStatus.FINISHED)
    assert not await killed.stdout_file.exists()
    assert not list((tmp_path / "run").glob("*/job.kill.*"))


async def test_all_of_a_task_are_killed_by_the_engine(slurm: Path, tmp_path: Path) -> None:
    scheduler = Quick(tmp_path / "run", chunk=3, forks=2)
    async with Runner(scheduler) as runner:
        jobs = [await runner.feed(["/bin/sleep", "600"]) for _ in range(6)]
        await until_running(jobs[0])
        await runner.cancel()
    assert {job.status for job in jobs} == {JobStatus.KILLED}
    assert scheduler.toolbox.calls["scancel"] == 1


async def test_what_a_lost_task_has_not_begun_is_submitted_again(
    slurm: Path, tmp_path: Path
) -> None:
    go = tmp_path / "go"
    async with Runner(Quick(tmp_path / "run", chunk=3)) as runner:
        done = await runner.feed(["/bin/true"])
        lost, later = [await runner.feed(after(go)) for _ in range(2)]
        await until_running(lost)
        for pid in processes_of(slurm, "1"):
            with suppress(ProcessLookupError):  # it has just ended
                os.kill(pid, signal.SIGKILL)
        await until(lambda: later.jid not in (None, "1"))
        go.touch()
    assert done.status is JobStatus.FINISHED
    assert (lost.status, lost.attempt) == (JobStatus.FAILED, 1)
    assert later.status is JobStatus.FINISHED
    assert later.trial_count == 0


async def test_a_time_limit_is_of_each_job(slurm: Path, tmp_path: Path) -> None:
    scheduler = Quick(tmp_path / "run", chunk=2, timeout=25, grace=0.2)
    async with Runner(scheduler) as runner:
        late = await runner.feed(["/bin/sleep", "600"], timeout=0.5)
        fine = await runner.feed(["/bin/true"])
    assert (late.status, late.failure) == (JobStatus.FAILED, Failure.TIMEOUT)
    assert fine.status is JobStatus.FINISHED
    limits = [word for word in scheduler.submit_options(fine) if "time" in word]
    assert limits == ["--time=1"]
    assert late.jid == fine.jid


async def test_a_run_goes_on_with_chunks_of_another_size(slurm: Path, tmp_path: Path) -> None:
    go = tmp_path / "go"
    first = SlurmScheduler(tmp_path / "run", chunk=2)
    argv = driver_command(first, {"chunk": 2}, [after(go)] * 4, "asyncio")
    async with driver_killed_at_end(argv):
        await until((tmp_path / "run/0/job.claim.1").exists)
    async with Runner.resume(tmp_path / "run", Quick(tmp_path / "run", chunk=3)) as runner:
        go.touch()
    assert {job.status for job in runner.jobs} == {JobStatus.FINISHED}
    assert [job.attempt for job in runner.jobs] == [1] * 4
    assert [job.jid for job in runner.jobs] == ["1_0", "1_0", "1_1", "1_1"]


SHARED = Submission("1", "slurm-x-1", "slurm", tuple(ATTEMPTS[:2]), chunk=2)


def two_of_a_task() -> list[Active]:
    """Jobs that one task runs, as `SHARED` has them."""
    jobs = [Job(index, ["/bin/true"], SpecPath("/run")) for index in range(2)]
    for job in jobs:
        job.jid, job.started = "1", 1.0
    return [Active(job, 1, 0.0, SHARED) for job in jobs]


def test_what_a_task_had_of_memory_is_not_what_its_jobs_had() -> None:
    actives = two_of_a_task()
    told = Observation(EngineState.FAILED, failure=Failure.NODE_FAIL, max_rss=1 << 20)
    judged = of_each_job(actives, dict.fromkeys(ATTEMPTS[:2], told))
    assert [seen.max_rss for seen in judged.values()] == [None, None]
    alone = [replace(actives[0], submission=replace(SHARED, chunk=1))]
    assert of_each_job(alone, {ATTEMPTS[0]: told}) == {ATTEMPTS[0]: told}


def test_that_one_of_a_task_s_jobs_failed_does_not_tell_which() -> None:
    actives = two_of_a_task()

    def judged(rc: int, failure: Failure) -> set[tuple[EngineState, int | None]]:
        told = Observation(EngineState.FAILED, rc, failure)
        seen = of_each_job(actives, dict.fromkeys(ATTEMPTS[:2], told))
        return {(one.state, one.rc) for one in seen.values()}

    assert judged(1, Failure.EXIT) == {(EngineState.SUCCEEDED, None)}
    assert judged(137, Failure.EXIT) == {(EngineState.FAILED, 137)}
    assert judged(1, Failure.NODE_FAIL) == {(EngineState.FAILED, 1)}
