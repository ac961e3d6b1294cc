from __future__ import annotations

import os
from pathlib import Path

import pytest

from sched_core.errors import OptionError, RunNotFound
from sched_meta.reading.runfolder import RunFolder, existing_run, new_run, newest_run


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def make_run(folder: str, age: int = 0) -> RunFolder:
    path = Path(folder)
    (path / ".sched").mkdir(parents=True)
    run_file = path / ".sched" / "run.json"
    run_file.write_text("{}")
    os.utime(run_file, (1_000_000 - age, 1_000_000 - age))
    return RunFolder(folder)


def test_new_runs_are_numbered() -> None:
    assert [RunFolder("sched-runs/align-1"), RunFolder("sched-runs/align-2")] == [
        new_run("align"),
        new_run("align"),
    ]
    assert new_run().path.endswith("-1")


@pytest.mark.parametrize("name", ["a/b", "..", "x" * 300, "a\0b"])
def test_name_that_no_folder_can_have(name: str) -> None:
    with pytest.raises(OptionError, match="cannot be the name of a folder"):
        new_run(name)


def test_newest_run_is_the_one_begun_last() -> None:
    make_run("sched-runs/z-1", age=10)
    newest = make_run("sched-runs/a-1")
    make_run("sched-runs/m-1", age=20)
    Path("sched-runs/empty").mkdir()
    assert newest == newest_run()
    assert RunFolder("sched-runs/m-1") == newest_run("m")
    assert newest_run("none") is None
    assert newest == existing_run(None)


def test_run_is_a_path_or_a_name_under_sched_runs() -> None:
    here, there = make_run("own"), make_run("sched-runs/demo-1")
    assert here == existing_run("own")
    assert there == existing_run("demo-1") == existing_run("sched-runs/demo-1")


def test_no_run() -> None:
    with pytest.raises(RunNotFound, match=r"there is no run under \./sched-runs"):
        existing_run(None)
    with pytest.raises(RunNotFound, match=r"nope is no folder of a run$"):
        existing_run("nope")
    make_run("sched-runs/demo-1")
    Path("plain").mkdir()
    with pytest.raises(
        RunNotFound, match="plain holds no run; the newest here is sched-runs/demo-1"
    ):
        existing_run("plain")
