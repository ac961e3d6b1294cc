"""What became of a job, and that all of it is there when the job is handed out."""

from __future__ import annotations

import os
import random
from typing import Any

from sched_core import Failure, JobStatus, run

from .rig import Rig

__all__ = ["NASTY", "OutcomesContract", "strange"]

NASTY: tuple[str, ...] = (
    *("", " ", "a b", "'", '"', "'\"'\"'", "$HOME", "${HOME}", "$(id)", "`id`", "\\", "\\n", "*"),
    *("?", "[a]", "~", "!", "!!", "#", "&", ";", "|", "<", ">", "(", ")", "{a,b}", "%s", "%", "-n"),
    *("--", "-e", "=", "a=b", "\n", "a\nb", "\t", "\r", "é", "日本語", "\x01", "\x7f"),
    *("trailing\\", "\n\n", os.fsdecode(b"\xff\xfe not UTF-8")),
)
"""Arguments that a shell or a careless quote would change."""


def strange(seed: int, count: int) -> list[str]:
    """Return texts of any bytes but NUL, as well as those that are nasty, in any order; by the seed."""
    chance = random.Random(seed)
    pieces = [*NASTY, *(os.fsdecode(bytes([byte])) for byte in range(1, 256))]
    return ["".join(chance.choices(pieces, k=chance.randrange(6))) for _ in range(count)]


