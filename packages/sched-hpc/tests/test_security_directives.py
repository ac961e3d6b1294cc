"""No name, value or folder becomes an option of an engine, or a command in a script of ours."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest

from sched_core import Job, OptionError, Scheduler
from sched_core.text.starter import starter_text
from sched_hpc import SgeScheduler, SlurmScheduler

EVIL = "x\n#SBATCH --partition=evil\n#$ -q evil\ntouch evil; $(touch evil) `touch evil` ' \" \\ -"
BOTH = pytest.mark.parametrize("cls", [SlurmScheduler, SgeScheduler])


def previewed(scheduler: Scheduler, job: Job) -> dict[str, str]:
    return dict(scheduler.preview([job], plugins=[]).parts)


def evil_job(scheduler: Scheduler) -> Job:
    job = scheduler.new_job(0, ["printf", EVIL], {"V": EVIL})
    job.name = EVIL.replace("\n", " ")  # those of several lines are refused
    return job


def directives_of(script: str) -> list[str]:
    """What sbatch takes for options: comments before the first command."""
    found = []
    for line in script.splitlines():
        if line.strip() and not line.startswith("#"):
            break
        if line.startswith("#SBATCH"):
            found.append(line)
    return found


@BOTH
def test_names_and_folders_are_no_options(tmp_path: Path, cls: type[Scheduler]) -> None:
    scheduler = cls(tmp_path / EVIL.replace("/", ":"))
    parts = previewed(scheduler, evil_job(scheduler))
    scripts = [text for text in parts.values() if text.startswith("#!")]
    assert scripts
    for script in scripts:
        assert directives_of(script) == []
    argv = shlex.split(parts["command"])
    assert not [word for word in argv if "evil" in word and word.startswith("-")]
    if cls is SgeScheduler:  # which looks for lines of its own in all of a script
        assert argv[argv.index("-C") + 1] == ""


@BOTH
def test_scripts_run_nothing_of_names_and_folders(tmp_path: Path, cls: type[Scheduler]) -> None:
    scheduler = cls(tmp_path / EVIL.replace("/", ":"))
    for text in previewed(scheduler, evil_job(scheduler)).values():
        if text.startswith("#!"):
            script = tmp_path / "script"
            # Without what waits for files that nobody will write.
            script.write_text(text.partition(starter_text().decode())[0])
            subprocess.run(["bash", script], cwd=tmp_path, capture_output=True, check=False)
            script.unlink()
    assert list(tmp_path.iterdir()) == []


@BOTH
@pytest.mark.parametrize("value", ["a\n#SBATCH --uid=0", "a\0b", ["a\nb"]])
def test_value_of_several_lines_is_no_option(cls: type[Scheduler], value: Any) -> None:
    options: dict[str, Any] = {"account" if cls is SlurmScheduler else "P": value}
    with pytest.raises(OptionError, match="one line"):
        cls("run", **options)
