"""Completion in real shells, and the words that it offers."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sched_meta.cli.completers import add_completers
from sched_meta.cli.group import sched as group
from sched_meta.completion import words
from sched_meta.completion.script import SHELLS, completion_script, shell_of

from .program import PATIENCE, PROGRAM, Sched, needs

pytestmark = pytest.mark.once


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f"{Path(PROGRAM).parent}:{os.environ['PATH']}")


class Terminal:
    """A shell on a terminal."""

    def __init__(self, *command: str) -> None:
        self.seen = b""
        self.pid, self._fd = pty.fork()
        if self.pid == 0:
            os.environ["TERM"] = "dumb"
            os.execvp(command[0], command)

    def type(self, text: str) -> None:
        os.write(self._fd, text.encode())

    def wait_for(self, text: str) -> None:
        """Read on until the text was shown."""
        until = time.monotonic() + PATIENCE
        while text.encode() not in self.seen:
            assert select.select([self._fd], [], [], max(0, until - time.monotonic()))[0], self.seen
            self.seen += os.read(self._fd, 4096)
        self.seen = self.seen.partition(text.encode())[2]

    def close(self) -> None:
        os.close(self._fd)
        os.kill(self.pid, 9)
        os.waitpid(self.pid, 0)


START = {
    "bash": (
        ["bash", "--norc", "--noprofile", "-i"],
        "bind 'set enable-bracketed-paste off'; eval \"$(sched completion bash)\"",
    ),
    "zsh": (
        ["zsh", "-f", "-i"],
        'unsetopt prompt_sp; autoload -U compinit; compinit -D -u; eval "$(command sched completion zsh)"',
    ),
}


@pytest.fixture(params=START)
def terminal(request: pytest.FixtureRequest) -> Iterator[Terminal]:
    needs(request.param)
    command, setup = START[request.param]
    shell = Terminal(*command)
    shell.type(f"{setup}; echo rea''dy\n")
    shell.wait_for("ready")
    yield shell
    shell.close()


def test_keys_of_a_shell(terminal: Terminal, sched: Sched) -> None:
    sched("run", "--name", "first", "--", "true")
    Path("sched.toml").write_text("[profile.enormous]\n")
    for typed, completed in (
        ("sched stat\t", "us"),
        ("\x15sched logs fir\t", "st-1"),
        ("\x15sched logs first-1 kil\t", "led"),
        ("\x15sched run --on-error con\t", "tinue"),
        ("\x15sched run --profile eno\t", "rmous"),
        ("\x15sched run -s loc\t", "al"),
        ("\x15sched run -o jobname_\t", "prefix="),
        ("\x15sched run -- cat sched.t\t", "oml"),
    ):
        terminal.type(typed)
        terminal.wait_for(typed.strip("\x15\t"))
        terminal.wait_for(completed)


def test_bash_adds_no_space_behind_an_equals_sign() -> None:
    command, setup = START["bash"]
    shell = Terminal(*command)
    shell.type(f"{setup}; echo rea''dy\n")
    shell.wait_for("ready")
    shell.type("sched run -o jobname_\t17 --frobnicate\n")
    shell.wait_for("jobname_prefix=17 --frob")
    shell.close()


def test_zsh_runs_this_sched_and_no_builtin(sched: Sched) -> None:
    needs("zsh")
    line = 'autoload -U compinit; compinit -D -u; eval "$(command sched completion zsh)"; sched -h'
    output = subprocess.check_output(["zsh", "-f", "-c", line], text=True)
    assert output == sched("-h").stdout


def fish(line: str) -> list[str]:
    needs("fish")
    command = 'sched completion fish | source; complete -C "$argv[1]"'
    output = subprocess.check_output(["fish", "-N", "-c", command, line], text=True)
    return [row.partition("\t")[0] for row in output.splitlines()]


@pytest.mark.parametrize(
    "line, expected",
    [
        ("sched stat", "status"),
        ("sched run --no-", "--no-progress"),
        ("sched run -s loc", "local"),
        ("sched logs fir", "first-1"),
        ("sched logs first-1 tim", "timeout"),
        ("sched run --profile eno", "enormous"),
        ("sched run -- cat sched.t", "sched.toml"),
    ],
)
def test_fish(line: str, expected: str, sched: Sched) -> None:
    sched("run", "--name", "first", "--", "true")
    Path("sched.toml").write_text("[profile.enormous]\n")
    assert expected in fish(line)


def offered(sched: Sched, line: str) -> list[str]:
    """What is offered behind the words of the line, the last of which is begun."""
    typed = line.split(" ")
    environment = {"COMP_WORDS": line, "COMP_CWORD": str(len(typed) - 1)}
    done = subprocess.run(
        [PROGRAM],
        env={**os.environ, **environment, "_SCHED_COMPLETE": "bash_complete"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    return [row.partition(",")[2] for row in done.stdout.splitlines() if row]


def test_options_are_those_of_the_scheduler_that_is_meant(sched: Sched) -> None:
    assert "partition=" in offered(sched, "sched run -s slurm -o p")
    assert "partition=" not in offered(sched, "sched run -o p")
    Path("sched.toml").write_text("scheduler = 'slurm'")
    assert "partition=" in offered(sched, "sched run -o p")
    assert offered(sched, "sched run -s none -o p") == []


def test_options_that_have_flags_of_their_own_are_not_offered() -> None:
    offers = words.option_words("local")
    assert "grace=" in offers
    assert not {"forks=", "workdir=", "timeout="} & set(offers)


def test_names_of_jobs(sched: Sched) -> None:
    command = ("--name", "{}", "--", "true", ":::", "sample1", "sample2", "a b")
    sched("run", "-w", "r", *command)
    assert offered(sched, "sched logs r sa") == ["sample1", "sample2"]
    assert offered(sched, "sched explain r sample") == ["sample1", "sample2"]
    assert "a b" not in words.job_words("r")
    assert "oom" in words.job_words("none") or "out_of_memory" in words.job_words("none")


def test_no_bucket_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object) -> None:
        raise AssertionError("somebody waits at the prompt")

    monkeypatch.setattr(words, "existing_run", refuse)
    assert "failed" in words.job_words("gs://bucket/run")


def test_long_runs_are_not_read(sched: Sched, monkeypatch: pytest.MonkeyPatch) -> None:
    sched("run", "-w", "r", "--name", "{}", "--", "true", ":::", "sample1")
    assert "sample1" in words.job_words("r")
    monkeypatch.setattr(words, "_MOST_RECORDS", 0)
    assert "sample1" not in words.job_words("r")


def test_broken_settings_are_no_trouble_at_the_prompt(sched: Sched) -> None:
    Path("sched.toml").write_text("forks =")
    assert offered(sched, "sched run --profile ") == []
    assert "grace=" in offered(sched, "sched run -o gr")


def test_unknown_command_is_no_trouble_at_the_prompt(sched: Sched) -> None:
    assert "status" in offered(sched, "sched frobnicate ")
    assert offered(sched, "sched run ") == ["--"]


def test_runs_are_offered_newest_first() -> None:
    for name in ("20250101-000000-1", "20260101-000000-1", "with space-1"):
        Path("sched-runs", name).mkdir(parents=True)
    assert words.run_words() == ["20260101-000000-1", "20250101-000000-1"]


@pytest.mark.parametrize("shell", SHELLS)
def test_script_is_of_the_login_shell(
    shell: str, sched: Sched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHELL", f"/usr/local/bin/{shell}")
    script = completion_script(shell, group)
    assert "_SCHED_COMPLETE" in script
    assert script == sched("completion").stdout == sched("completion", shell).stdout


def test_shells_without_a_script(sched: Sched, monkeypatch: pytest.MonkeyPatch) -> None:
    assert shell_of("/bin/tcsh") is None
    monkeypatch.setenv("SHELL", "/bin/tcsh")
    said = sched("completion", code=2).stderr
    assert "your login shell is none of these; name one: bash, zsh, fish" in said
    assert "no script for tcsh; name one" in sched("completion", "tcsh", code=2).stderr


def test_every_parameter_that_is_a_run_can_be_completed() -> None:
    context = group.make_context("sched", ["run"])
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        add_completers(command)
        for parameter in command.params:
            if parameter.name in ("run", "jobs", "scheduler"):
                assert "shell_complete" in vars(parameter)
