from __future__ import annotations

import csv
import io
import json
import subprocess
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from sched_core.errors import OptionError
from sched_core.model.failure import Failure
from sched_core.model.status import JobStatus
from sched_core.runfolder import JobRecord
from sched_meta.reading.resultformats import as_csv, as_jsonl, as_tsv, iso_time
from sched_meta.reading.results import chosen_columns, job_log, results
from sched_meta.reading.resulttable import as_table

from .program import Sched, in_terminal, needs
from .recorded import BEGUN, record_run

USUAL = (
    "index name status rc failure attempt host submitted started ended wall cpu max_rss cmd".split()
)

FINISHED = JobRecord(
    0,
    ["echo", "a b"],
    name="s1",
    status=JobStatus.FINISHED,
    rc=0,
    host="node1",
    queued=BEGUN,
    submitted=BEGUN + 1,
    started=BEGUN + 2,
    ended=BEGUN + 3.5,
    cpu=1.25,
    max_rss=1 << 20,
)
FAILED = JobRecord(
    1,
    ["sh", "-c", "exit 3"],
    status=JobStatus.FAILED,
    rc=3,
    failure=Failure.EXIT,
    host="node2",
    attempt=2,
    started=BEGUN,
    ended=BEGUN + 1,
)
KILLED = JobRecord(
    2,
    ["sleep", "9"],
    status=JobStatus.KILLED,
    rc=143,
    failure=Failure.CANCELLED,
    host="here",
    started=BEGUN + 1,
    ended=BEGUN + 2,
)
LOST = JobRecord(3, ["x"], status=JobStatus.FAILED, failure=Failure.LOST, ended=BEGUN + 9)
WAITING = JobRecord(4, ["true"], name="last")
JOBS = [FINISHED, FAILED, KILLED, LOST, WAITING]


def run_of_five(path: Path) -> None:
    outputs = {0: (b"a\tb\\\nc\n\n", b""), 1: (b"\xff\x1b[2J", b"no such file\n")}
    record_run(path, JOBS, outputs)


def tsv(text: str) -> list[dict[str, str]]:
    header, *lines = (line.split("\t") for line in text.splitlines())
    return [dict(zip(header, line, strict=True)) for line in lines]


def test_tsv_has_all_columns(sched: Sched) -> None:
    run_of_five(sched.folder / "r")
    first, second, *_, last = tsv(sched("results", "r").stdout)
    assert list(first) == USUAL
    assert {
        "index": "0",
        "name": "s1",
        "status": "FINISHED",
        "rc": "0",
        "failure": "",
        "attempt": "1",
        "host": "node1",
        "submitted": iso_time(BEGUN + 1),
        "started": iso_time(BEGUN + 2),
        "ended": iso_time(BEGUN + 3.5),
        "wall": "1.5",
        "cpu": "1.25",
        "max_rss": "1048576",
        "cmd": "echo 'a b'",
    } == first
    assert tuple(second[name] for name in ("status", "rc", "failure", "attempt")) == (
        "FAILED",
        "3",
        "EXIT",
        "2",
    )
    assert (last["status"], last["started"], last["wall"]) == ("INIT", "", "")


def test_times_have_a_zone() -> None:
    text = iso_time(BEGUN)
    assert datetime.fromisoformat(text).timestamp() == BEGUN
    assert datetime.fromisoformat(text).tzinfo is not None


def test_csv_and_jsonl_agree(sched: Sched) -> None:
    run_of_five(sched.folder / "r")
    rows = list(csv.DictReader(io.StringIO(sched("results", "r", "--format", "csv").stdout)))
    objects = [
        json.loads(line) for line in sched("results", "r", "--format", "jsonl").stdout.splitlines()
    ]
    assert [{name: "" if v is None else str(v) for name, v in o.items()} for o in objects] == rows
    assert (objects[0]["rc"], objects[0]["wall"], objects[4]["rc"]) == (0, 1.5, None)


def test_what_was_printed_is_one_value(sched: Sched) -> None:
    run_of_five(sched.folder / "r")
    (row,) = tsv(sched("results", "r", "0", "--columns", "name,cmd", "--stdout").stdout)
    assert row == {"name": "s1", "cmd": "echo 'a b'", "stdout": r"a\tb\\\nc"}
    (value,) = sched(
        "results", "r", "0", "--columns", "stdout", "--format", "jsonl"
    ).stdout.splitlines()
    assert json.loads(value) == {"stdout": "a\tb\\\nc"}
    odd = sched("results", "r", "1", "--columns", "stdout,stderr").stdout
    assert odd == "stdout\tstderr\n\udcff\x1b[2J\tno such file\n"


def test_some_jobs_of_the_newest_run(sched: Sched) -> None:
    sched("run", "--", "sh", "-c", "exit $0", ":::", "0", "1", "2", code=1)
    newest = next((sched.folder / "sched-runs").iterdir()).name
    assert [row["index"] for row in tsv(sched("results").stdout)] == ["0", "1", "2"]
    assert [row["rc"] for row in tsv(sched("results", newest, "failed").stdout)] == ["1", "2"]
    # a real run tells when, and how long
    for row in tsv(sched("results").stdout):
        assert row["submitted"] <= row["started"] <= row["ended"]
        assert float(row["wall"]) >= 0


