"""`sched run --dry-run`: what would be submitted, with nothing started and nothing written."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from sched_meta.cli import main
from sched_meta.driving.dryrun import dry_run
from sched_meta.driving.given import Given
from sched_meta.lists.jobspec import JobSpec

from .program import WAIT_FOR_GO, Sched, in_terminal


def as_json(sched: Sched, *args: str, **options: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(sched("run", "--dry-run", "--json", *args, **options).stdout)
    return found


def everything(folder: Path) -> list[tuple[str, int]]:
    return sorted((str(path), path.stat().st_mtime_ns) for path in folder.rglob("*"))


def test_the_first_jobs_and_the_first_script_are_shown(sched: Sched) -> None:
    done = sched("run", "--dry-run", "-w", "r", "-j", "2", "--", "echo", "{}", ":::", *"abcde")
    shown, _, script = done.stdout.partition("\n\n----- script of job 0 -----\n")
    assert shown.splitlines() == [
        "A dry run: nothing is started, and nothing is written.",
        "run:     r (new)",
        "jobs:    5 jobs on local, 2 at a time",
        "  0: echo a",
        "  1: echo b",
        "  2: echo c",
        "  and 2 more",
        "submits: 2 jobs first (0-1), as follows; ids, here zeros, come with the run",
    ]
    assert "_sched_cmd=(echo a)\n" in script
    assert done.stderr == ""


def test_the_script_is_the_one_that_the_run_writes(sched: Sched, tmp_path: Path) -> None:
    args = ("-w", "r", "--time", "60", "--env", "A=it's", "--", "echo", "a b")
    (part,) = as_json(sched, *args)["first_submission"]["parts"]
    sched("run", *args)
    written = (tmp_path / "r/0/job.wrapped.local").read_text()
    run = json.loads((tmp_path / "r/.sched/run.json").read_text())["run"]
    assert part == {"title": "script of job 0", "text": written.replace(run, "0" * 10)}


@pytest.mark.parametrize(
    "args",
    [
        [],
        ["-w", "r"],
        ["--name", "mine"],
        ["--resume"],
        ["-w", "gs://bucket/r"],
        ["--json"],
        ["--cat", "--on-finish", "touch made", "--max-failures", "1"],
    ],
    ids=" ".join,
)
def test_nothing_is_written_anywhere(
    sched: Sched, tmp_path: Path, args: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", "http://127.0.0.1:9")  # where nobody answers
    before = everything(tmp_path)
    done = sched("run", "--dry-run", *args, "--", "touch", "made", ":::", "1", "2")
    assert "script of job 0" in done.stdout
    assert everything(tmp_path) == before


def test_names_are_shown(sched: Sched) -> None:
    done = sched("run", "--dry-run", "--name", "n-{}", "--", "true", ":::", "a", "b")
    assert "  0 (n-a): true a\n  1 (n-b): true b\n" in done.stdout
    named = as_json(sched, "--name", "mine", "--", "true")
    assert named["folder"] == "sched-runs/mine-1"
    assert named["first_jobs"] == [{"index": 0, "name": None, "cmd": ["true"]}]


def test_what_attempts_ask_for_is_told(sched: Sched) -> None:
    shown = sched("run", "--dry-run", "--cpus", "1", "--memory", "1M,2M", "--", "true").stdout
    assert "wants:   cpus 1; memory 1 MiB, first of 1, 2 MiB (job 0)\n" in shown


def test_one_object_tells_all(sched: Sched) -> None:
    found = as_json(sched, "-w", "r", "-j", "4", "--", "echo", ":::", *"abcdef")
    submission = found.pop("first_submission")
    assert [job["cmd"] for job in found.pop("first_jobs")] == [["echo", c] for c in "abc"]
    assert found == {
        "folder": "r",
        "scheduler": "local",
        "forks": 4,
        "resumes": False,
        "driven": False,
        "jobs": 6,
        "done": 0,
        "open": 0,
        "new": 6,
    }
    assert submission["jobs"] == [0, 1, 2, 3]


def test_what_a_grown_list_adds_is_told_and_the_run_is_left_alone(
    sched: Sched, tmp_path: Path
) -> None:
    sched("run", "-w", "r", "--", "echo", "{}", ":::", "a", "b")
    before = everything(tmp_path / "r")
    args = ("-w", "r", "--resume", "--", "echo", "{}", ":::", *"abcd")
    found = as_json(sched, *args)
    assert (found["jobs"], found["done"], found["new"]) == (4, 2, 2)
    assert [job["index"] for job in found["first_jobs"]] == [2, 3]
    shown = sched("run", "--dry-run", *args).stdout
    assert "run:     r (goes on)\njobs:    4 jobs (2 done, 2 new) on local" in shown
    run = json.loads((tmp_path / "r/.sched/run.json").read_text())["run"]
    assert f"# Job 2, attempt 1 of run {run}." in shown
    assert everything(tmp_path / "r") == before


def test_a_list_that_is_done_leaves_nothing_to_start(sched: Sched) -> None:
    sched("run", "-w", "r", "--", "true")
    done = sched("run", "--dry-run", "-w", "r", "-j", "2", "--resume", "--", "true")
    nothing = "1 job (1 done) on local, 2 at a time\nNo job is left to be started.\n"
    assert done.stdout.endswith(nothing)


def test_a_run_that_is_driven_now_is_not_waited_for(sched: Sched) -> None:
    driver = sched.start_waiting_jobs(jobs=3, forks=2)
    values = map(str, range(3))
    args = ("-w", "r", "--resume", "--", "sh", "-c", WAIT_FOR_GO, ":::", *values)
    found = as_json(sched, *args)
    assert (found["driven"], found["new"], found["done"]) == (True, 0, 0)
    assert found["open"] + len(found["first_jobs"]) == 3
    assert "(goes on when its present driver has ended)" in sched("run", "--dry-run", *args).stdout
    sched.go()
    assert driver.finish()[0] == 0


def test_interrupted_jobs_come_with_their_next_attempt(sched: Sched, tmp_path: Path) -> None:
    driver = sched.start_waiting_jobs(jobs=2, forks=1)
    driver.send(signal.SIGINT)
    assert driver.finish()[0] == 130
    found = as_json(
        sched, "-w", "r", "-j", "1", "--resume", "--", "sh", "-c", WAIT_FOR_GO, ":::", "0", "1"
    )
    assert (found["jobs"], found["new"], len(found["first_jobs"])) == (2, 0, 2)
    (part,) = found["first_submission"]["parts"]
    assert "_sched_index=0 _sched_attempt=2\n" in part["text"]


def test_a_hundred_thousand_jobs_are_counted_and_three_shown(tmp_path: Path) -> None:
    specs = [JobSpec(["echo", str(number)]) for number in range(100_000)]
    run = dry_run(specs, "local", Given(forks=3), workdir=str(tmp_path / "r"))
    assert (len(run.jobs), len(run.preview.jobs), len(run.preview.parts)) == (100_000, 3, 1)
    assert len(run.to_json()["first_jobs"]) == 3
    assert not (tmp_path / "r").exists()


def test_bytes_reach_a_pipe_as_they_are_and_a_terminal_is_left_in_order(
    sched: Sched, tmp_path: Path
) -> None:
    words = ["printf", os.fsdecode(b"\xff\x1b[2J")]
    assert os.fsdecode(b"'\xff\x1b[2J'") in sched("run", "--dry-run", "--", *words).stdout
    code, shown = in_terminal(tmp_path, "run", "--dry-run", "--", *words)
    assert code == 0
    assert "\x1b[2J" not in shown


def test_lines_fit_the_terminal(tmp_path: Path) -> None:
    _, shown = in_terminal(tmp_path, "run", "--dry-run", "--", "echo", "x" * 200)
    (line,) = [line for line in shown.splitlines() if line.startswith("  0: ")]
    assert len(line) == 80
    assert line.endswith("xxx...")


@pytest.mark.parametrize(
    "args, message",
    [
        ("-o fork=2 -- true", "the scheduler local has no option fork; did you mean forks?"),
        ("-j 0 -- true", "forks 0: it must be a whole number of at least 1"),
        ("-o volumes=/tmp:/not/there -- true", "the scheduler local mounts nothing: /tmp is not"),
        ("--name a/b -- true", "--name 'a/b' cannot be the name of a folder"),
        ("-w held -- true", "held holds a run already; go on with it with --resume"),
        ("-w held --resume -- false", "held holds another run: none of its 1 jobs is in this list"),
        ("--memory 8G,4G -- true", "memory: 4 GiB comes after 8 GiB"),
        ("--cpus 100000 -- true", "a job asks for cpus=100000; this machine"),
        ("--max-failures x -- true", "--max-failures x"),
        ("-d -- true", "--dry-run begins no run that could go on; leave out -d"),
        ("-w s3://bucket/r -- true", "workdir s3://bucket/r: a run can lie in a bucket of Google"),
        ("--cat --json -- true", "--cat and --json both write to stdout; choose one"),
        ("", "there is no command; write it behind --"),
    ],
)
def test_what_a_run_would_refuse_is_refused(
    sched: Sched,
    args: str,
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if "held" in args:
        sched("run", "-w", "held", "--", "true")
    monkeypatch.chdir(sched.folder)
    before = everything(sched.folder)
    assert main(["run", "--dry-run", *args.split()]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(f"sched: error: {message}")
    assert everything(sched.folder) == before


def test_a_scheduler_that_is_not_installed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--dry-run", "-s", "locl", "--", "true"]) == 3
    assert "did you mean 'local'?" in capsys.readouterr().err
