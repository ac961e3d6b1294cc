"""The most memory that a job had, as the engine's accounting tells it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import anyio
import pytest

from sched_core import AttemptId, Failure, Job, Runner, SpecPath, Usage, read_run
from sched_hpc.cluster.accounted import share_no_task, usage_of
from sched_hpc.cluster.places import Place
from sched_hpc.cluster.tool import Answer, Toolbox

from .fake_slurm import PEAK, all_have_ended
from .helpers import Quick, until, until_running

RUN = "0a1b2c3d4e"


@dataclass
class Told:
    name: str = f"slurm-{RUN}-00010001"
    started: float | None = 100.0
    ended: float | None = 120.0
    max_rss: int | None = PEAK


def alone(record: Told) -> dict[Place, Told]:
    return {("7", None): record}


def job(jid: str | None, index: int = 0, started: float | None = 101.5) -> Job:
    made = Job(index, ["/bin/true"], SpecPath("/run"))
    made.jid, made.started, made.ended = jid, started, 119.0
    return made


def test_a_record_is_of_the_task_that_it_names() -> None:
    told: dict[Place, Told] = {
        ("7", 0): Told(max_rss=1),
        ("7", 12): Told(max_rss=2),
        ("8", None): Told(max_rss=3),
    }
    jobs = [job("7_12", 1), job("8", 2), job("9", 3), job("7.0", 4)]
    assert usage_of(jobs, told, RUN) == {
        AttemptId(1, 1): Usage(max_rss=2),
        AttemptId(2, 1): Usage(max_rss=3),
        AttemptId(4, 1): Usage(max_rss=1),
    }


def test_t09_one_whose_end_is_not_known_yet_is_left_out() -> None:
    assert usage_of([job("7")], alone(Told(ended=None)), RUN) == {}
    assert usage_of([job("7")], {}, RUN) == {}


@pytest.mark.parametrize(
    "record",
    [
        Told(name="slurm-ffffffffff-00010001"),
        Told(name="mine"),
        Told(started=None),
        Told(started=125.0, ended=126.0),  # started again when it had ended
        Told(started=10.0, ended=20.0),
        Told(max_rss=None),
    ],
)
def test_what_may_be_of_another_start_is_not_the_job_s(record: Told) -> None:
    assert usage_of([job("7")], alone(record), RUN) == {AttemptId(0, 1): Usage()}


def test_of_a_job_that_does_not_tell_when_it_started_nothing_is_known() -> None:
    assert usage_of([job("7", started=None)], alone(Told()), RUN) == {AttemptId(0, 1): Usage()}


def test_clocks_may_differ_a_little() -> None:
    told = Told(started=104.0, ended=104.0)
    assert usage_of([job("7")], alone(told), RUN) == {AttemptId(0, 1): Usage(max_rss=PEAK)}


def test_what_jobs_of_a_task_had_together_is_none_of_them_s() -> None:
    first, second, single, unknown = job("7_0"), job("7_0", 1), job("7_1", 2), job(None, 3)
    among = [first, second, single, unknown]
    assert share_no_task([first, single, unknown], among) == [single]


async def peaks(slurm: Path, scheduler: Quick, count: int, **options: Any) -> list[int | None]:
    async with Runner(scheduler, **options) as runner:
        await runner.feed_all([["/bin/true"]] * count)
        await runner.stop_feeding()
        await until(lambda: all_have_ended(slurm))
    view = await anyio.to_thread.run_sync(read_run, scheduler.workdir)
    return [view.jobs[index].max_rss for index in sorted(view.jobs)]


async def test_slurm_is_asked_when_the_run_is_over(slurm: Path, tmp_path: Path) -> None:
    scheduler = Quick(tmp_path / "run")
    assert await peaks(slurm, scheduler, 5) == [PEAK] * 5
    assert 1 <= scheduler.toolbox.calls["sacct"] <= 2
    # Where all is known, there is nothing to ask.
    again = Quick(tmp_path / "run")
    assert await peaks(slurm, again, 0, existing="resume") == [PEAK] * 5
    assert again.toolbox.calls["sacct"] == 0


@pytest.mark.parametrize(
    "accounting",
    [
        "accounting_storage/none jobacct_gather/linux",
        "accounting_storage/slurmdbd jobacct_gather/none",
    ],
)
async def test_slurm_is_not_asked_where_it_knows_nothing(
    slurm: Path, tmp_path: Path, accounting: str
) -> None:
    (slurm / "accounting").write_text(accounting)
    scheduler = Quick(tmp_path / "run")
    assert await peaks(slurm, scheduler, 2) == [None, None]
    assert scheduler.toolbox.calls["sacct"] == 0


async def test_jobs_that_share_tasks_are_not_asked_about(slurm: Path, tmp_path: Path) -> None:
    scheduler = Quick(tmp_path / "run", chunk=2)
    assert await peaks(slurm, scheduler, 3) == [None] * 3
    assert scheduler.toolbox.calls["sacct"] == 0
    # Not even by a driver that has other ideas: the third alone had a task of its own.
    later = Quick(tmp_path / "run")
    assert await peaks(slurm, later, 0, existing="resume") == [None, None, PEAK]


async def test_t09_a_sacct_that_fails_does_no_harm(slurm: Path, tmp_path: Path) -> None:
    (slurm / "sacct").write_text("#!/bin/sh\necho 'sacct: error: slurmdbd is away' >&2; exit 1\n")
    scheduler = Quick(tmp_path / "run")
    assert await peaks(slurm, scheduler, 2) == [None, None]
    assert scheduler.toolbox.calls["sacct"] == 1


async def test_a_job_that_was_killed_has_used_something_too(slurm: Path, tmp_path: Path) -> None:
    scheduler = Quick(tmp_path / "run", grace=0.3)
    async with Runner(scheduler) as runner:
        job, _ = await runner.feed_all([["/bin/sleep", "600"], ["/bin/true"]])
        await until_running(job)
        await runner.kill(job)
        await runner.stop_feeding()
        await until(lambda: all_have_ended(slurm))
    assert (job.failure, job.max_rss) == (Failure.CANCELLED, PEAK)


class Stale(Toolbox):
    """The queue has forgotten all jobs, and the accounting, which hears of nothing, says that they run."""

    async def run(
        self, argv: Sequence[str], stdin: bytes = b"", extra: Mapping[str, str] | None = None
    ) -> Answer:
        answer = await super().run(argv, stdin, extra)
        tool = Path(argv[0]).name
        if tool == "squeue":
            return replace(answer, stdout="")
        return replace(answer, stdout=answer.stdout.replace("|PENDING|", "|RUNNING|"))


@pytest.mark.usefixtures("slurm")
async def test_t09_a_job_that_runs_for_the_accounting_only_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sched_core.lifecycle.reconcile._CONFIRM_AFTER", 0.3)
    scheduler = Quick(tmp_path / "run", hold=True)
    scheduler.toolbox = Stale(scheduler.tools, scheduler.tool_patience)
    with anyio.fail_after(60):
        async with Runner(scheduler) as runner:
            job = await runner.wait(await runner.feed(["/bin/true"]))
            await scheduler.toolbox.run([scheduler.tools["scancel"], str(job.jid)])
    assert (job.status.name, job.failure) == ("FAILED", Failure.LOST)
    assert scheduler.toolbox.calls["sacct"] >= 1