@settings(deadline=None)
@given(st.lists(st.text(max_size=8), min_size=1, max_size=3))
def test_any_text_stays_in_its_cell(texts: list[str]) -> None:
    rows = [{"index": number, "stdout": text} for number, text in enumerate(texts)]
    header, *lines = "".join(as_tsv(rows, ("index", "stdout"))).removesuffix("\n").split("\n")
    assert header == "index\tstdout"
    assert [line.count("\t") for line in lines] == [1] * len(rows)
    parsed = csv.DictReader(io.StringIO("".join(as_csv(rows, ("index", "stdout"))), newline=""))
    assert [row["stdout"] for row in parsed] == texts
    assert [json.loads(line)["stdout"] for line in as_jsonl(rows)] == texts


def test_columns(tmp_path: Path) -> None:
    assert chosen_columns(None, stdout=True) == (*USUAL, "stdout")
    assert chosen_columns("wall, index", stdout=False) == ("wall", "index")
    with pytest.raises(OptionError, match="there is no column 'wal'; did you mean 'wall'"):
        chosen_columns("wal", stdout=False)
    folder = record_run(tmp_path / "r", JOBS)
    assert list(results(folder, [FAILED], ("index", "rc"))) == [{"index": 1, "rc": 3}]
    assert [row["index"] for row in results(folder)] == [0, 1, 2, 3, 4]


# --- for people --------------------------------------------------------------------------------------


def table(rows: list[dict[str, Any]], width: int = 60, *, usual: bool = True) -> list[str]:
    return list(as_table(rows, width, usual=usual, color=False))


def test_table_leaves_out_what_tells_nothing(tmp_path: Path) -> None:
    folder = record_run(tmp_path / "r", JOBS)
    assert table(list(results(folder, [FINISHED])), 100)[0].split() == (
        "index name status started wall cpu max_rss cmd".split()
    )
    assert table(list(results(folder, JOBS)), 200)[0].split() == (
        "index name status rc failure attempt host started wall cpu max_rss cmd".split()
    )
    asked = list(results(folder, [FINISHED], ("index", "attempt", "max_rss")))
    assert table(asked, usual=False)[0].split() == ["index", "attempt", "max_rss"]
    assert table([]) == [""]


@settings(deadline=None)
@given(st.lists(st.text(max_size=60), min_size=1, max_size=4), st.integers(40, 120))
def test_table_fits(texts: list[str], width: int) -> None:
    rows = [{"index": 7, "name": text, "stdout": text, "cmd": text} for text in texts]
    for line in table(rows, width):
        assert cell_len(line) <= width
        assert line.isprintable()


def test_of_long_commands_both_ends_are_shown() -> None:
    rows = [{"index": 7, "cmd": f"sh -c 'a script of some length' {name}"} for name in "ab"]
    assert table(rows, 24)[1:] == ["    7  sh -c 'a…ength' a", "    7  sh -c 'a…ength' b"]


def test_table_on_a_terminal(sched: Sched) -> None:
    run_of_five(sched.folder / "r")
    code, shown = in_terminal(sched.folder, "results", "r", "--stdout")
    assert code == 0
    lines = shown.replace("\x1b[31m", "").replace("\x1b[0m", "").splitlines()
    assert len(lines) == 6
    for line in lines:
        assert len(line) <= 80
        assert line.isprintable()
    assert "\x1b[2J" not in shown
    assert (
        "\x1b[2J" not in in_terminal(sched.folder, "results", "r", "--stdout", "--format", "tsv")[1]
    )


# --- GNU parallel --------------------------------------------------------------------------------------


def test_joblog(tmp_path: Path) -> None:
    folder = record_run(tmp_path / "r", JOBS, {0: (b"12345", b"")})
    lines = [str(line).split("\t") for line in job_log(folder, JOBS, "here")]
    assert lines == [
        ["2", "node2", "1767268800.000", "     1.000", "0", "0", "3", "0", "sh -c 'exit 3'"],
        ["3", ":", "1767268801.000", "     1.000", "0", "0", "0", "15", "sleep 9"],
        ["1", "node1", "1767268802.000", "     1.500", "0", "5", "0", "0", "echo 'a b'"],
        ["4", ":", "1767268809.000", "     0.000", "0", "0", "-1", "0", "x"],
    ]


def test_parallel_goes_on_from_the_joblog(sched: Sched) -> None:
    needs("parallel")
    command = "echo {} >>ran; exit {}"
    sched("run", "-w", "r", "--shell", "--", command, ":::", "0", "3", code=1)
    log = sched.folder / "log"
    log.write_text(sched("results", "r", "--format", "joblog").stdout)
    options = ["parallel", "--joblog", "log"]
    # with its own log it would have the same columns
    subprocess.run([*options[:2], "own", "true", ":::", "1"], cwd=sched.folder, check=True)
    assert log.read_text().split("\n")[0] == (sched.folder / "own").read_text().split("\n")[0]
    (sched.folder / "ran").unlink()
    subprocess.run(
        [*options, "--resume", command, ":::", "0", "3", "4"], cwd=sched.folder, check=False
    )
    assert sched.lines("ran") == ["4"]
    subprocess.run([*options, "--retry-failed"], cwd=sched.folder, check=False)
    assert sched.lines("ran") == ["3", "4", "4"]
