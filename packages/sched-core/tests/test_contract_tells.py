"""What a test of the contract tells where it fails: how its jobs stood, before they were ended."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anyio
import pytest

from sched_core import Job, JobStatus
from sched_core.testing.contract import SchedulerContract
from sched_core.testing.contract.telling import ToldRun

from .backend import session_scheduler

Session: Any = session_scheduler()


class NeverStarts(Session):  # type: ignore[misc]  # the README's, known at run time
    """Takes jobs, and starts none."""

    async def submit_job(self, job: Job) -> str:
        return "taken"

    async def explain(self, job: Job) -> str:
        return "what job?"


def told(scheduler: Any, patience: float) -> ToldRun:
    return ToldRun(scheduler, patience, {"plugins": []})


async def use_up_the_patience(runner: Any, taken: Job) -> None:
    """Have no time left as soon as the engine has taken the job, however long that takes."""
    while taken.status is not JobStatus.SUBMITTED:  # noqa: ASYNC110  # as a host looks at it
        await anyio.sleep(0.01)
    runner.limit.deadline = anyio.current_time()


async def test_a_test_that_waits_in_vain_tells_where_and_for_what(tmp_path: Path) -> None:
    with pytest.raises(AssertionError) as failed:
        async with told(NeverStarts(tmp_path / "run", forks=1), 60) as runner:
            for _ in range(6):
                await runner.feed(["true"])
            await use_up_the_patience(runner, runner.jobs[0])
            await runner.wait(runner.jobs[0])
    first, where, *jobs = str(failed.value).splitlines()
    assert first == "it took more than 60 s (patience)"
    assert where.startswith(f"at {__file__}:")
    assert where.endswith(": await runner.wait(runner.jobs[0])")
    assert jobs[:2] == [
        "job 0: SUBMITTED, attempt 1, jid 'taken'",
        "  the engine: what job?",
    ]
    assert jobs[2] == "  its script has not begun: there is no claim"
    assert jobs[3].endswith("/run/0 has job.wrapped.session")
    assert jobs[4] == "job 1: QUEUED, attempt 1, jid None"
    assert jobs[-1] == "and 2 more jobs"


async def test_the_end_of_the_block_is_waited_for_in_vain(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="when the block had ended") as failed:
        async with told(NeverStarts(tmp_path / "run"), 60) as runner:
            await use_up_the_patience(runner, await runner.feed(["true"]))
    assert "job 0: SUBMITTED" in str(failed.value)


async def test_an_assertion_that_fails_tells_how_the_jobs_stood(tmp_path: Path) -> None:
    with pytest.raises(AssertionError) as failed:
        async with told(Session(tmp_path / "run"), 30) as runner:
            job = await runner.wait(await runner.feed(["false"]))
            assert job.rc == 0
    (note,) = failed.value.__notes__
    assert "assert job.rc == 0" in note
    assert "job 0: FAILED, attempt 1" in note
    assert "ended with 1, EXIT" in note


async def test_what_a_test_raises_itself_is_left_as_it_is(tmp_path: Path) -> None:
    error = ValueError("mine")
    with pytest.raises(ValueError, match="mine") as raised:
        async with told(Session(tmp_path / "run"), 30):
            raise error
    assert raised.value is error
    assert not hasattr(error, "__notes__")


@pytest.mark.parametrize("wrong", ["7", "$PPID"])
async def test_a_script_that_has_another_job_s_id_is_noticed(tmp_path: Path, wrong: str) -> None:
    class Confused(Session):  # type: ignore[misc]  # known at run time
        wrapper_jid = wrong

    class Contract(SchedulerContract):
        scheduler_class = Confused

    with pytest.raises(AssertionError, match="wrapper_jid"):
        await Contract().test_a_script_calls_its_job_as_the_engine_does(tmp_path / "run")
