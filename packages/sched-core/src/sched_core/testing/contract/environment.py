"""What a command finds around it: variables, its folder, the user's bash before and after it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sched_core import XQUTE_ENV_ALIASES, Failure, JobStatus

from .outcomes import NASTY, strange
from .rig import Rig

__all__ = ["EnvironmentContract"]


class EnvironmentContract(Rig):
    """Environment."""

    async def test_t14_values_arrive_byte_for_byte(self, workdir: Any) -> None:
        values = [*NASTY, *strange(3, 200)]
        envs = {f"V{number}": value for number, value in enumerate(values)}
        script = "".join(f'printf "%s\\0" "$V{number}"; ' for number in range(len(values)))
        async with self.run(self.make(workdir)) as runner:
            job = await runner.feed(self.shell(script), envs=envs)
            await runner.wait(job)
            arrived = (await job.stdout_file.read_bytes()).split(b"\0")[:-1]
            assert arrived == [os.fsencode(value) for value in values]

    async def test_t14_values_are_written_out(self, workdir: Any) -> None:
        async with self.run(self.make(workdir)) as runner:
            job = await runner.feed(self.shell('echo "$N $P"'), envs={"N": 3, "P": 0.5})
            await runner.wait(job)
            assert await self.output(job) == "3 0.5\n"

    async def test_a_job_knows_who_it_is(self, workdir: Any) -> None:
        scheduler = self.make(workdir, env_aliases=XQUTE_ENV_ALIASES)
        names = "SCHED_JOB_INDEX SCHED_JOB_NAME SCHED_WORKDIR SCHED_JOB_METADIR SCHED_ATTEMPT"
        names += " XQUTE_JOB_INDEX XQUTE_METADIR XQUTE_JOB_METADIR"
        script = "".join(f'echo "${name}"; ' for name in names.split())
        async with self.run(scheduler) as runner:
            await runner.feed(self.shell(":"))
            job = await runner.wait(await runner.feed(self.shell(script), name="second"))
            folder = str(scheduler.mounted_workdir)
            ids = ["1", folder, f"{folder}/1"]
            expected = ["1", "second", folder, f"{folder}/1", "1", *ids]
            assert (await self.output(job)).splitlines() == expected

    @pytest.fixture
    def no_umask(self) -> Iterator[None]:
        """Have this process make what everybody may change, where it does not say otherwise."""
        before = os.umask(0)
        yield
        os.umask(before)

    def folder_of(self, workdir: Any) -> Path:
        """Return the folder on a disk in which jobs find the run."""
        return Path(str(workdir))

    @pytest.mark.usefixtures("no_umask")
    async def test_with_umask_000_nobody_else_gets_at_what_a_run_leaves(self, workdir: Any) -> None:
        top = self.folder_of(workdir)
        scheduler = self.make(workdir, num_retries=1, error_strategy="retry")
        async with self.run(scheduler) as runner:
            job = await runner.wait(await runner.feed(self.shell("exit 3")))
            assert job.attempt == 2
            found = [top, *top.rglob("*")]
            left = [path for path in found if _is_open_to_others(path)]
        assert len(found) > 2
        assert not left

    async def test_the_command_starts_in_cwd(self, workdir: Any) -> None:
        async with self.run(self.make(workdir, cwd="/usr")) as runner:
            job = await runner.wait(await runner.feed(["/bin/pwd"]))
            assert await self.output(job) == "/usr\n"

    async def test_a_cwd_that_is_not_there_is_no_fault_of_the_command(self, workdir: Any) -> None:
        async with self.run(self.make(workdir, cwd="/no/such/folder")) as runner:
            job = await runner.wait(await runner.feed(self.shell("echo run")))
            assert (job.status, job.failure) == (JobStatus.FAILED, Failure.SETUP)
            assert "run" not in await self.output(job)

    async def test_prescript_and_postscript_run_around_the_command(self, workdir: Any) -> None:
        scheduler = self.make(
            workdir, prescript="export WHO=world; echo before", postscript='echo "after $rc"'
        )
        async with self.run(scheduler) as runner:
            job = await runner.wait(await runner.feed(self.shell('echo "hello $WHO"; exit 3')))
            assert job.rc == 3
            assert await self.output(job) == "before\nhello world\nafter 3\n"

    async def test_a_prescript_that_fails_is_no_fault_of_the_command(self, workdir: Any) -> None:
        async with self.run(self.make(workdir, prescript="exit 9")) as runner:
            job = await runner.wait(await runner.feed(self.shell("echo run")))
            assert (job.status, job.rc, job.failure) == (JobStatus.FAILED, 9, Failure.SETUP)
            assert await self.output(job) == ""

    async def test_a_prescript_may_change_the_command(self, workdir: Any) -> None:
        prescript = 'cmd=("${cmd[0]}" "more  space" "${cmd[@]:1}")'
        async with self.run(self.make(workdir, prescript=prescript)) as runner:
            job = await runner.wait(await runner.feed(["/bin/echo", "$HOME"]))
            assert await self.output(job) == "more  space $HOME\n"


def _is_open_to_others(path: Path) -> bool:
    try:
        return bool(path.lstat().st_mode & 0o077)
    except FileNotFoundError:  # a record that the driver has just removed
        return False
