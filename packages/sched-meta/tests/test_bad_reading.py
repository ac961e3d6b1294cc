"""What a person sees who typed something wrong for a command that reads a run."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sched_core.model.failure import Failure
from sched_core.model.status import JobStatus
from sched_core.runfolder import JobRecord
from sched_meta.cli import main

from .recorded import record_run


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    failed = JobRecord(1, ["x"], status=JobStatus.FAILED, failure=Failure.EXIT, rc=1)
    jobs = [JobRecord(0, ["x"], name="sample", status=JobStatus.FINISHED, rc=0), failed]
    record_run(tmp_path / "sched-runs" / "r-1", jobs)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    "args, message",
    [
        (
            "results r-1 --format xml",
            "'xml' is not one of 'tsv', 'csv', 'jsonl', 'table', 'joblog'",
        ),
        ("results r-1 --columns", "Option '--columns' requires an argument."),
        ("results r-1 --columns wal", "there is no column 'wal'; did you mean 'wall'?"),
        ("results r-1 --columns index,,rc", "there is no column ''; there are index, name, "),
        ("results r-1 --columns x.y", "there is no column 'x.y'; there are index, name, "),
        ("results r-1 --format joblog --stdout", "leave out --columns and --stdout"),
        ("results r-1 --format joblog --columns rc", "leave out --columns and --stdout"),
        ("results r-1 --sdtout", "no such option --sdtout; did you mean --stdout?"),
        ("results r-1 smple", "no job is called 'smple'; did you mean 'sample'?"),
        ("results r-1 s_*", "no job is called 's_*'; the run has the jobs 0-1"),
        ("results none", "none is no folder of a run; the newest here is sched-runs/r-1"),
        (
            "results failed",
            "failed is no folder of a run; RUN comes before JOBS, as in sched-runs/r-1 failed",
        ),
        ("cat 0-1", "RUN comes before JOBS, as in sched-runs/r-1 0-1"),
        ("cat oom", "RUN comes before JOBS, as in sched-runs/r-1 oom"),
        ("cat r-1 7", "there is no job 7; the run has the jobs 0-1"),
        ("cat r-1 --tags", "no such option --tags; did you mean --tag?"),
        ("logs r-1 7 -f", "there is no job 7; the run has the jobs 0-1"),
        ("logs 3,7-9", "RUN comes before JOBS, as in sched-runs/r-1 3,7-9"),
        ("status none", "none is no folder of a run"),
        ("retry r-1 --failure", "Option '--failure' requires an argument."),
        ("retry r-1 --failure exti", "'exti' is no class of failure; did you mean 'exit'?"),
        ("retry r-1 --failure 3", "'3' is no class of failure; there are oom, exit, timeout, "),
        ("retry r-1 --failure ''", "'' is no class of failure; there are oom, exit, timeout, "),
    ],
)
def test_message(args: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    before = sorted(os.walk("."))
    assert main(["" if word == "''" else word for word in args.split()]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("sched: error: ")
    assert message in err
    assert sorted(os.walk(".")) == before


@pytest.mark.parametrize("command", ["results", "cat", "logs", "status", "retry"])
def test_help_begins_with_examples(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "--help"]) == 0
    text = capsys.readouterr().out
    lines = text.splitlines()
    assert all(len(line) <= 80 for line in lines)
    assert lines.index(next(line for line in lines if line.startswith(f"  sched {command}"))) < 6
    assert text.index(f"  sched {command}") < text.index("  -h, --help")
