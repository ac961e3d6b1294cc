"""Secrets: which files hold them, for how long, and what a later driver does about them."""

from __future__ import annotations

import logging
import os
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from sched_core import (
    AttemptId,
    Job,
    JobStatus,
    OptionError,
    Runner,
    Secret,
    Submission,
    SubmitRejected,
    clean_run,
)
from sched_local import LocalScheduler

pytestmark = pytest.mark.anyio

SHOWS = ["/bin/sh", "-c", 'printf %s "$TOKEN"']
WAITS = [
    "/bin/sh",
    "-c",
    'until test -e "$SCHED_WORKDIR/go"; do sleep 0.02; done; printf %s "$TOKEN"',
]


class Mine(Exception):
    """What ends a driver here."""


@asynccontextmanager
async def run(folder: Path, cls: Any = LocalScheduler, **options: Any) -> AsyncIterator[Runner]:
    own = {name: options.pop(name) for name in ("existing", "secrets") if name in options}
    with anyio.fail_after(60):
        async with Runner(cls(folder, forks=2, **options), plugins=[], **own) as runner:
            yield runner


async def interrupted(folder: Path, *values: str) -> None:
    """Begin a run of a job for each value, and stop it."""
    with pytest.raises(Mine):
        async with run(folder) as runner:
            for value in values:
                await runner.feed(WAITS, envs={"TOKEN": Secret(value)})
            await anyio.lowlevel.checkpoint()
            await runner.scheduler.session.journal.flush()
            raise Mine
    (folder / "go").touch()


def kept(folder: Path) -> dict[str, str]:
    """Return what the files of a run's secrets hold."""
    place = folder / ".sched/secrets"
    return {path.name: path.read_text()[:-1] for path in sorted(place.iterdir())}


@pytest.fixture
def open_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


async def outputs(runner: Runner) -> list[str]:
    return [await job.stdout_file.read_text() for job in runner.jobs]


