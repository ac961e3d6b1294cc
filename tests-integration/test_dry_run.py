"""`sched run --dry-run` with every scheduler, where nothing that it would need is there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

_PROGRAM = str(Path(sys.executable).with_name("sched"))

_GBATCH = ("-s", "gbatch", "-w", "gs://bucket/r", "-o", "project=p", "-o", "location=us-central1")
_WAYS: Mapping[str, tuple[tuple[str, ...], list[str]]] = {
    "local": ((), ["script of job 0"]),
    "container": (("-s", "container", "-o", "image=debian:12"), ["script of job 0"]),
    "slurm": (
        ("-s", "slurm", "-o", "partition=main"),
        ["command", "standard input of the command", "script of job 0"],
    ),
    "sge": (
        ("-s", "sge", "-o", "q=all.q"),
        ["command", "standard input of the command", "script of job 0", "environment"],
    ),
    "ssh": (("-s", "ssh", "-o", "servers=node1,node2"), ["hosts", "script of job 0"]),
    "gbatch": (_GBATCH, ["request CreateJob", "script of each task", "script of job 0"]),
    "a bucket": (("-w", "gs://bucket/r", "-s", "slurm"), ["command"]),
}


def sched(folder: Path, *args: str) -> subprocess.CompletedProcess[str]:
    """Run it where there are no tools, no credentials and nobody who answers."""
    environment = {
        "HOME": str(folder / "home"),
        "PATH": str(folder / "bin"),
        "LC_ALL": "C.UTF-8",
        "TOKEN": "hush-hush",
        "STORAGE_EMULATOR_HOST": "http://127.0.0.1:9",
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_BATCH": "http://127.0.0.1:9",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    return subprocess.run(
        [_PROGRAM, "run", "--dry-run", *args],
        cwd=folder / "here",
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("home", "bin", "here"):
        (tmp_path / name).mkdir()
    os.symlink("/nowhere", tmp_path / "here/file")
    return tmp_path


def everything(folder: Path) -> list[tuple[str, int]]:
    return sorted((str(path), path.lstat().st_mtime_ns) for path in folder.rglob("*"))


@pytest.mark.parametrize("way", _WAYS)
def test_nothing_is_written_and_nobody_is_asked(folder: Path, way: str) -> None:
    options, titles = _WAYS[way]
    before = everything(folder)
    done = sched(folder, "--json", *options, "--", "echo", "{}", ":::", "a", "b")
    assert (done.returncode, done.stderr) == (0, "")
    found: dict[str, Any] = json.loads(done.stdout)
    shown = [part["title"] for part in found["first_submission"]["parts"]]
    assert shown[: len(titles)] == titles
    assert found["jobs"] == 2
    assert "hush-hush" not in done.stdout
    assert everything(folder) == before


@pytest.mark.parametrize("way", _WAYS)
def test_what_is_wrong_is_refused_as_a_run_would(folder: Path, way: str) -> None:
    options, _ = _WAYS[way]
    before = everything(folder)
    for wrong in (("-j", "0"), ("-o", "fork=2"), ("-o", 'resources={"memory":"4 GX"}')):
        done = sched(folder, *options, *wrong, "--", "true")
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith("sched: error: ")
        assert "Traceback" not in done.stderr
    assert everything(folder) == before


def test_the_engines_command_of_a_container_is_seen(folder: Path) -> None:
    options = ("-s", "container", "-o", "image=debian:12", "-o", "bin=podman")
    shown = sched(folder, *options, "-w", "r", "--", "true").stdout
    (line,) = [line for line in shown.splitlines() if line.startswith("_sched_container=(")]
    assert line.startswith("_sched_container=(podman run --init ")
    assert '--mount type=bind,source="$_sched_root"' in line