class OutcomesContract(Rig):
    """Outcomes."""

    async def test_a_command_that_returns_0_finishes(self, workdir: Any) -> None:
        async with self.run(self.make(workdir)) as runner:
            job = await runner.wait(await runner.feed(["/bin/sh", "-c", "exit 0"]))
            assert (job.status, job.rc, job.failure) == (JobStatus.FINISHED, 0, None)
            assert await job.get_rc() == 0
            assert job.jid is not None
            assert job.started is not None
            assert job.ended is not None
            assert job.started <= job.ended
            assert (job.attempt, job.trial_count) == (1, 0)

    async def test_another_return_code_is_a_failure(self, workdir: Any) -> None:
        async with self.run(self.make(workdir)) as runner:
            job = await runner.wait(await runner.feed(self.shell("exit 3")))
            assert (job.status, job.rc, job.failure) == (JobStatus.FAILED, 3, Failure.EXIT)
            assert await job.get_rc() == 3
            assert not job.will_retry

    async def test_a_program_that_is_not_there_is_a_failure(self, workdir: Any) -> None:
        async with self.run(self.make(workdir)) as runner:
            job = await runner.wait(await runner.feed(["/no/such/program"]))
            assert (job.status, job.rc) == (JobStatus.FAILED, 127)
            assert "/no/such/program" in await job.stderr_file.read_text()

    async def test_a_command_that_a_signal_ends_is_a_failure(self, workdir: Any) -> None:
        async with self.run(self.make(workdir)) as runner:
            job = await runner.wait(await runner.feed(self.shell("kill -KILL $$")))
            assert (job.status, job.rc) == (JobStatus.FAILED, 128 + 9)

    async def test_the_output_is_complete_when_the_job_is_handed_out(self, workdir: Any) -> None:
        script = "seq 20000; seq 20001 40000 >&2"
        async with self.run(self.make(workdir, forks=2)) as runner:
            for _ in range(4):
                await runner.feed(self.shell(script))
            async for job in runner.as_completed():
                assert len((await self.output(job)).splitlines()) == 20000
                assert (await job.stderr_file.read_text()).splitlines()[-1] == "40000"

    async def test_the_copies_for_people_are_there(self, workdir: Any) -> None:
        async with self.run(self.make(workdir)) as runner:
            good = await runner.wait(await runner.feed(self.shell("exit 0")))
            bad = await runner.wait(await runner.feed(self.shell("exit 7")))
            assert (await good.rc_file.read_text()).split() == ["0"]
            assert (await bad.rc_file.read_text()).split() == ["7"]
            assert await good.status_file.read_text() == str(int(JobStatus.FINISHED))
            assert await bad.status_file.read_text() == str(int(JobStatus.FAILED))
            assert await good.get_status(refresh=True) is JobStatus.FINISHED

    async def test_a_script_calls_its_job_as_the_engine_does(self, workdir: Any) -> None:
        async with self.run(self.make(workdir, forks=4)) as runner:
            for _ in range(3):
                await runner.feed(self.shell("exit 0"))
            await runner.stop_feeding()
            told = [(await job.jid_file.read_text()).strip() for job in runner.jobs]
            assert len({*told}) == 3, "several jobs have one id (wrapper_jid)"
            if runner.scheduler.wrapper_jid:  # else they are processes
                assert told == [job.jid for job in runner.jobs], "wrapper_jid is another job's id"

    async def test_t13_arguments_arrive_byte_for_byte(self, workdir: Any) -> None:
        lists = [NASTY, strange(1, 200), strange(2, 200)]
        async with self.run(self.make(workdir)) as runner:
            for arguments in lists:
                await runner.feed(self.shell('printf "%s\\0" "$@"', *arguments))
            await runner.stop_feeding()
            for job, arguments in zip(runner.jobs, lists, strict=True):
                arrived = await job.stdout_file.read_bytes()
                assert arrived.split(b"\0")[:-1] == [os.fsencode(arg) for arg in arguments]

    async def test_t22_a_hundred_thousand_arguments_arrive(self, workdir: Any) -> None:
        arguments = [f"{number}" for number in range(100_000)]
        added = "sum=0; for each; do sum=$((sum + each)); done; echo $# $sum"
        async with self.run(self.make(workdir)) as runner:
            job = await runner.wait(await runner.feed(self.shell(added, *arguments)))
            assert (job.status, await job.stderr_file.read_text()) == (JobStatus.FINISHED, "")
            assert await self.output(job) == "100000 4999950000\n"

    async def test_t28_what_keeps_the_output_open_is_not_waited_for(self, workdir: Any) -> None:
        scheduler = self.make(workdir)
        async with self.run(scheduler) as runner:
            # By itself after five minutes: where the folder is gone with the engine, no gate is seen.
            left = 'for each; do [ -e "$SCHED_WORKDIR/gate" ] && break; sleep 0.1; done'
            looks = [str(look) for look in range(3000)]
            job = await runner.feed(self.shell(f"({left}) & echo said; exit 3", *looks))
            await runner.wait(job)
            assert (job.status, job.rc) == (JobStatus.FAILED, 3)
            assert await self.output(job) == "said\n"
            await self.open_gate(scheduler)

    async def test_t13_a_string_is_split_and_no_shell_runs(self, workdir: Any) -> None:
        async with self.run(self.make(workdir)) as runner:
            job = await runner.feed("/bin/echo 'a  b' $HOME ';' exit 3")
            await runner.wait(job)
            assert await self.output(job) == "a  b $HOME ; exit 3\n"

    async def test_t15_folders_of_any_name(self, tmp_path: Any, workdir_name: str) -> None:
        async with self.run(self.make(tmp_path / workdir_name)) as runner:
            job = await runner.wait(
                await runner.feed(self.shell('cat "$SCHED_JOB_METADIR/job.rc"'))
            )
            assert job.status is JobStatus.FAILED  # there is none yet
            job = await runner.wait(await runner.feed(self.shell("echo here")))
            assert (job.status, await self.output(job)) == (JobStatus.FINISHED, "here\n"), (
                job.reason
            )

    async def test_t41_a_job_leaves_few_files(self, workdir: Any) -> None:
        async with self.run(self.make(workdir)) as runner:
            # One more of a failure: what keeps an engine from starting it again.
            for rc, most in ((0, 7), (3, 8)):
                job = await runner.feed(self.shell(f"echo o; echo e >&2; exit {rc}"))
                await runner.wait(job)
                assert len([path async for path in job.metadir.iterdir()]) <= most

    async def test_nothing_comes_from_the_terminal(self, workdir: Any) -> None:
        async with self.run(self.make(workdir)) as runner:
            job = await runner.wait(await runner.feed(["/bin/cat"]))
            assert (job.status, await self.output(job)) == (JobStatus.FINISHED, "")

    def test_a_script_runs_it_all_in_one_call(self, workdir: Any) -> None:
        for backend in self.backends:
            scheduler = self.make(f"{workdir}-{backend}", forks=2)
            commands = [self.shell(f"exit {rc}") for rc in (0, 1, 2)]
            jobs = run(scheduler, commands, backend=backend, plugins=[])  # type: ignore[arg-type]
            assert [job.rc for job in jobs] == [0, 1, 2]
