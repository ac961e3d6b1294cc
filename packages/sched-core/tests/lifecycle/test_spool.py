"""Events that tell facts: what they say is believed, a success once all that was written is there."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import ClassVar

import anyio
import pytest

from sched_core import AttemptId, EngineState, Failure, Job, JobStatus, Observation, Runner
from sched_core.ports import StoreUnavailable
from sched_core.scheduler import Scheduler
from sched_core.text.event import Event, Facts, event_name

from .bucket import Ports, md5

RUN = "/bucket/run"
FACTS = Facts(None, "vm-3", 1000.25, 1010.5, 0.01, 0.002, md5(b"out\n"), md5(b""))


class Cloud(Scheduler):
    """Takes jobs and tells nothing by itself; its jobs write through a mounted bucket."""

    name = "cloud"
    exclusive_create: ClassVar[bool] = False
    wrapper_restart: ClassVar[str] = "$RESTART"
    poll_interval = (3600.0, 3600.0)
    spool_interval = 3600.0
    answers: ClassVar[dict[AttemptId, Observation]] = {}

    async def submit_job(self, job: Job) -> int:
        return 1

    async def kill_job(self, job: Job) -> None: ...

    async def job_is_running(self, job: Job) -> bool:
        return True

    async def query_jobs(self, jobs: object) -> dict[AttemptId, Observation]:
        return self.answers


async def until(condition: Callable[[], bool]) -> None:
    with anyio.fail_after(60):
        while not condition():  # noqa: ASYNC110  # there is no event for it
            await anyio.sleep(0.01)


@pytest.fixture
def ports() -> Ports:
    return Ports()


@pytest.fixture
async def runner(ports: Ports) -> AsyncIterator[Runner]:
    Cloud.answers = {}
    scheduler = Cloud(RUN, forks=4, error_strategy="ignore")
    async with Runner(scheduler, plugins=[], ports=ports) as runner:
        yield runner
        await runner.cancel()


@pytest.fixture
async def job(runner: Runner, ports: Ports) -> Job:
    job = await runner.feed(["true"])
    await until(lambda: job.status is JobStatus.SUBMITTED)
    ports.bucket.was_read.clear()
    return job


def tell(
    ports: Ports,
    status: JobStatus,
    rc: int | None,
    facts: Facts | None = FACTS,
    restart: int = 0,
) -> str:
    name = event_name(Event(0, 1, restart, status, rc, facts))
    # Whoever writes the name may leave places out.
    path = f"{RUN}/.sched/events/{name.replace('.250000', '.25')}"
    ports.bucket.write(path, b"x\n")
    return path


def write(ports: Ports, out: bytes = b"out\n", err: bytes = b"") -> None:
    ports.bucket.write(f"{RUN}/0/job.stdout", out)
    ports.bucket.write(f"{RUN}/0/job.stderr", err)


def status_of(job: Job) -> JobStatus:
    return job.status  # what mypy thinks that it has not changed since


async def look(runner: Runner) -> None:
    await runner.scheduler.session.reconciler.read_spool()


async def test_a_name_tells_it_all_and_nothing_is_read(
    runner: Runner, ports: Ports, job: Job
) -> None:
    write(ports)
    event = tell(ports, JobStatus.FINISHED, 0)
    await look(runner)
    assert (job.status, job.rc, job.host) == (JobStatus.FINISHED, 0, "vm-3")
    assert (job.started, job.ended) == (1000.25, 1010.5)
    assert ports.bucket.was_read == []
    assert event not in ports.bucket.objects


async def test_a_start_has_its_host_and_its_time(runner: Runner, ports: Ports, job: Job) -> None:
    tell(ports, JobStatus.RUNNING, None, Facts(host="vm-3", started=1000.25))
    await look(runner)
    assert (job.status, job.host, job.started) == (JobStatus.RUNNING, "vm-3", 1000.25)
    assert ports.bucket.was_read == []
    tell(ports, JobStatus.FAILED, 1, Facts())
    await look(runner)
    assert status_of(job) is JobStatus.FAILED


@pytest.mark.parametrize("seen", [None, b"", b"ou"], ids=["missing", "empty", "cut short"])
async def test_t36_a_success_waits_for_what_the_job_wrote(
    runner: Runner, ports: Ports, job: Job, seen: bytes | None
) -> None:
    write(ports, b"out\n" if seen is None else seen)
    if seen is None:
        ports.bucket.late.add(f"{RUN}/0/job.stdout")
    event = tell(ports, JobStatus.FINISHED, 0)
    await look(runner)
    assert status_of(job) is JobStatus.SUBMITTED
    assert event in ports.bucket.objects

    ports.later = 60.0
    ports.bucket.late.clear()
    write(ports)
    await look(runner)
    assert job.status is JobStatus.FINISHED
    assert event not in ports.bucket.objects


async def test_what_never_arrives_is_lost_in_the_end(
    runner: Runner, ports: Ports, job: Job
) -> None:
    write(ports, b"ou")
    event = tell(ports, JobStatus.FINISHED, 0)
    runner.scheduler.infrastructure_retries = 0
    for ports.later in (0.0, 60.0, 119.0):
        await look(runner)
        assert status_of(job) is JobStatus.SUBMITTED
    ports.later = 121.0
    await look(runner)
    assert (job.status, job.failure) == (JobStatus.FAILED, Failure.LOST)
    assert job.reason == "what it wrote did not arrive as it was written"
    assert event not in ports.bucket.objects


async def test_a_failure_waits_a_moment_for_its_files(
    runner: Runner, ports: Ports, job: Job
) -> None:
    tell(ports, JobStatus.FAILED, 3, replace(FACTS, failure="TIMEOUT"))
    await look(runner)
    assert status_of(job) is JobStatus.SUBMITTED
    ports.later = 11.0
    await look(runner)
    assert (job.status, job.rc, job.failure) == (JobStatus.FAILED, 3, Failure.TIMEOUT)


async def test_a_store_out_of_reach_proves_nothing(runner: Runner, ports: Ports, job: Job) -> None:
    write(ports)
    event = tell(ports, JobStatus.FINISHED, 0)
    ports.bucket.broken = True
    await look(runner)
    assert status_of(job) is JobStatus.SUBMITTED
    assert event in ports.bucket.objects
    ports.bucket.broken = False
    await look(runner)
    assert job.status is JobStatus.FINISHED


@pytest.mark.parametrize("rc", [0, 3])
async def test_no_file_is_late_while_the_store_is_out_of_reach(
    runner: Runner, ports: Ports, job: Job, rc: int
) -> None:
    write(ports)
    tell(ports, JobStatus.FINISHED if rc == 0 else JobStatus.FAILED, rc)
    ports.bucket.late.add(f"{RUN}/0/job.stdout")
    await look(runner)
    ports.bucket.broken = True
    ports.later = 500.0
    await look(runner)
    assert status_of(job) is JobStatus.SUBMITTED
    ports.bucket.broken = False
    ports.bucket.late.clear()
    await look(runner)
    assert (job.rc, job.failure) == (rc, Failure.EXIT if rc else None)


async def test_what_is_not_known_is_not_waited_for(runner: Runner, ports: Ports, job: Job) -> None:
    tell(ports, JobStatus.FINISHED, 0, Facts(started=1000.0))
    await look(runner)
    assert job.status is JobStatus.FINISHED


async def test_start_and_end_come_in_order_and_go_together(
    runner: Runner, ports: Ports, job: Job
) -> None:
    write(ports)
    events = [tell(ports, JobStatus.FINISHED, 0), tell(ports, JobStatus.RUNNING, None)]
    await look(runner)
    assert job.status is JobStatus.FINISHED
    assert sorted(events) in map(sorted, ports.bucket.removed)


async def test_an_event_without_facts_has_its_claim_read(
    runner: Runner, ports: Ports, job: Job
) -> None:
    claim = b"7 0 vm-3 boot 1 2 1000.25\nE 4 EXIT 1010.5\n"
    ports.bucket.write(f"{RUN}/0/job.claim.1", claim)
    tell(ports, JobStatus.FAILED, 4, None)
    await look(runner)
    assert (job.status, job.rc, job.host) == (JobStatus.FAILED, 4, "vm-3")


async def test_an_engines_success_waits_for_the_event_and_reads_nothing(
    runner: Runner, ports: Ports, job: Job
) -> None:
    write(ports)
    Cloud.answers = {AttemptId(0, 1): Observation(EngineState.SUCCEEDED)}
    ports.bucket.write(f"{RUN}/0/job.claim.1", b"7 0 vm-3 boot 1 2 1000.25\nE 0 - 1010.5\n")
    reconciler = runner.scheduler.session.reconciler
    for ports.later in (0.0, 5.0):
        await reconciler.reconcile([job])
    assert ports.bucket.was_read == []
    ports.later = 20.0
    await reconciler.reconcile([job])  # the claim is looked at, and says nothing of the files
    assert status_of(job) is JobStatus.SUBMITTED
    tell(ports, JobStatus.FINISHED, 0)
    await look(runner)
    assert job.status is JobStatus.FINISHED


async def test_a_machine_that_is_lost_just_after_its_job_told_that_it_finished(
    runner: Runner, ports: Ports, job: Job
) -> None:
    write(ports)
    lost = Observation(EngineState.FAILED, None, Failure.PREEMPTED, "lost")
    Cloud.answers = {AttemptId(0, 1): lost}
    ports.bucket.write(f"{RUN}/0/job.claim.1", b"7 0 vm-3 boot 1 2 1000.25\nE 0 - 1010.5\n")
    tell(ports, JobStatus.FINISHED, 0)
    await runner.scheduler.session.reconciler.reconcile([job])
    assert status_of(job) is JobStatus.SUBMITTED
    await look(runner)
    assert (job.status, job.attempt) == (JobStatus.FINISHED, 1)


async def test_a_machine_that_is_lost_before_its_job_has_told_that_it_finished(
    runner: Runner, ports: Ports, job: Job
) -> None:
    runner.scheduler.infrastructure_retries = 0
    lost = Observation(EngineState.FAILED, None, Failure.PREEMPTED, "lost")
    Cloud.answers = {AttemptId(0, 1): lost}
    ports.bucket.write(f"{RUN}/0/job.claim.1", b"7 0 vm-3 boot 1 2 1000.25\nE 0 - 1010.5\n")
    for ports.later in (0.0, 9.0):
        await runner.scheduler.session.reconciler.reconcile([job])
        assert status_of(job) is JobStatus.SUBMITTED
    ports.later = 11.0
    await runner.scheduler.session.reconciler.reconcile([job])
    assert (job.status, job.failure) == (JobStatus.FAILED, Failure.PREEMPTED)


async def test_an_engines_success_without_an_event_is_lost(
    runner: Runner, ports: Ports, job: Job
) -> None:
    Cloud.answers = {AttemptId(0, 1): Observation(EngineState.SUCCEEDED)}
    ports.bucket.write(f"{RUN}/0/job.claim.1", b"7 0 vm-3 boot 1 2 1000.25\nE 0 - 1010.5\n")
    runner.scheduler.infrastructure_retries = 0
    reconciler = runner.scheduler.session.reconciler
    for ports.later in (0.0, 60.0):
        await reconciler.reconcile([job])
        assert status_of(job) is JobStatus.SUBMITTED
    ports.later = 121.0
    await reconciler.reconcile([job])
    assert (job.status, job.failure) == (JobStatus.FAILED, Failure.LOST)


async def test_the_failure_of_an_earlier_start_is_no_word_on_a_later_one(
    runner: Runner, ports: Ports, job: Job
) -> None:
    Cloud.answers = {AttemptId(0, 1): Observation(EngineState.RUNNING, restart=1)}
    await runner.scheduler.session.reconciler.reconcile([job])
    assert (job.status, job.restart) == (JobStatus.RUNNING, 1)
    ports.bucket.write(f"{RUN}/0/job.claim.1", b"7 0 vm-3 boot 1 2 1000.25\nE 4 EXIT 1010.5\n")
    ports.bucket.write(f"{RUN}/0/job.claim.1.r1", b"7 1 vm-4 boot 1 2 1020.25\n")
    write(ports)
    tell(ports, JobStatus.FAILED, 4)
    await look(runner)
    assert status_of(job) is JobStatus.RUNNING
    tell(ports, JobStatus.FINISHED, 0, restart=1)
    await look(runner)
    assert (job.status, job.rc) == (JobStatus.FINISHED, 0)


# --- a bucket that is away --------------------------------------------------------------------------------


async def test_a_job_waits_for_a_bucket_that_is_away(runner: Runner, ports: Ports) -> None:
    ports.bucket.away = True
    job = await runner.feed(["true"])
    await until(lambda: runner.scheduler.session.backoff.submissions_until > 0)
    assert (job.status, runner.scheduler.session.failure) == (JobStatus.QUEUED, None)
    ports.bucket.away = False
    await until(lambda: job.status is JobStatus.SUBMITTED)
    assert job.attempt == 1
    tell(ports, JobStatus.FINISHED, 0, Facts(started=1.0))
    await look(runner)
    assert status_of(job) is JobStatus.FINISHED


async def test_a_run_goes_on_when_its_bucket_is_back(
    runner: Runner, ports: Ports, job: Job, caplog: pytest.LogCaptureFixture
) -> None:
    tell(ports, JobStatus.FAILED, 1, Facts())
    ports.bucket.away = True
    await look(runner)
    with pytest.raises(StoreUnavailable):
        await runner.scheduler.session.journal.flush()
    await until(lambda: "cannot be written now, trying again" in caplog.text)
    assert runner.scheduler.session.failure is None
    ports.bucket.away = False
    await look(runner)
    assert job.status is JobStatus.FAILED
    await runner.scheduler.session.journal.flush()
