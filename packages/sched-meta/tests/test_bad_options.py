"""Bad input of every option of `run`: one line that helps, exit code 2, and nothing written."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from sched_core.errors import OptionError
from sched_meta.cli import main
from sched_meta.cli.run import run
from sched_meta.lists.collect import collect_jobs

from .program import Sched

IS_EMPTY = "is empty; give it a value, or leave it out"
NO_SHARE = "it must be a number of jobs, or a share of them such as 5%"

BAD: list[tuple[list[str], str]] = [
    (["-s", ""], f"--scheduler {IS_EMPTY}"),
    (["-w", ""], "-w is empty: name the folder of the run"),
    (["-w", "file"], "-w file: this is there already, and is no folder; take another name"),
    (["-w", "file/x"], "file/x: Not a directory"),
    (["-w", "gs://"], "path 'gs://' names no bucket; write for example 'gs://bucket/dir'"),
    (["-j", "0"], "forks 0: it must be a whole number of at least 1"),
    (["-j", "-1"], "forks -1: it must be a whole number of at least 1"),
    (["-j", "1.5"], "Invalid value for '-j' / '--forks': '1.5' is not a valid integer."),
    (["-j", ""], "Invalid value for '-j' / '--forks': '' is not a valid integer."),
    (["-o", ""], "-o : write it as KEY=VALUE"),
    (["-o", "=x"], "-o =x: write it as KEY=VALUE"),
    (["-o", "grace"], "-o grace: write it as KEY=VALUE"),
    (["-o", "grce=1"], "the scheduler local has no option grce; did you mean grace?"),
    (["-o", "engine_rate=5"], "the scheduler local has no option engine_rate; it takes "),
    (["-s", "slurm", "-o", "engine_rate=often"], "engine_rate 'often' is no rate; write for "),
    (["-s", "slurm", "-o", "engine_rate=0"], "engine_rate 0 must be above 0; write for example"),
    (["-o", "mode=rw"], "-o mode=rw: write permissions as in chmod, for example 640"),
    (["--retries", "-1"], "num_retries -1: it must be a whole number of at least 0"),
    (["--retries", "x"], "Invalid value for '--retries': 'x' is not a valid integer."),
    (["--retries", "2", "--on-error", "halt"], "--retries goes with --on-error retry, not halt"),
    (["--on-error", ""], "Invalid value for '--on-error': '' is not one of 'continue', "),
    (["--on-error", "ignore"], "Invalid value for '--on-error': 'ignore' is not one of "),
    (
        ["--halt", "now,fail=1"],
        "Invalid value for '--halt': 'now,fail=1' is not one of 'now', 'soon'",
    ),
    (["--halt", "soon"], "--halt says how failures stop the run; give --on-error halt, or --max-f"),
    (["-o", "halt=later"], "halt 'later': it must be one of now, soon"),
    (
        ["--on-error", "halt", "--halt", "now", "-o", "halt=soon"],
        "-o halt: use --halt, and only that",
    ),
    (["--cpus", "0"], "cpus '0' must be a number above 0"),
    (["--cpus", "x"], "cpus 'x' must be a number above 0"),
    (["--cpus", "1,2"], "cpus '1,2' must be a number above 0"),
    (["--cpus", "100000"], "a job asks for cpus=100000; this machine has "),
    (["--memory", ""], "memory '' is no amount; write for example '4 GiB', '500 MB'"),
    (["--memory", "4"], "memory '4' has no unit; write for example '4 GiB', '500 MB'"),
    (["--memory", "4X"], "memory '4X': 'X' is no unit"),
    (["--memory", "4M,"], "memory '' is no amount"),
    (["--memory", "8M,4M"], "memory: 4 MiB comes after 8 MiB, and is not more; give values that"),
    (["--memory", "999999G"], "a job asks for memory=976.56 TiB; this machine has "),
    (["--time", ""], "time '' is empty; write for example '90m', '1h30m', '2-12:00:00'"),
    (["--time", "0"], "time '0' must be a number above 0"),
    (["--time", "1h,x"], "time 'x' is no time; write for example '90m'"),
    (["--time", "2h,1h"], "time: 1h comes after 2h, and is not more"),
    (["--gpus", "-1"], "gpus '-1' must be a whole number, 0 or more"),
    (["--gpus", "x"], "gpus 'x' must be a whole number, 0 or more"),
    (["--gpus", "1000"], "a job asks for gpus=1000; this machine has "),
    (["--env", ""], "--env : write it as NAME=VALUE"),
    (["--env", "A"], "--env A: write it as NAME=VALUE"),
    (["--env", "=x"], "'' is no name of an environment variable"),
    (["--env", "PPID=1"], "the variable PPID is kept by the shell"),
    (["--secret-env", ""], "'' is no name of an environment variable"),
    (
        ["--secret-env", "A=x"],
        "--secret-env A=...: give the name alone, since all users of a machine",
    ),
    (
        ["--secret-env", "NO_SUCH"],
        "there is no variable NO_SUCH; set it, unseen, with read -rs NO_SUCH",
    ),
    (["--secret-env", "PPID"], "the variable PPID is kept by the shell"),
    (["--secret-env", "LC_ALL"], "the variable LC_ALL cannot hold a secret: the shell tells it"),
    (["--secret-env", "HOME", "--env", "HOME=x"], "HOME is given by --env and by --secret-env"),
    (["--name", ""], f"--name {IS_EMPTY}"),
    (["--name", "a/b"], "--name 'a/b' cannot be the name of a folder; use -w RUN for a path"),
    (["--name", ".."], "--name '..' cannot be the name of a folder"),
    (["--name", "x" * 300], "--name 'xxx"),
    (["--name", "{}"], "--name {}: {}-forms stand for values, and there are none"),
    (["--profile", ""], f"--profile {IS_EMPTY}"),
    (["--profile", "x"], "there is no profile 'x': write [profile.x] into a sched.toml"),
    (["--table", ""], f"--table {IS_EMPTY}"),
    (["--table", "none"], "cannot read none: No such file or directory"),
    (["--table", "folder"], "cannot read folder: Is a directory"),
    (["--table", "file"], "file is empty: it needs a header that names the columns, and rows"),
    (["--table", "t.csv"], "the command uses no column of the table; write {NAME} where a value"),
    (["--table", "t.csv", "--colsep", "\\s+"], r"--colsep '\\s+': it must be one character such"),
    (["--table", "t.csv", "--colsep", '"'], "--colsep '\"': it must be one character such as '|'"),
    (["--table", "t.csv", "--colsep", ""], f"--colsep {IS_EMPTY}"),
    (["--table", "file", "--no-header"], "file is empty: it needs a row for each job"),
    (["--no-header"], "--no-header and --colsep say how a table is read; name one with --table"),
    (["--colsep", "|"], "--no-header and --colsep say how a table is read; name one with --table"),
    (["--table", "-"], "standard input is empty: it needs a header"),
    (["--from", ""], f"--from {IS_EMPTY}"),
    (["--from", "t.csv", "--table", "t.csv"], "--from is a list of jobs, --table one of values"),
    (["--max-failures", ""], f"--max-failures : {NO_SHARE}"),
    (["--max-failures", "0"], f"--max-failures 0: {NO_SHARE}"),
    (["--max-failures", "-1"], f"--max-failures -1: {NO_SHARE}"),
    (["--max-failures", "0%"], f"--max-failures 0%: {NO_SHARE}"),
    (["--max-failures", "101%"], "--max-failures 101%: it must be at most 100%"),
    (["--on-finish", " "], "--on-finish is empty; give it a line for bash"),
    (["-d", "--cat"], "--cat is for who watches, and -d leaves; give it to sched attach --cat"),
    (["-d", "--json"], "--json is for who watches, and -d leaves"),
    (["--cat", "--json"], "--cat and --json both write to stdout; choose one"),
    (["--dry-run", "-d"], "--dry-run begins no run that could go on; leave out -d"),
    (["--dry-run", "-j", "0"], "forks 0: it must be a whole number of at least 1"),
    (["--shell", "--resume", "--frobnicate"], "no such option --frobnicate"),
    (["--no-progres"], "no such option --no-progres; did you mean --no-progress"),
]

BAD_COMMANDS: list[tuple[list[str], str]] = [
    (["--", ""], "the command behind -- is empty; its first word names a program"),
    (["--shell", "--", " "], "the command behind -- is empty"),
    (["--", "a", ":::", "1", ":::+", "2", "3"], ":::+ has 2 values and the source it goes along"),
    (["--", "a", ":::+", "2"], ":::+ goes along with a source before it, and there is none"),
    (["--", "a", "::::", "file"], "file is empty: a file of values holds one value a line"),
    (["--", "a", "{= $_ =}", ":::", "1"], "{= $_ =} is Perl, which only GNU parallel runs"),
    (["--", "a", "{%}", ":::", "1"], "{%}: which slot runs a job is not known before it starts"),
    (["--table", "t.csv", "--", "a", "{A}"], "{A} is no column of the table; did you mean {a}?"),
    (["--table", "t.csv", "--", "a", "{3}"], "{3} stands for column 3, and the table has only 2"),
    (["--table", "t.csv", "--", "a", ":::", "1"], "--table brings the values; leave out :::"),
    (
        ["--table", "t.csv", "--no-header", "--", "a", "{b}"],
        "{b} is no column of the table; there are {1}, {2}.",
    ),
    (
        ["--table", "t.csv", "--no-header", "--", "a"],
        "the command uses no column of the table; write {NAME} where a value",
    ),
    (
        ["--table", "t.csv", "--colsep", "|", "--", "a", "{2}"],
        "{2} stands for column 2, and the table has only 1; --colsep says what stands between",
    ),
    (["--table", "t.csv"], "there is no command; write it behind --"),
]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    Path("file").touch()
    Path("folder").mkdir()
    Path("t.csv").write_text("a,b\n1,2\n")
    with open(os.devnull, encoding="utf-8") as nothing:
        monkeypatch.setattr("sys.stdin", nothing)
        yield tmp_path


@pytest.mark.parametrize(
    "args, message", [([*a, "--", "true"], m) for a, m in BAD if "--from" not in a]
)
def test_bad_option(args: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    check(args, message, capsys)


@pytest.mark.parametrize("args, message", [(a, m) for a, m in BAD if "--from" in a] + BAD_COMMANDS)
def test_bad_command(args: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    check(args, message, capsys)


def check(args: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    before = sorted(Path.cwd().rglob("*"))
    assert main(["run", *args]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    said, _, rest = captured.err.partition("\n")
    assert message in said
    assert said.startswith("sched: error: ")
    assert rest in ("", "Try 'sched run --help'.\n")
    assert before == sorted(Path.cwd().rglob("*"))


def test_every_option_has_its_bad_input() -> None:
    tried = {word for args, _ in BAD for word in args if re.match("--?[a-z]", word)}
    tried.add("--no-progress")  # it takes no value, and goes with everything
    for parameter in run.params:
        if isinstance(parameter, click.Option):
            assert tried & {*parameter.opts}, parameter.name


def test_more_jobs_than_any_run_can_hold() -> None:
    many = [str(number) for number in range(1000)]
    with pytest.raises(OptionError, match="make 1,000,000,000 jobs, more than any run can hold"):
        collect_jobs(["a", ":::", *many, ":::", *many, ":::", *many])


@pytest.mark.parametrize(
    "command, told",
    [
        (["gzip", "{}"], True),
        (["gzip", "{.}.x"], True),
        (["gzip", "{a}"], False),
        (["find", ".", "-exec", "rm", "{}", ";"], False),
        (["/usr/bin/xargs", "-I", "{}", "a", "{}"], False),
    ],
)
def test_forms_without_values_are_told(command: list[str], told: bool) -> None:
    note = "stays as it is; values come behind :::, or :::: FILE"
    assert collect_jobs(command).note.endswith(note) is told
    assert collect_jobs(["a {}"], shell=True).note == ""
    assert collect_jobs([*command, ":::", "x"]).note == ""


def test_a_note_goes_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--dry-run", "--", "gzip", "{}"]) == 0
    assert "sched: there are no values, so '{}' stays as it is" in capsys.readouterr().err


def test_a_program_that_is_not_there_is_told_in_few_words(sched: Sched) -> None:
    said = sched("run", "--", "gzp", "{}", ":::", "a", "b", code=1).stderr
    assert "EXIT rc 127, 2 jobs (0-1): gzp: not found" in said
