"""What others have named is shown, and steers nobody's terminal."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from sched_core.runfolder import JobRecord
from sched_meta.cli import main
from sched_meta.console import legible, say
from sched_meta.driving.display import Display
from sched_meta.reading.driverlog import driver_log, note
from sched_meta.reading.runfolder import RunFolder

from .recorded import record_run

NAME = "run\x1b]0;title\x07\x9b2J"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def is_harmless(text: str) -> bool:
    return legible(text) == text


def test_message_keeps_its_lines_and_loses_what_steers_a_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    say("one\x1b[31m\ntwo\té\x9b")
    assert capsys.readouterr().err == "sched: one?[31m\ntwo\té?\n"


@pytest.mark.parametrize("name", [NAME, "a b", "it's", "\udcff", "é", "-x", "plain"])
def test_folder_is_told_as_bash_takes_it(name: str) -> None:
    line = f"printf -- %s {RunFolder(name)}"
    assert is_harmless(line)
    typed = subprocess.check_output(["bash", "-c", line])
    assert typed.removeprefix(b"./") == os.fsencode(RunFolder(name).path)
    assert not typed.startswith(b"-")  # a command would take it for an option


@pytest.mark.parametrize(
    "args", ["status", "explain {} 0", "results {} nothing", "cat", "clean --dry-run", "kill"]
)
def test_commands_show_no_control_characters_of_a_folder(
    args: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # The driver that kill asks is this process, which never answers.
    monkeypatch.setattr("sched_meta.driving.control._PATIENCE", 0.0)
    record_run(Path(NAME), [JobRecord(0, cmd=["true"])])
    driver_log(RunFolder(NAME)).touch()
    words = args.split() if "{}" in args else [*args.split(), "{}"]
    main([NAME if word == "{}" else word for word in words])
    shown = capsys.readouterr()
    assert shown.out + shown.err != ""
    assert is_harmless(shown.out + shown.err)


def test_error_shows_no_control_characters(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status", NAME]) == 2
    assert is_harmless(capsys.readouterr().err)


def test_live_line_shows_no_control_characters(capsys: pytest.CaptureFixture[str]) -> None:
    with Display(lambda: 0, RunFolder("r"), progress=False, prints=False) as display:
        display.say(NAME)
    assert is_harmless(capsys.readouterr().err)


def test_log_takes_what_is_no_text() -> None:
    folder = RunFolder("r")
    Path("r/.sched").mkdir(parents=True)
    note(folder, "left \udcff")
    assert "left \\udcff" in driver_log(folder).read_text()
