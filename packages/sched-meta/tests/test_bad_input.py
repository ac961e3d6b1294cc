"""What a person sees who typed something wrong: one message that helps, and the exit code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from sched_core.runfolder import JobRecord
from sched_meta.cli import main

from .recorded import record_run

USAGE = 2
UNUSABLE = 3


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def said(capsys: pytest.CaptureFixture[str], *args: str, code: int = USAGE) -> str:
    """Run `sched` with what is wrong; return its message."""
    assert code == main(args)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "Traceback" not in captured.err
    assert captured.err.startswith("sched: error: ")
    return captured.err.removeprefix("sched: error: ").rstrip("\n")


@pytest.mark.parametrize(
    "args, message",
    [
        ("frobnicate", "no such command 'frobnicate'; there are run, status, "),
        ("stauts", "no such command 'stauts'; did you mean 'status'?\nTry 'sched --help'."),
        ("run --retires 3 -- true", "no such option --retires; did you mean --retries"),
        ("status --jsn", "no such option --jsn; did you mean --json?"),
        ("run", "there is no command; write it behind --, or name a list with --from"),
        ("run --", "there is no command; write it behind --"),
        ("run -- ::: a", "there is no command behind --"),
        ("run gzip -9 x", "no such option -9"),
        (
            "run gzip x",
            "'gzip x' stands before --; write the command behind it: sched run -- gzip x",
        ),
        ("run -- a :::", "::: has no values behind it"),
        ("run -- a :::: none", "cannot read none: No such file or directory"),
        ("run -- a{2} ::: b", "{2} stands for a value of source 2, and there is only 1 source"),
        ("run --shell -- a b", "--shell takes one line, and there are 2 words behind --"),
        ("run --shell --from x", "--shell is for the line behind --"),
        ("run --from x -- y", "--from brings commands of its own"),
        ("run --cat --json -- a", "--cat and --json both write to stdout; choose one"),
        ("run --from none", "cannot read none: No such file or directory"),
        ("run --from .", "cannot read .: Is a directory"),
        (
            "run --from /dev/null",
            "/dev/null is empty: it needs a shell line or a JSON object a row",
        ),
        ("run --name {} -- true", "--name {}: {}-forms stand for values, and there are none"),
        ("run --name {} --from x", "--name with {}-forms is for values behind :::"),
        ("run --env A -- true", "--env A: write it as NAME=VALUE"),
        ("run --env 1A=x -- true", "'1A' is no name of an environment variable"),
        ("run --env UID=x -- true", "the variable UID is kept by the shell"),
        ("run -j 0 -- true", "forks 0: it must be a whole number of at least 1"),
        (
            "run -j many -- true",
            "Invalid value for '-j' / '--forks': 'many' is not a valid integer.",
        ),
        ("run --retries -1 -- true", "num_retries -1: it must be a whole number of at least 0"),
        (
            "run --retries 1 --on-error halt -- true",
            "--retries goes with --on-error retry, not halt",
        ),
        ("run --on-error stop -- true", "Invalid value for '--on-error': 'stop' is not one of"),
        ("run --max-failures 0 -- true", "--max-failures 0: it must be a number of jobs, or a"),
        ("run --max-failures -1 -- true", "--max-failures -1: it must be a number of jobs, or a"),
        ("run --max-failures x -- true", "--max-failures x: it must be a number of jobs, or a"),
        ("run --max-failures 101% -- true", "--max-failures 101%: it must be at most 100%"),
        (
            "run -d --cat -- true",
            "--cat is for who watches, and -d leaves; give it to sched attach",
        ),
        ("run -d --json -- true", "--json is for who watches, and -d leaves"),
        ("run -d --dry-run -- true", "--dry-run begins no run that could go on; leave out -d"),
        ("retry none --max-failures x", "--max-failures x: it must be a number of jobs"),
        ("resume none --max-failures x", "--max-failures x: it must be a number of jobs"),
        ("attach none", "none is no folder of a run"),
        ("attach --cat --json", "--cat and --json both write to stdout; choose one"),
        ("wait none", "none is no folder of a run"),
        ("wait", "there is no run under ./sched-runs; name the folder of one"),
        ("wait --timeout x", "--timeout 'x' is no time; write for example"),
        ("wait --timeout 0", "--timeout '0' must be a number above 0"),
        ("run --time -5 -- true", "time '-5' must be a number above 0"),
        ("run --time 5x -- true", "time '5x': 'x' is no unit"),
        ("run -o fork=2 -- true", "the scheduler local has no option fork; did you mean forks?"),
        ("run -o forks=x -- true", "-o forks=x: it must be a whole number"),
        ("run -o forks -- true", "-o forks: write it as KEY=VALUE"),
        ("run -j 2 -o forks=3 -- true", "-o forks: use -j, and only that"),
        ("run -o workdir=x -- true", "-o workdir: use -w, and only that"),
        ('run -o resources={"memory":"4_GX"} -- true', "memory '4 GX': 'GX' is no unit"),
        ("run --name a/b -- true", "--name 'a/b' cannot be the name of a folder"),
        ("status none", "none is no folder of a run"),
        ("status", "there is no run under ./sched-runs; name the folder of one"),
        ("resume none", "none is no folder of a run"),
        ("logs none", "none is no folder of a run"),
        ("kill none 1", "none is no folder of a run"),
        ("retry none", "none is no folder of a run"),
        ("explain none 1", "none is no folder of a run"),
    ],
)
def test_wrong_usage(args: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = [word.replace("_", " ") if "{" in word else word for word in args.split()]
    assert said(capsys, *words).startswith(message)
    assert not Path("sched-runs").exists()


@pytest.mark.parametrize(
    "args, message",
    [
        ("run -s locl -- true", "there is no scheduler 'locl'; did you mean 'local'?"),
        ("run -s gbtach -- true", "there is no scheduler 'gbtach'; did you mean 'gbatch'?"),
        ("doctor kubernetes", "there is no scheduler 'kubernetes'; installed are: "),
    ],
)
def test_scheduler_that_cannot_be_used(
    args: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert message in said(capsys, *args.split(), code=UNUSABLE)


def test_malformed_json_line_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    Path("list").write_text('{"cmd": ["a"]}\n\n{"cmd": ["a"],}\n')
    assert said(capsys, "run", "--from", "list").startswith("list, line 3: no JSON: ")


def test_job_that_the_machine_can_never_run(capsys: pytest.CaptureFixture[str]) -> None:
    Path("list").write_text('{"cmd": ["a"], "resources": {"cpus": 100000}}\n')
    assert said(capsys, "run", "--from", "list").startswith("a job asks for cpus=100000; this")
    assert not Path("sched-runs").exists()


def test_binary_list(capsys: pytest.CaptureFixture[str]) -> None:
    message = said(capsys, "run", "--from", sys.executable)
    assert message.startswith(f"{sys.executable} is no text: line 1 holds the byte 0x")


def test_unreadable_list(capsys: pytest.CaptureFixture[str]) -> None:
    message = said(capsys, "run", "--from", "/proc/self/mem")
    assert message == "cannot read /proc/self/mem: Input/output error"


def make_run(folder: str, content: str = "{}") -> None:
    home = Path(folder, ".sched")
    home.mkdir(parents=True)
    (home / "run.json").write_text(content)


@pytest.mark.parametrize("command", ["status r", "resume r", "retry r", "kill r", "explain r 0"])
def test_corrupt_run_file(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    make_run("r", '{"schema_version": 1, "run":')
    message = said(capsys, *command.split())
    assert "r/.sched/run.json" in message


def test_run_of_a_later_version(capsys: pytest.CaptureFixture[str]) -> None:
    make_run("r", json.dumps({"schema_version": 99}) + "\n")
    assert "schema version 99" in said(capsys, "status", "r")


def test_folder_that_holds_a_run(capsys: pytest.CaptureFixture[str]) -> None:
    make_run("my run")
    assert said(capsys, "run", "-w", "my run", "--", "true") == (
        "'my run' holds a run already; go on with it with --resume, or name another folder with -w"
    )


@pytest.mark.parametrize("command", ["logs r 12", "explain r 12", "kill r 0-12", "retry r 12"])
def test_index_out_of_range(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    main(["run", "-w", "r", "--", "true", ":::", "1", "2"])
    capsys.readouterr()
    assert said(capsys, *command.split()) == "there is no job 12; the run has the jobs 0-1"


def test_work_directory_that_is_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    Path("file").touch()
    assert said(capsys, "run", "-w", "file", "--", "true").startswith("-w file: this is there")


def test_fault_of_its_own_is_no_traceback(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: object) -> None:
        raise ZeroDivisionError("oops")

    monkeypatch.setattr("sched_meta.reading.runfolder.existing_run", broken)
    message = said(capsys, "status", code=1)
    assert message.startswith("ZeroDivisionError: oops; this is a fault of sched's own")
    monkeypatch.setenv("SCHED_DEBUG", "1")
    with pytest.raises(ZeroDivisionError):
        main(["status"])


def sched(*args: str) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("sched")
    return subprocess.run([program, *args], capture_output=True, text=True, check=False)


def test_installed_command_reports_alike() -> None:
    done = sched("run", "-s", "sluurm", "--", "true")
    assert (done.returncode, done.stdout) == (UNUSABLE, "")
    assert done.stderr.startswith(
        "sched: error: there is no scheduler 'sluurm'; did you mean 'slurm'?"
    )


def test_help_lists_the_commands() -> None:
    done = sched("--help")
    assert (done.returncode, done.stderr) == (0, "")
    for command in "run status resume logs kill retry explain schedulers doctor".split():
        assert f"\n  {command} " in done.stdout


def test_help_of_each_command() -> None:
    for command in "run status resume logs kill retry explain schedulers doctor".split():
        assert sched(command, "--help").stdout.startswith(f"Usage: sched {command} ")


def test_version() -> None:
    assert sched("--version").stdout.startswith("sched 0.")


def test_help_loads_nothing_heavy() -> None:
    code = "import sys; from sched_meta.cli import main; main(['--help']); print(*sys.modules)"
    output = subprocess.check_output([sys.executable, "-c", code], text=True)
    loaded = set(output.rpartition("\n\n")[2].split())
    assert not loaded & {"anyio", "asyncio", "rich", "pluggy", "sched_local", "importlib.metadata"}


def test_closed_pipe_ends_quietly() -> None:
    program = Path(sys.executable).with_name("sched")
    command = f"{program} --help | true; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert done.stderr == ""


def test_nobody_who_reads_is_an_end_by_sigpipe(tmp_path: Path) -> None:
    record_run(tmp_path / "r", [JobRecord(0, cmd=["true"])])
    program = Path(sys.executable).with_name("sched")
    read, write = os.pipe()
    os.close(read)
    try:
        command = [str(program), "results", str(tmp_path / "r")]
        done = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, check=False)
    finally:
        os.close(write)
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.parametrize(
    "args",
    [
        ("run", "-s", "a\nb\x1b[1m", "--", "true"),
        ("run", "-o", "a\nb=1", "--", "true"),
        ("run", "-j", "a\nb", "--", "true"),
        ("run", "--max-failures", "a\nb", "--", "true"),
        ("run", "--memory", "1\n", "--", "true"),
        ("run", "a\nb", "--", "true"),
        ("run", "--from", "a\nb"),
        ("run", "--a\nb", "--", "true"),
        ("status", "a\nb"),
        ("clean", "--older-than", "a\nb"),
        ("a\nb",),
    ],
)
def test_a_newline_in_what_was_typed_makes_no_line(
    args: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(args) in (2, 3)
    first, *rest = capsys.readouterr().err.splitlines()
    assert first.startswith("sched: error: ")
    assert all(line.startswith("Try 'sched") for line in rest)
    assert len(rest) <= 1


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_change_nothing(closed: str) -> None:
    program = Path(sys.executable).with_name("sched")
    for line in (
        f"run -w r --no-progress -- sh -c 'cat; echo out; echo err >&2' {closed}",
        "cat r",
    ):
        done = subprocess.run(
            ["bash", "-c", f"{program} {line}"], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0
        assert "Traceback" not in done.stderr
    assert done.stdout == "out\n"
    assert Path("r/0/job.stderr").read_text() == "err\n"
    assert subprocess.call(["bash", "-c", f"{program} cat r {closed}"]) == 0


@pytest.mark.parametrize(
    "command", ["status", "results", "attach", "kill", "clean", "pack", "resume"]
)
def test_an_empty_name_is_no_run(
    command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    record_run(Path("r"), [JobRecord(0, cmd=["true"])])
    monkeypatch.chdir("r")  # which it does not mean
    assert said(capsys, command, "") == "RUN is empty: name the folder of a run"
