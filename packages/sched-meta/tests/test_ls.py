"""`sched ls`: the runs below a folder, whatever state they are in."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from sched_core.errors import OptionError
from sched_core.model.status import JobStatus
from sched_meta.keeping.overview import RunRow, older_than, parse_age, row_of, runs_below
from sched_meta.keeping.runtable import as_table, as_tsv

from .keptruns import failed, make_run, record
from .program import Sched, in_terminal
from .recorded import BEGUN


def test_what_a_run_is_and_takes_up(sched: Sched) -> None:
    sched("run", "--name", "a", "--", "test", "a", "=", ":::", "a", "b", code=1)
    sched("run", "--name", "b", "--", "true")
    rows = [json.loads(line) for line in sched("ls", "--json").stdout.splitlines()]
    assert [(r["name"], r["state"], r["jobs"], r["done"], r["failed"]) for r in rows] == [
        ("b-1", "finished", 1, 1, 0),
        ("a-1", "failed", 2, 2, 1),
    ]
    paths = [p for p in (sched.folder / "sched-runs/b-1").rglob("*") if p.is_file()]
    assert rows[0]["files"] == len(paths)
    assert rows[0]["size"] == sum(p.stat().st_size for p in paths)
    assert rows[0]["folder"] == "sched-runs/b-1"
    assert rows[0]["begun"] <= rows[0]["last"]
    names = [line.split("\t")[0] for line in sched("ls", "--sort", "name").stdout.splitlines()]
    assert names == ["name", "a-1", "b-1"]


def test_who_drives_it(sched: Sched) -> None:
    driver = sched.start_waiting_jobs()
    row = json.loads(sched("ls", ".", "--json", "--no-size").stdout)
    assert (row["state"], row["files"], row["size"]) == ("running", None, None)
    assert f"process {driver.process.pid} on " in row["driver"]
    sched.go()
    assert driver.finish()[0] == 0


def test_a_run_that_cannot_be_read_is_a_row(sched: Sched) -> None:
    sched("run", "--name", "a", "--", "true")
    broken = sched.folder / "sched-runs/z/.sched"
    broken.mkdir(parents=True)
    (broken / "run.json").write_text('{"schema_version": 99}')
    done = sched("ls", "--sort", "name")
    assert [line.split("\t")[3] for line in done.stdout.splitlines()] == [
        "state",
        "finished",
        "unreadable",
    ]
    assert "warning: sched-runs/z: " in done.stderr
    assert "has schema version 99" in done.stderr


def test_nothing_there(sched: Sched) -> None:
    assert sched("ls").stderr == "sched: there is no run in ./sched-runs\n"
    (sched.folder / "empty").mkdir()
    assert sched("ls", "empty", "--json").stderr == "sched: there is no run in empty\n"


def test_on_a_terminal(sched: Sched) -> None:
    sched("run", "--name", "a", "--", "true")
    _, shown = in_terminal(sched.folder, "ls")
    header, row = shown.splitlines()[-2:]  # a machine that is slow tells how far it is
    row = row.removeprefix("\x1b[2K")
    assert header.split() == "name scheduler state jobs failed begun took size files".split()
    assert max(map(len, (header, row))) <= 80
    assert row.split()[:5] == ["a-1", "local", "finished", "1", "-"]


def test_states(tmp_path: Path) -> None:
    runs = {
        "empty": [],
        "finished": [record(0)],
        "failed": [record(0), failed(1)],
        "killed": [record(0, JobStatus.KILLED)],
        "interrupted": [record(0), record(1, JobStatus.KILLED, interrupted=True)],
    }
    for state, jobs in runs.items():
        row = row_of(make_run(tmp_path / state, jobs))
        assert row.state == state, row.problem
        assert row.jobs == len(jobs)
    assert [run.path for run in runs_below(str(tmp_path))] == sorted(
        str(tmp_path / name) for name in runs
    )
    assert [run.path for run in runs_below(str(tmp_path / "empty"))] == [str(tmp_path / "empty")]


def test_links_are_not_followed(tmp_path: Path) -> None:
    run = make_run(tmp_path / "r", [record(0)])
    before = row_of(run)
    (tmp_path / "r" / "link").symlink_to("/usr")
    after = row_of(run)
    assert after.files == (before.files or 0) + 1


def test_folders_that_are_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("file").touch()
    with pytest.raises(OptionError, match="none is no folder; name one that has runs in it"):
        runs_below("none")
    with pytest.raises(OptionError, match="file is a file; name a folder"):
        runs_below("file")
    assert runs_below() == []


def test_ages(tmp_path: Path) -> None:
    run = make_run(tmp_path / "r", [record(0)])
    assert older_than([run], 60.0) == [run]
    assert older_than([run], 1e12) == []
    assert parse_age("30d") == 30 * 86400
    with pytest.raises(OptionError, match="--older-than '30' has no unit; write for example 30d"):
        parse_age("30")


def test_a_short_name_takes_no_more_room_than_it_needs() -> None:
    (header, row) = as_table([RunRow("r", "r", "local", "finished", jobs=1, done=1)], 80)
    assert header.startswith("name  scheduler  state")
    assert row.startswith("r     local      finished")


@pytest.mark.parametrize("width", [80, 60, 40])
def test_table_fits(width: int) -> None:
    rows = [
        RunRow(
            "20260101-120000-1" * 2,
            "f",
            "container",
            "interrupted",
            jobs=100_000,
            done=4_990,
            failed=17,
            begun=BEGUN,
            last=BEGUN + 5000,
            size=123_456_789,
            files=700_123,
        ),
        RunRow("odd\x1b[2J", "g", problem="it is broken"),
    ]
    header, first, second = as_table(rows, width)
    assert max(map(len, (header, first, second))) <= max(width, 57)
    assert "4,990/100,000" in first
    assert "700,123" in first
    assert "\x1b" not in second
    assert not any("\x1b" in line for line in as_tsv(rows))
    assert os.linesep not in header
