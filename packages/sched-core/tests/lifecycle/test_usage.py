"""What only the engine knows of an attempt is asked when the run is over, and never waited for long."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import pytest

from sched_core import (
    AttemptId,
    EngineUnavailable,
    Job,
    JobStatus,
    Runner,
    Usage,
    attempt_id,
    read_run,
)
from sched_core.lifecycle import usage
from sched_core.runfolder import ask_driver, request_is_open

from ..backend import session_scheduler

Session: Any = session_scheduler()
Answer = Callable[[Sequence[Job]], Mapping[AttemptId, Usage]]

TRUE = ["/bin/true"]


class Accounted(Session):  # type: ignore[misc]  # the README's, known at run time
    """Has an accounting, which answers as a test wants it to."""

    def __init__(self, workdir: Path, *answers: Answer, **options: Any) -> None:
        super().__init__(workdir, **options)
        self.answers = list(answers)
        self.asked: list[list[int]] = []
        """The jobs of each question."""

    async def query_usage(self, jobs: Sequence[Job]) -> Mapping[AttemptId, Usage]:
        self.asked.append([job.index for job in jobs])
        return self.answers.pop(0)(jobs)


def peaks(jobs: Sequence[Job]) -> Mapping[AttemptId, Usage]:
    return {attempt_id(job): Usage(max_rss=1000 + job.index) for job in jobs}


def only_of_the_first(jobs: Sequence[Job]) -> Mapping[AttemptId, Usage]:
    return peaks(jobs[:1])


def nothing_to_come(jobs: Sequence[Job]) -> Mapping[AttemptId, Usage]:
    return {attempt_id(job): Usage() for job in jobs}


def nothing_yet(jobs: Sequence[Job]) -> Mapping[AttemptId, Usage]:
    return {}


def unavailable(jobs: Sequence[Job]) -> Mapping[AttemptId, Usage]:
    raise EngineUnavailable("the accounting is away")


def broken(jobs: Sequence[Job]) -> Mapping[AttemptId, Usage]:
    raise RuntimeError("this backend has a fault")


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(usage, "_SOON", 0.0)


async def ran(scheduler: Accounted, *commands: list[str], **options: Any) -> list[int | None]:
    """Run these commands; return what the journal tells of their memory, which the jobs tell as well."""
    async with Runner(scheduler, plugins=[], **options) as runner:
        await runner.feed_all(commands)
    jobs = runner.jobs
    told = (await anyio.to_thread.run_sync(read_run, scheduler.workdir)).jobs
    assert [job.max_rss for job in jobs] == [told[job.index].max_rss for job in jobs]
    assert [job.status for job in jobs] == [told[job.index].status for job in jobs]
    return [job.max_rss for job in jobs]


async def test_all_jobs_are_one_question_and_the_journal_has_the_answer(tmp_path: Path) -> None:
    scheduler = Accounted(tmp_path / "run", peaks)
    assert await ran(scheduler, TRUE, ["/bin/false"], TRUE) == [1000, 1001, 1002]
    assert scheduler.asked == [[0, 1, 2]]


async def test_t09_what_is_not_known_yet_is_asked_about_once_more(tmp_path: Path) -> None:
    scheduler = Accounted(tmp_path / "run", only_of_the_first, nothing_yet)
    assert await ran(scheduler, TRUE, TRUE) == [1000, None]
    assert scheduler.asked == [[0, 1], [1]]


async def test_where_nothing_will_be_told_nothing_is_waited_for(tmp_path: Path) -> None:
    scheduler = Accounted(tmp_path / "run", nothing_to_come)
    assert await ran(scheduler, TRUE) == [None]
    assert scheduler.asked == [[0]]


@pytest.mark.parametrize("trouble", [unavailable, broken])
async def test_t09_an_accounting_that_is_away_does_no_harm(
    tmp_path: Path, trouble: Answer, caplog: pytest.LogCaptureFixture
) -> None:
    scheduler = Accounted(tmp_path / "run", trouble)
    assert await ran(scheduler, TRUE) == [None]
    assert scheduler.asked == [[0]]
    assert [record for record in caplog.records if record.levelname != "DEBUG"] == []


async def test_t09_an_accounting_that_does_not_answer_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Hung(Accounted):
        async def query_usage(self, jobs: Sequence[Job]) -> Mapping[AttemptId, Usage]:
            await anyio.sleep_forever()
            raise AssertionError

    monkeypatch.setattr(usage, "_PATIENCE", 0.05)
    assert await ran(Hung(tmp_path / "run"), TRUE) == [None]


async def test_a_later_driver_asks_about_what_an_earlier_one_could_not(tmp_path: Path) -> None:
    assert await ran(Accounted(tmp_path / "run", only_of_the_first, nothing_yet), TRUE, TRUE) == [
        1000,
        None,
    ]
    later = Accounted(tmp_path / "run", peaks)
    assert await ran(later, existing="resume") == [1000, 1001]
    assert later.asked == [[1]]
    last = Accounted(tmp_path / "run")
    assert await ran(last, existing="resume") == [1000, 1001]
    assert last.asked == []


async def test_the_last_attempt_is_asked_about(tmp_path: Path) -> None:
    scheduler = Accounted(tmp_path / "run", peaks, error_strategy="retry", num_retries=1)
    assert await ran(scheduler, ["/bin/sh", "-c", '[ "$SCHED_ATTEMPT" = 2 ]']) == [1000]
    view = await anyio.to_thread.run_sync(read_run, scheduler.workdir)
    assert (view.jobs[0].attempt, view.jobs[0].max_rss) == (2, 1000)


async def test_a_run_that_is_broken_off_asks_nothing(tmp_path: Path) -> None:
    scheduler = Accounted(tmp_path / "run")
    with pytest.raises(LookupError):
        async with Runner(scheduler, plugins=[]) as runner:
            await runner.wait(await runner.feed(TRUE))
            raise LookupError
    async with Runner(scheduler, plugins=[], existing="resume") as runner:
        await runner.feed(["/bin/sleep", "600"])
        await runner.cancel()
    assert scheduler.asked == []


async def test_another_attempt_that_is_wanted_meanwhile_is_still_made(tmp_path: Path) -> None:
    class Slow(Accounted):
        async def query_usage(self, jobs: Sequence[Job]) -> Mapping[AttemptId, Usage]:
            if not self.asked:
                session = self.session
                ask = partial(ask_driver, session.ports.files, session.layout, "retry", (0,))
                request = await anyio.to_thread.run_sync(ask)
                while request_is_open(session.ports.files, request):
                    await session.change(0.01)
            return await super().query_usage(jobs)

    scheduler = Slow(tmp_path / "run", nothing_to_come, nothing_to_come)
    with anyio.fail_after(60):
        await ran(scheduler, ["/bin/sh", "-c", '[ "$SCHED_ATTEMPT" = 2 ]'])
    (job,) = (await anyio.to_thread.run_sync(read_run, scheduler.workdir)).jobs.values()
    assert (job.status, job.attempt) == (JobStatus.FINISHED, 2)


async def test_an_interrupt_ends_the_question(tmp_path: Path) -> None:
    asked = anyio.Event()

    class Slow(Accounted):
        async def query_usage(self, jobs: Sequence[Job]) -> Mapping[AttemptId, Usage]:
            asked.set()
            await anyio.sleep_forever()
            raise AssertionError

    with anyio.fail_after(60):
        async with anyio.create_task_group() as group:
            with anyio.CancelScope() as scope:

                async def interrupt() -> None:
                    await asked.wait()
                    scope.cancel()

                group.start_soon(interrupt)
                async with Runner(Slow(tmp_path / "run"), plugins=[]) as runner:
                    await runner.feed(TRUE)
    assert scope.cancel_called
    view = await anyio.to_thread.run_sync(read_run, tmp_path / "run")
    assert view.jobs[0].is_done


async def test_a_backend_without_accounting_is_never_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(job: Job) -> bool:
        raise AssertionError(job)

    monkeypatch.setattr(usage, "_is_untold", never)
    assert not Session.tells_usage()
    async with Runner(Session(tmp_path / "run"), plugins=[]) as runner:
        await runner.feed(TRUE)
