"""The examples of the packages' READMEs, each in an empty folder; those of engines have tests beside theirs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from .readmes import examples, programs, run_script

CORE = examples("sched-core")
LOCAL = examples("docs/backends/local.md")
SHORT = ("sched-container", "sched-gbatch", "sched-hpc", "sched-local", "sched-ssh")


def test_core_runs_jobs(tmp_path: Path) -> None:
    lines = run_script(CORE[0], tmp_path).splitlines()
    assert sorted(lines) == [f"{n} FINISHED 0 {n * n}" for n in range(5)]


def test_core_runs_commands_in_one_call(tmp_path: Path) -> None:
    assert run_script(CORE[1], tmp_path) == "0 FINISHED 0\n1 FINISHED 0\n"


def test_core_shows_what_would_be_submitted(tmp_path: Path) -> None:
    first, title, shebang, *_ = run_script(CORE[2], tmp_path).splitlines()
    assert (first, title, shebang) == ("[0, 1]", "script of job 0", "#!/bin/bash")
    assert not (tmp_path / "shown").exists()


def test_core_keeps_a_secret(tmp_path: Path) -> None:
    assert run_script(CORE[3], tmp_path) == "FINISHED {'TOKEN': Secret('***')}\n"
    files = [path for path in (tmp_path / "pushed").rglob("*") if path.is_file()]
    assert files
    assert not [path for path in files if b"hunter2" in path.read_bytes()]


def test_core_runs_a_job_once_though_the_program_is_repeated(tmp_path: Path) -> None:
    first, second, seen = run_script(CORE[4], tmp_path).splitlines()
    assert first == second
    assert first.startswith("0 FINISHED ")
    assert seen == "0 ['date'] FINISHED"


def test_core_has_a_plugin_verify(tmp_path: Path) -> None:
    assert run_script(CORE[5], tmp_path) == "1 OUTPUT it wrote nothing\n['FINISHED', 'FAILED']\n"


def test_core_tells_of_a_wrong_option(tmp_path: Path) -> None:
    (comment,) = re.findall(r"# (the scheduler .*)", CORE[6])
    assert run_script(CORE[6], tmp_path) == f"{comment}\n"


def test_local_runs_jobs(tmp_path: Path) -> None:
    assert run_script(LOCAL[0], tmp_path) == "0 FINISHED 0\n"


def test_local_goes_on_with_a_run(tmp_path: Path) -> None:
    expected = sorted(f"{name} FINISHED {name}" for name in ("one", "two", "three"))
    assert sorted(run_script(LOCAL[1], tmp_path).splitlines()) == expected
    assert sorted(run_script(LOCAL[1], tmp_path).splitlines()) == expected


@pytest.mark.parametrize("examples, count", [(CORE, 7), (LOCAL, 2)])
def test_none_is_left_out(examples: list[str], count: int) -> None:
    assert len(examples) == count


@pytest.mark.parametrize("package", SHORT)
def test_a_readme_shows_what_a_page_shows_and_tests_run(package: str) -> None:
    (shown,) = examples(package)
    assert shown in programs("docs/backends/*.md")
