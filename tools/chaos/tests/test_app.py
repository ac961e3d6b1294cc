from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ..app import main
from ..processes import Process, end_all, with_variable
from ..report import Figures, as_json, table

CHAOS = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize(
    "words, said",
    [
        (["--backend", "lokal"], "there is no backend 'lokal'; there are local, slurm, sge, ssh,"),
        (["--minutes", "0"], "'0' is no number of minutes; write 5 or 0.5"),
        (["--minutes", "soon"], "'soon' is no number of minutes; write 5 or 0.5"),
        (["--seed", "-1"], "'-1' is no seed"),
        (["--json", "/nowhere/at/all"], "'/nowhere/at/all' cannot be written"),
    ],
)
def test_bad_input_is_told_in_a_line(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    assert said in capsys.readouterr().err.splitlines()[-1]


def run(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(CHAOS), "--backend", "local", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=110)


def test_a_fault_that_there_is_not_is_told_with_those_that_there_are() -> None:
    done = run("--fault", "rain")
    assert done.returncode == 2
    assert "there is no fault 'rain'; on local there are " in done.stderr.splitlines()[-1]


def test_a_short_round_on_this_machine(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    done = run("--minutes", "0.02", "--seed", "1", "--json", str(report))
    assert done.returncode == 0, done.stderr
    (row,) = json.loads(report.read_text())["backends"]
    assert (row["rounds"], row["lost"], row["twice"], row["left_over"]) == (1, 0, 0, 0)
    assert row["jobs"] == 200
    assert sum(row["faults"].values()) > 0
    assert "| local | " in done.stdout


@pytest.fixture
def left_over() -> Iterator[str]:
    variable = f"LEFT_OVER=by {os.getpid()}"
    env = dict([variable.split("=")])
    with subprocess.Popen(["/bin/sleep", "600"], env=env, start_new_session=True) as process:
        yield variable
        process.kill()


def test_a_process_that_is_left_over_is_found_by_its_environment(left_over: str) -> None:
    (found,) = with_variable(left_over)
    assert found.command.strip() == "/bin/sleep 600"
    assert with_variable("EFT_OVER=") == []
    end_all([found, Process(2**22 + 1, "there is none")])


def test_the_report_has_a_row_for_each_backend_and_their_sum() -> None:
    one, two = Figures("local", 90.0, 2, 400, 430), Figures("slurm", 30.0, 1, 150, 150)
    one.faults["disk full"] = 2
    two.violations["twice"] = 1
    lines = table([one, two]).splitlines()
    assert lines[2] == "| local | 1.5 | 2 | 400 | 430 | 0 | 2 | 0 | 0 | 0 | 0 |"
    assert lines[4] == "| all | 2.0 | 3 | 550 | 580 | 0 | 2 | 0 | 1 | 0 | 0 |"
    assert lines[-2:] == ["local: 2 disk full", "slurm: nothing"]
    document = json.loads(as_json([two], 7))
    assert (document["seed"], document["backends"][0]["twice"]) == (7, 1)
