"""What is this scheduler's own; what all have in common is in the contract."""

from __future__ import annotations

import signal
from pathlib import Path

import anyio
import pytest
from sched_core import (
    EngineUnavailable,
    JobStatus,
    OptionError,
    RunExists,
    RunInterrupted,
    Runner,
    SubmitRejected,
)

from sched_template import TemplateScheduler


def test_an_unknown_option_is_named_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="no option queu; did you mean queue"):
        TemplateScheduler(tmp_path, queu="/q")
    with pytest.raises(OptionError, match="queue 3: give the folder"):
        TemplateScheduler(tmp_path, queue=3)


def test_what_would_be_submitted_is_shown(tmp_path: Path, queue: str) -> None:
    scheduler = TemplateScheduler(tmp_path / "run", queue=queue, resources={"cpus": 2})
    preview = scheduler.preview([scheduler.new_job(0, ["true"])], plugins=[])
    title, command = preview.parts[0]
    assert title == "command"
    name = scheduler.name
    assert command.endswith(f" submit {name}-0 2 {tmp_path}/run/0/job.wrapped.{name}")
    assert not Path(queue).exists()


async def test_the_doctor_asks_the_engine(tmp_path: Path, queue: str) -> None:
    findings = await TemplateScheduler(tmp_path / "run", queue=queue).doctor()
    assert [name for name, verdict, _ in findings if verdict] == ["bash", "setsid", "engine"]


async def test_what_the_engine_refuses_is_told_so(tmp_path: Path, queue: str) -> None:
    scheduler = TemplateScheduler(tmp_path / "run", queue=queue)
    with pytest.raises(SubmitRejected, match="cannot be read"):
        await scheduler.submit_job(scheduler.new_job(0, ["true"]))  # whose script was not written


async def test_an_engine_that_is_out_of_reach_can_be_asked_again(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    scheduler = TemplateScheduler(tmp_path / "run", queue=tmp_path / "file" / "queue")
    job = await scheduler.create_job(0, ["true"])
    await scheduler.wrapped_job_script(job)
    with pytest.raises(EngineUnavailable, match="cannot be made"):
        await scheduler.submit_job(job)


async def test_a_run_goes_on_only_in_the_queue_that_has_its_jobs(
    tmp_path: Path, queue: str
) -> None:
    scheduler = TemplateScheduler(tmp_path / "run", queue=queue)
    with pytest.raises(RunInterrupted):
        async with Runner(scheduler, plugins=[]) as runner:
            job = await runner.feed(["sleep", "1000"])
            while job.status is not JobStatus.RUNNING:  # noqa: ASYNC110  # other processes run it
                await anyio.sleep(0.02)
            runner.interrupt(signal.SIGHUP, kill=False)
            await anyio.sleep_forever()
    elsewhere = TemplateScheduler(tmp_path / "run", queue=tmp_path / "another")
    with pytest.raises(RunExists, match="where the run had its jobs"):
        async with Runner(elsewhere, plugins=[], existing="resume"):
            pass
    async with Runner(scheduler, plugins=[], existing="resume") as runner:
        await runner.cancel()
