"""What is shown of an array before a run begins, against what the small Slurm is then given."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from sched_core import Job, OptionError, Runner, Scheduler
from sched_hpc import SgeScheduler, SlurmScheduler
from sched_hpc.cluster.tool import Answer

from .helpers import Quick

_IDS = re.compile(r"[0-9a-f]{10}-[0-9a-f]{16}")


def jobs_of(scheduler: Scheduler, count: int, **spec: Any) -> list[Job]:
    jobs = [scheduler.new_job(index, ["true", str(index)]) for index in range(count)]
    for job in jobs:
        for name, value in spec.items():
            setattr(job, name, value)
    return jobs


def parts_of(scheduler: Scheduler, jobs: Sequence[Job]) -> dict[str, str]:
    return dict(scheduler.preview(jobs, plugins=[]).parts)


def record_submissions(scheduler: SlurmScheduler) -> list[tuple[list[str], str]]:
    """Keep the command lines of sbatch and what stands on its input."""
    run, kept = scheduler.toolbox.run, []

    async def recorded(
        argv: Sequence[str], stdin: bytes = b"", extra: Mapping[str, str] | None = None
    ) -> Answer:
        if argv[0] == "sbatch":
            kept.append((list(argv), os.fsdecode(stdin)))
        return await run(argv, stdin, extra)

    scheduler.toolbox.run = recorded  # type: ignore[method-assign]
    return kept


@pytest.mark.anyio
@pytest.mark.usefixtures("slurm")
@pytest.mark.parametrize("count", [1, 5])
async def test_sbatch_is_called_as_it_was_shown(tmp_path: Path, count: int) -> None:
    scheduler = Quick(tmp_path / "run", forks=2, mem="1G", timeout=60)
    jobs = jobs_of(scheduler, count)
    shown = parts_of(scheduler, jobs)
    calls = record_submissions(scheduler)
    async with Runner(scheduler, plugins=[]) as runner:
        await runner.feed_all(jobs)
        await runner.stop_feeding()
        run = scheduler.session.run
    ((argv, script),) = calls
    assert _IDS.sub("IDS", shown["command"]) == _IDS.sub("IDS", shlex.join(argv))
    given = _IDS.sub("IDS", script).replace(run, "0" * 10)
    assert _IDS.sub("IDS", shown["standard input of the command"]) == given
    assert ("--array=0-4%2" in argv) == (count > 1)


def test_one_array_is_shown_and_one_script(tmp_path: Path) -> None:
    scheduler = SlurmScheduler(tmp_path / "run", forks=1000)
    preview = scheduler.preview(jobs_of(scheduler, 3000), plugins=[])
    assert [part.title for part in preview.parts] == [
        "command",
        "standard input of the command",
        "script of job 0",
    ]
    assert len(preview.jobs) == 1001
    assert "--array=0-1000%1000" in preview.parts[0].text


def test_only_jobs_of_equal_options_share_what_is_shown(tmp_path: Path) -> None:
    scheduler = SlurmScheduler(tmp_path / "run", forks=1000)
    jobs = [*jobs_of(scheduler, 2), *jobs_of(scheduler, 4, timeout=60.0)[2:]]
    assert [job.index for job in scheduler.preview(jobs, plugins=[]).jobs] == [0, 1]


def test_grid_engine_is_shown_without_a_value_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKEN", "hush-hush")
    scheduler = SgeScheduler(tmp_path / "run", forks=3, q="all.q")
    shown = parts_of(scheduler, jobs_of(scheduler, 2))
    assert shown["command"].startswith("qsub -terse ")
    assert " -t 1-2 " in shown["command"]
    assert re.fullmatch(
        rf"\d+ variables, in a file of mode 0600: {tmp_path}/run/.sched/environment.[0-9a-f]{{16}}",
        shown["environment"],
    )
    name = shown["environment"].rpartition("/")[2]
    assert f"_sched_environment={name}\n" in shown["standard input of the command"]
    assert "hush-hush" not in "".join(shown.values())
    assert list(tmp_path.iterdir()) == []


def test_grid_engine_that_shows_the_environment_itself(tmp_path: Path) -> None:
    scheduler = SgeScheduler(tmp_path / "run", V=True)
    shown = parts_of(scheduler, jobs_of(scheduler, 1))
    assert "environment" not in shown
    assert "_sched_environment=''\n" in shown["standard input of the command"]


def test_a_parallel_environment_that_is_not_known_yet(tmp_path: Path) -> None:
    scheduler = SgeScheduler(tmp_path / "run", resources={"cpus": 4})
    shown = parts_of(scheduler, jobs_of(scheduler, 1))
    assert "-pe smp 4" in shown["command"]
    assert shown["parallel environment"].startswith("smp stands for the site's")
    named = SgeScheduler(tmp_path / "run", resources={"cpus": 4}, pe="mine")
    shown = parts_of(named, jobs_of(named, 1))
    assert "-pe mine 4" in shown["command"]
    assert "parallel environment" not in shown


def test_what_the_engine_cannot_promise_is_refused(tmp_path: Path) -> None:
    scheduler = SgeScheduler(tmp_path / "run", resources={"gpus": 1})
    with pytest.raises(OptionError, match="no word of its own for gpus"):
        scheduler.preview(jobs_of(scheduler, 1), plugins=[])