@pytest.mark.usefixtures("open_umask")
async def test_t43_files_are_private_whatever_the_mode_of_others(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    async with run(folder, mode=0o666) as runner:
        await runner.feed(WAITS, envs={"TOKEN": Secret("one")})
        await runner.scheduler.session.journal.flush()
        modes = [(folder / ".sched" / name).stat().st_mode for name in ("secrets", "secrets/TOKEN")]
        assert [mode & 0o777 for mode in modes] == [0o700, 0o600]
        (folder / "go").touch()
    assert kept(folder) == {}


async def test_there_is_a_file_for_each_value_and_name(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    async with run(folder) as runner:
        for value in ("one", "two", "one", "two"):
            await runner.feed(WAITS, envs={"TOKEN": Secret(value)})
        await runner.scheduler.session.journal.flush()
        assert kept(folder) == {"TOKEN": "one", "TOKEN.2": "two"}
        (folder / "go").touch()
        await runner.stop_feeding()
        assert await outputs(runner) == ["one", "two", "one", "two"]
    assert kept(folder) == {}


async def test_a_link_in_the_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    (tmp_path / "elsewhere").mkdir()
    (folder / ".sched").mkdir(parents=True)
    (folder / ".sched/secrets").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="no folder"):
        async with run(folder) as runner:
            await runner.feed(SHOWS, envs={"TOKEN": Secret("one")})
    assert list((tmp_path / "elsewhere").iterdir()) == []


async def test_a_list_that_is_fed_again_brings_new_values(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    await interrupted(folder, "one", "two")
    assert kept(folder) == {"TOKEN": "one", "TOKEN.2": "two"}
    async with run(folder, existing="resume") as runner:
        jobs = [await runner.feed(WAITS, envs={"TOKEN": Secret("new")}) for _ in range(3)]
        await runner.stop_feeding()
        assert [job.index for job in jobs] == [0, 1, 2]
        # Whether the first two had begun before that is open.
        assert [job.envs for job in jobs] == [{"TOKEN": Secret("new")}] * 3
        assert (await outputs(runner))[2] == "new"
    assert kept(folder) == {}


async def test_what_the_host_gives_wins_over_what_files_hold(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    await interrupted(folder, "one", "two")
    async with run(folder, existing="resume", secrets={"TOKEN": Secret("new")}) as runner:
        await runner.stop_feeding()
        assert await outputs(runner) == ["new", "new"]
    assert kept(folder) == {}


async def test_a_value_that_is_nowhere_may_be_a_variable_of_the_driver(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "run"
    await interrupted(folder, "one", "one")
    await clean_run(LocalScheduler(folder))
    assert kept(folder) == {}
    monkeypatch.delenv("TOKEN", raising=False)
    with pytest.raises(OptionError, match="set the variable TOKEN and add --secret-env TOKEN"):
        async with run(folder, existing="resume"):
            pass
    monkeypatch.setenv("TOKEN", "mine")
    async with run(folder, existing="resume") as runner:
        await runner.stop_feeding()
        assert await outputs(runner) == ["mine", "mine"]


async def test_one_variable_cannot_stand_for_several_values(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "run"
    await interrupted(folder, "one", "two")
    await clean_run(LocalScheduler(folder))
    monkeypatch.setenv("TOKEN", "mine")
    with pytest.raises(OptionError, match="jobs of the run have several values of TOKEN"):
        async with run(folder, existing="resume"):
            pass


async def test_a_scheduler_without_a_runner_keeps_them_until_it_is_closed(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    scheduler = LocalScheduler(folder)
    job = await scheduler.create_job(0, SHOWS, envs={"TOKEN": Secret("one")})
    script = await scheduler.wrapped_job_script(job)
    assert "one" not in (await script.read_text()).replace("done", "")
    assert kept(folder) == {"TOKEN": "one"}
    await scheduler.submit_job_and_update_status(job)
    with anyio.fail_after(60):
        while not await scheduler.check_all_done([job], 1):  # noqa: ASYNC110  # as a host polls
            await anyio.sleep(0.02)
    assert await job.stdout_file.read_text() == "one"
    await scheduler.aclose()
    assert kept(folder) == {}


class Echoing(LocalScheduler):
    """Repeats in its refusals what jobs are to have."""

    async def submit_jobs(
        self, jobs: Sequence[Job], submission: Submission
    ) -> Mapping[AttemptId, str | None]:
        values = [str((job.envs or {})["TOKEN"].reveal()) for job in jobs]  # type: ignore[union-attr]  # a secret
        self.session.warn(f"this is odd: {values}")
        raise SubmitRejected(f"no job may have {values}")


async def test_what_an_engine_repeats_is_masked(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "sched")
    async with run(tmp_path / "run", Echoing) as runner:
        job = await runner.wait(await runner.feed(SHOWS, envs={"TOKEN": Secret("hunter2")}))
    assert (job.status, job.reason) == (JobStatus.FAILED, "no job may have ['***']")
    assert "this is odd: ['***']" in caplog.text
    told = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"hunter2" not in told + caplog.text.encode()


@pytest.mark.parametrize("option", ["prescript", "postscript", "env_aliases", "volumes"])
def test_options_that_are_recorded_hold_none(option: str, tmp_path: Path) -> None:
    options: dict[str, Any] = {option: [Secret("hunter2")]}
    with pytest.raises(OptionError, match=f"{option} cannot hold a secret, since it is recorded"):
        LocalScheduler(tmp_path, **options)


async def test_what_failed_while_its_run_stopped_still_has_its_secret(tmp_path: Path) -> None:
    fails = ["/bin/bash", "-c", f"{WAITS[2]}; ((SCHED_ATTEMPT > 1))"]
    options: dict[str, Any] = {"error_strategy": "retry", "num_retries": 1}
    async with run(tmp_path / "run", **options) as runner:
        job = await runner.feed(fails, envs={"TOKEN": Secret("hunter2")})
        await runner.scheduler.session.journal.flush()
        runner.scheduler.session.closing = True  # and has not come to killing
        (tmp_path / "run/go").touch()
        await runner.wait(job)
    async with run(tmp_path / "run", existing="resume", **options) as runner:
        (again,) = runner.jobs
    assert (again.status, await again.stdout_file.read_text()) == (JobStatus.FINISHED, "hunter2")
    assert not list((tmp_path / "run/.sched/secrets").iterdir())


async def test_a_job_that_is_not_to_go_on_needs_no_secret_any_more(tmp_path: Path) -> None:
    fails = ["/bin/bash", "-c", f"{WAITS[2]}; exit 3"]
    async with run(tmp_path / "run", error_strategy="retry", num_retries=1) as runner:
        job = await runner.feed(fails, envs={"TOKEN": Secret("hunter2")})
        session = runner.scheduler.session
        await session.journal.flush()
        session.closing = True
        (tmp_path / "run/go").touch()
        await runner.wait(job)
        assert session.goes_on(job)
        await session.killer.kill([job])
    assert kept(tmp_path / "run") == {}
