"""What is submitted: few Batch jobs, with legal names that lead back, and never more at once than asked for."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from sched_core import JobStatus, read_run
from sched_gbatch.names import batch_id

from .batch_calls import PARENT, calling
from .cloud import Cloud, Quick, batch_of, gated, number_of, until

_LEGAL_ID = re.compile(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?")
_LEGAL_LABEL = re.compile(r"[a-z0-9_-]{0,63}")


def definition(cloud: Cloud, batch: str) -> Any:
    """Return a Batch job as the service has it."""
    with calling(cloud.batch) as caller:
        return caller.get(batch)


@pytest.mark.timeout(600)
async def test_a_thousand_jobs_are_one_batch_job_and_few_requests(cloud: Cloud) -> None:
    async with cloud.run(forks=100, patience=550) as runner:
        cloud.storage.reset_counts()
        await runner.feed_all([["true"]] * 1000)
        await runner.stop_feeding()
    assert {job.status for job in runner.jobs} == {JobStatus.FINISHED}
    calls = cloud.batch.calls()
    assert calls["CreateJob"] == 1
    assert len(set(cloud.starts())) == len(cloud.starts()) == 1000
    # Its folder is listed as often as time passes.
    assert cloud.storage.requests() - cloud.storage.counts()["list"] <= 1400
    # Each question about the job has at most one about its tasks, page by page.
    assert calls["ListTasks"] <= calls["GetJob"]


async def test_what_many_attempts_have_left_is_kept(cloud: Cloud) -> None:
    jobs = 40
    together = '[ "$SCHED_ATTEMPT" = 2 ] || { echo first; exit 3; }'
    async with cloud.run(error_strategy="retry", forks=100) as runner:
        cloud.storage.reset_counts()
        await runner.feed_all([["/bin/sh", "-c", together]] * jobs)
        await runner.stop_feeding()
    assert {(job.status, job.attempt) for job in runner.jobs} == {(JobStatus.FINISHED, 2)}
    kept = [cloud.folder() / f"{n}/job.retry/1" for n in range(jobs)]
    assert {(folder / "job.stdout").read_text() for folder in kept} == {"first\n"}
    assert all((folder / "job.wrapped.gbatch").exists() for folder in kept)
    assert cloud.storage.counts()["copy"] == 6 * jobs


async def test_most_running_is_forks(cloud: Cloud) -> None:
    async with cloud.run(forks=3) as runner:
        await runner.feed_all([["sleep", "0.1"]] * 12)
    (batch,) = cloud.jobs()
    assert cloud.batch.most_running(batch) == 3
    assert definition(cloud, batch).task_groups[0].parallelism == 3


async def test_jobs_of_several_submissions_share_forks(cloud: Cloud) -> None:
    class Early(Quick):
        batch_delay = 0.0

    note = "date +%s.%N >$SCHED_WORKDIR/$SCHED_JOB_INDEX.began; sleep 0.3"
    note += "; date +%s.%N >$SCHED_WORKDIR/$SCHED_JOB_INDEX.ended"
    async with cloud.run(cloud.scheduler(cls=Early, forks=4)) as runner:
        for number in range(10):
            await runner.feed(["/bin/sh", "-c", note], resources={"cpus": 1 + number % 2})
    assert len(cloud.jobs()) > 1
    assert most_at_once(cloud.folder()) <= 4


def most_at_once(folder: Path) -> int:
    times = [(float(path.read_text()), 1) for path in folder.glob("*.began")]
    times += [(float(path.read_text()), -1) for path in folder.glob("*.ended")]
    level = highest = 0
    for _, step in sorted(times):
        level += step
        highest = max(highest, level)
    return highest


async def test_jobs_of_other_needs_are_other_batch_jobs(cloud: Cloud) -> None:
    async with cloud.run() as runner:
        needs: list[dict[str, Any]] = [
            *[{}] * 3,
            *[{"resources": {"memory": "4 GiB"}}] * 2,
            {"timeout": 60},
        ]
        jobs = await runner.feed_all([{"cmd": ["true"], **more} for more in needs])
        small, large, short = jobs[:3], jobs[3:5], jobs[5]
    assert len({batch_of(job) for job in small}) == 1
    assert len({batch_of(job) for job in large}) == 1
    assert len({batch_of(job) for job in [*small, *large, short]}) == 3
    assert {job.status for job in runner.jobs} == {JobStatus.FINISHED}


async def test_what_is_fed_later_is_submitted_later(cloud: Cloud) -> None:
    async with cloud.run() as runner:
        first = await runner.wait(await runner.feed(["true"]))
        second = await runner.wait(await runner.feed(["true"]))
    assert batch_of(first) != batch_of(second)
    assert (number_of(first), number_of(second)) == (0, 0)


async def test_t21_names_and_labels_are_legal_and_lead_back(cloud: Cloud) -> None:
    prefix = "My_Pipeline.of_Genomes!" * 5
    async with cloud.run(jobname_prefix=prefix, labels={"team": "a-b"}) as runner:
        await runner.feed_all([["true"]] * 3)
    view = read_run(runner.scheduler.workdir)
    assert len({batch_of(job) for job in runner.jobs}) == 1
    (batch,) = cloud.jobs()
    assert _LEGAL_ID.fullmatch(batch)
    job = definition(cloud, batch)
    assert job.labels["team"] == "a-b"
    assert all(_LEGAL_LABEL.fullmatch(word) for pair in job.labels.items() for word in pair)
    assert job.labels["sched-run"] == view.run.run
    assert job.labels["sched-submission"] in batch
    assert job.labels["sched-jobs"] == "0-2"
    assert [f"{batch}/{job.index}" for job in runner.jobs] == [job.jid for job in runner.jobs]


async def test_a_run_is_found_by_its_label(cloud: Cloud) -> None:
    async with cloud.run() as runner:
        await runner.feed_all([["true"]])
        run = runner.scheduler.session.run
    with calling(cloud.batch) as caller:
        found = caller.client.list_jobs({"parent": PARENT, "filter": f'labels.sched-run="{run}"'})
        assert [job.name.rpartition("/")[2] for job in found] == list(cloud.jobs())


def test_ids_differ_where_names_do() -> None:
    names = [f"gbatch-{letter}-{number:04x}" for letter in "Aab" for number in range(3)]
    assert len({batch_id(name) for name in names}) >= 6


async def test_t22_a_definition_that_is_too_large_is_split_or_refused(cloud: Cloud) -> None:
    # No job's text is in the definition, however long.
    long = "x" * 100_000
    async with cloud.run() as runner:
        jobs = await runner.feed_all([["/bin/echo", long[:60_000], long[:60_000]]] * 20)
    assert {job.status for job in jobs} == {JobStatus.FINISHED}
    assert len(cloud.jobs()) == 1


async def test_t34_more_jobs_than_a_batch_job_takes(cloud: Cloud) -> None:
    class Small(Quick):
        max_batch = 5

    async with cloud.run(cloud.scheduler(cls=Small)) as runner:
        await runner.feed_all([gated("exit 0")] * 12)
    assert {job.status for job in runner.jobs} == {JobStatus.FINISHED}
    assert sorted(cloud.counted().values()) == [1] * 12
    assert len(cloud.jobs()) == 3


async def test_the_last_places_are_filled(cloud: Cloud) -> None:
    async with cloud.run(forks=2) as runner:
        jobs = [await runner.feed(gated()) for _ in range(2)]
        await cloud.begun(*jobs)
        more = await runner.feed(["true"])
        await until(lambda: more.status in (JobStatus.QUEUED, JobStatus.SUBMITTED))
        assert len(cloud.starts()) == 2
        cloud.open_gate()
    assert {job.status for job in runner.jobs} == {JobStatus.FINISHED}
