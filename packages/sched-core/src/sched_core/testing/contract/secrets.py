"""Secrets: a command has them, and nothing else tells them, neither while it runs nor later."""

from __future__ import annotations

import os
import uuid
from pathlib import Path
from typing import Any

import anyio
import pytest

from sched_core import JobStatus, OptionError, Secret

from ..argv import watched
from .outcomes import NASTY
from .rig import BEGUN, Rig, needs

__all__ = ["SecretsContract"]

_GATE = 'while [ ! -e "$SCHED_WORKDIR/gate" ]; do sleep 0.05; done'
_PRESCRIPT = "set -x; BASH_XTRACEFD=2; : traced"


class _Mine(Exception):
    """What ends a driver here."""


class SecretsContract(Rig):
    """Secrets."""

    async def test_secrets_arrive_byte_for_byte(self, workdir: Any) -> None:
        envs = {f"V{number}": Secret(value) for number, value in enumerate(NASTY)}
        script = "".join(f'printf "%s\\0" "$V{number}"; ' for number in range(len(NASTY)))
        async with self.run(self.make(workdir)) as runner:
            job = await runner.wait(await runner.feed(self.shell(script), envs=envs))
            arrived = (await job.stdout_file.read_bytes()).split(b"\0")[:-1]
            assert arrived == [os.fsencode(value) for value in NASTY]

    async def test_t43_a_secret_is_nowhere_but_in_a_file_of_its_own_while_jobs_need_it(
        self, workdir: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        value, marker = f"secret-{uuid.uuid4().hex}\nand a second line", self.marker()
        monkeypatch.setenv("TOKEN", value)  # as whoever gives it to the driver has it
        scheduler = self.make(workdir, forks=2, prescript=_PRESCRIPT)
        script = f'[ "${{#TOKEN}}" -eq {len(value)} ] && {BEGUN}; {_GATE}; exit "$1"'
        with watched(value.splitlines(), os.fsencode(self.seen_in_argv(marker))) as watcher:
            async with self.run(scheduler) as runner:
                jobs = [
                    await runner.feed(self.shell(script, rc, marker), envs={"TOKEN": Secret(value)})
                    for rc in ("0", "3")
                ]
                await self.until_running(*jobs)
                told = [await self.told_by_engine(job) for job in jobs]
                holding = await anyio.to_thread.run_sync(self._holding, scheduler.workdir, value)
                assert {path.name for path in holding} == {"TOKEN"}
                self.check_private(*holding)
                await self.until(watcher.has_seen_marker)
                await self.open_gate(scheduler)
        assert [job.rc for job in jobs] == [0, 3]
        assert not [text for text in told if _first(value) in text]
        assert await anyio.to_thread.run_sync(self._holding, scheduler.workdir, _first(value)) == []
        assert "traced" in await jobs[0].stderr_file.read_text()

    @needs("kills")
    async def test_t43_an_interrupted_run_keeps_its_secrets_until_it_has_ended(
        self, workdir: Any
    ) -> None:
        secret = Secret("kept for later")
        with pytest.raises(_Mine):
            async with self.run(self.make(workdir)) as runner:
                script = f'{BEGUN}; {_GATE}; printf %s "$TOKEN"'
                job = await runner.feed(self.shell(script), envs={"TOKEN": secret})
                await self.until_running(job)
                raise _Mine
        scheduler = self.make(workdir)
        await self.open_gate(scheduler)
        async with self.run(scheduler, existing="resume") as runner:
            await runner.stop_feeding()
            (job,) = runner.jobs
            assert await self.output(job) == "kept for later"
        assert await anyio.to_thread.run_sync(self._names_of_secrets, scheduler.workdir) == []

    async def test_t43_a_retry_after_the_end_asks_for_the_secret_again(self, workdir: Any) -> None:
        cmd = self.shell('printf %s "$SCHED_TEST_TOKEN"; [ "$SCHED_TEST_TOKEN" = new ]')
        async with self.run(self.make(workdir)) as runner:
            await runner.feed(cmd, envs={"SCHED_TEST_TOKEN": Secret("old1")})
        async with self.run(self.make(workdir), existing="resume") as runner:
            (job,) = runner.jobs
            with pytest.raises(OptionError, match="add --secret-env SCHED_TEST_TOKEN"):
                await runner.retry(job)
            assert await runner.feed(cmd, envs={"SCHED_TEST_TOKEN": Secret("new")}) is job
            await runner.retry(job)
            await runner.wait(job)
            assert (job.status, await self.output(job)) == (JobStatus.FINISHED, "new")

    # --- what a rig knows better -----------------------------------------------------------------

    def seen_in_argv(self, marker: str) -> str:
        """Return what some process has in its command line while the job with that marker runs."""
        return marker

    async def told_by_engine(self, job: Any) -> str:
        """Return all that the engine tells of the job while it runs."""
        return ""

    def places_of(self, workdir: Any) -> list[Path]:
        """Return the folders of this machine in which a run leaves anything."""
        return [Path(os.fspath(workdir))]

    def check_private(self, *paths: Path) -> None:
        """See that nobody else may read the files."""
        for path in paths:
            assert path.stat().st_mode & 0o777 == 0o600
            assert path.parent.stat().st_mode & 0o777 == 0o700

    def _holding(self, workdir: Any, text: str) -> list[Path]:
        """Return the files that hold the text, or its beginning. Blocks."""
        wanted = os.fsencode(_first(text))
        return [path for path in self._files(workdir) if wanted in _content(path)]

    def _names_of_secrets(self, workdir: Any) -> list[str]:
        return [path.name for path in self._files(workdir) if path.parent.name == "secrets"]

    def _files(self, workdir: Any) -> list[Path]:
        found = [path for place in self.places_of(workdir) for path in place.rglob("*")]
        return [path for path in found if path.is_file()]


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:  # a record that the driver has just removed
        return b""


def _first(text: str) -> str:
    return text.splitlines()[0]
