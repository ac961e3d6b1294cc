"""The examples that are scripts, each run in a copy of its folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.fixture
def folder(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    shutil.copytree(HERE / request.param, tmp_path / request.param)
    return tmp_path / request.param


def run(folder: Path, *args: str) -> str:
    """Run the example and return what it wrote to stdout."""
    programs = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "./run.sh", *args],
        cwd=folder,
        env={**os.environ, "PATH": programs, "HOME": str(folder)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout


@pytest.mark.parametrize("folder", ["sweep"], indirect=True)
def test_a_sweep_finds_the_best_parameters(folder: Path) -> None:
    best = [tuple(line.split()[:2]) for line in run(folder).splitlines()]
    assert sorted(best) == [("0.1", "1000"), ("0.4", "100"), ("0.4", "1000")]
    names = sorted(path.name for path in (folder / "sweep-run").glob("[0-9]*"))
    assert len(names) == 12


@pytest.mark.timeout(300)
@pytest.mark.parametrize("folder", ["small_files"], indirect=True)
def test_small_files_are_compressed_and_the_run_packed(folder: Path) -> None:
    said = run(folder, "run", "5000")
    assert "jobs:    5,000 jobs: 5,000 finished" in said
    assert len(list((folder / "files").glob("*.gz"))) == 5000
    assert sum(len(files) for _, _, files in os.walk(folder / "run")) < 100


@pytest.mark.parametrize("folder", ["failing"], indirect=True)
def test_what_failed_is_mended_and_run_again(folder: Path) -> None:
    said = run(folder)
    assert "exit code 1" in said
    assert [line.split("\t")[:3] for line in said.splitlines() if "\t" in line] == [
        ["index", "failure", "rc"],
        ["6", "EXIT", "2"],
        ["13", "EXIT", "2"],
    ]
    again = sorted(folder.glob("failing-run/*/job.retry"))
    assert [path.parent.name for path in again] == ["13", "6"]
