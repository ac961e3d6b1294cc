"""What `--help` shows: examples first, in 80 columns, options by what they are for."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterator

import click
import pytest

from sched_meta.cli import main
from sched_meta.cli.configured import ConfiguredCommand
from sched_meta.cli.group import sched as group
from sched_meta.cli.sections import SECTIONS

CONTEXT = group.make_context("sched", ["run"])
NAMES = group.list_commands(CONTEXT)

Helper = Callable[..., str]


@pytest.fixture
def text(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Helper:
    """What `sched` prints with these words, on a terminal of 80 columns."""
    monkeypatch.setenv("COLUMNS", "80")

    def show(*words: str) -> str:
        assert main(words) == 0
        captured = capsys.readouterr()
        assert captured.err == ""
        return captured.out

    return show


def command(name: str) -> click.Command:
    found = group.get_command(CONTEXT, name)
    assert found is not None
    return found


@pytest.mark.parametrize("name", NAMES)
def test_examples_come_first_and_everything_fits(name: str, text: Helper) -> None:
    shown = text(name, "--help")
    example = re.search(rf'^  \S*(?:.*")?(?:eval "\$\()?sched {name}\b', shown, re.MULTILINE)
    assert example
    assert example.start() < shown.index("--help  ")
    assert shown.count("\n", 0, example.start()) < 8
    assert [line for line in shown.splitlines() if len(line) > 80] == []
    assert "\\b" not in shown


def test_the_commands_fit(text: Helper) -> None:
    shown = text("--help")
    assert [line for line in shown.splitlines() if len(line) > 80] == []
    for name in NAMES:
        assert f"\n  {name} " in shown


@pytest.mark.parametrize("words", [["run", "--help"], ["run", "-h"], ["help", "run"]])
def test_ways_to_ask(words: list[str], text: Helper) -> None:
    assert text(*words).startswith("Usage: sched run [OPTIONS]")


def test_help_without_a_command(text: Helper) -> None:
    assert text("help") == text("--help") == text("-h")


def test_help_of_what_is_no_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["help", "rnu"]) == 2
    assert "no such command 'rnu'; did you mean 'run'?" in capsys.readouterr().err


def configured() -> Iterator[click.Command]:
    return (found for n in NAMES if isinstance(found := command(n), ConfiguredCommand))


def test_every_option_is_in_a_section_once(text: Helper) -> None:
    for found in configured():
        shown = text(str(found.name), "--help")
        for parameter in found.params:
            if isinstance(parameter, click.Option):
                start = f"(?:-., )?{re.escape(max(parameter.opts, key=len))} "
                assert len(re.findall(f"^  {start}", shown, re.MULTILINE)) == 1
        assert shown.rstrip().endswith("Show this message and exit.")
        assert shown.index("Other:\n  -h, --help") > shown.index("What is shown:")


def test_sections_name_options_that_are_there() -> None:
    known = {parameter.name for found in configured() for parameter in found.params}
    assert {name for names in SECTIONS.values() for name in names.split()} <= known


def test_as_a_module() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "sched_meta", "--version"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith("sched 0.")
