"""What `sched top` shows, without any screen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sched_core.model.failure import Failure
from sched_core.model.status import JobStatus
from sched_core.runfolder import JobRecord, Layout, LeaseRecord, RunFile, RunView
from sched_meta.reading.states import state_word
from sched_meta.top.columns import Column, line
from sched_meta.top.header import bar, pace_line, states_line, tabs_line
from sched_meta.top.lines import LastLines
from sched_meta.top.model import MOST, Counts, Query, RunModel, Tab
from sched_meta.top.pace import Pace, PaceMeter, sparkline
from sched_meta.top.table import Table, make_table

NOW = 1_767_268_800.0


def job(index: int, status: JobStatus = JobStatus.QUEUED, **state: Any) -> JobRecord:
    return JobRecord(index, state.pop("cmd", ["work", str(index)]), status=status, **state)


def finished(index: int, took: float = 1.0, ended: float = NOW) -> JobRecord:
    return job(index, JobStatus.FINISHED, rc=0, started=ended - took, ended=ended)


def failed(index: int, rc: int = 1, failure: Failure = Failure.EXIT) -> JobRecord:
    return job(index, JobStatus.FAILED, rc=rc, failure=failure, started=NOW - 2, ended=NOW - 1)


def running(index: int, since: float = 1.0, **state: Any) -> JobRecord:
    return job(index, JobStatus.RUNNING, started=NOW - since, host="node1", **state)


def view(*, driven: bool = True) -> RunView:
    run = RunFile("r1", 1, NOW, "local", "sched_local:LocalScheduler", {}, "/")
    lease: Any = LeaseRecord(1, "a driver", 0, released=not driven)  # type: ignore[arg-type]
    return RunView(Layout("r"), run, {}, lease, driven)


def model_of(*jobs: JobRecord) -> RunModel:
    model = RunModel()
    model.take(jobs)
    return model


def no_words(jobs: Sequence[JobRecord]) -> list[str]:
    return [""] * len(jobs)


def table(model: RunModel, tab: Tab, text: str = "") -> Table:
    return make_table(model, Query(tab, text), NOW, no_words)


def shown(what: Table) -> list[tuple[str, ...]]:
    return [row.cells for row in what.rows]


def indexes(what: Table) -> list[int]:
    return [row.indexes[0] for row in what.rows if row.is_job]


# --- counts ----------------------------------------------------------------------------------------


def test_jobs_are_counted_as_they_move() -> None:
    model = model_of(*(job(index) for index in range(4)))
    model.take([running(0), running(1), failed(2)])
    model.take([finished(0)])
    counts = model.counts(view(), NOW)
    assert counts.states == {
        "finished": 1, "failed": 1, "killed": 0, "interrupted": 0, "running": 1, "waiting": 1,
    }  # fmt: skip
    assert (counts.total, counts.done) == (4, 2)
    assert [counts.of(tab) for tab in Tab] == [1, 1, 1, 1, 4]


def test_a_record_that_changes_in_place_is_counted_once() -> None:
    record = running(0)
    model = model_of(record)
    for status in (JobStatus.KILLING, JobStatus.KILLED):
        record.status = status
        model.take([record])
    assert model.counts(view(), NOW).states["killed"] == 1
    assert model.counts(view(), NOW).total == 1


def test_what_was_killed_with_its_run_waits_for_a_resume() -> None:
    record = job(0, JobStatus.KILLED, interrupted=True)
    assert state_word(record) == "interrupted"
    counts = model_of(record).counts(view(driven=False), NOW)
    assert counts.done == 0
    assert counts.of(Tab.WAITING) == 1


def test_time_left_follows_from_the_pace() -> None:
    ended = [finished(index, ended=NOW - index // 2) for index in range(40)]
    model = model_of(*ended, *(job(index) for index in range(40, 60)))
    counts = model.counts(view(), NOW)
    assert counts.pace
    assert counts.pace.rate == pytest.approx(2, rel=0.1)
    assert counts.seconds_left == pytest.approx(10, rel=0.1)


def test_nobody_drives_and_nothing_is_left_to_be_told_of() -> None:
    model = model_of(finished(0, ended=NOW - 1e6), job(1))
    counts = model.counts(view(driven=False), NOW)
    assert counts.seconds_left is None
    assert counts.pace
    assert sum(counts.pace.ends) == 1  # up to its last end, however long ago


def test_a_retried_job_has_not_ended_after_all() -> None:
    record = failed(0)
    model = model_of(record)
    model.take([replace(record, status=JobStatus.QUEUED, attempt=2)])
    assert model.counts(view(), NOW).pace is None


# --- pace ------------------------------------------------------------------------------------------


def test_the_span_is_as_short_as_there_are_ends_enough() -> None:
    meter = PaceMeter()
    meter.started(NOW - 10_000)
    for second in range(1000):
        meter.ended(NOW - 10 * second)
    pace = meter.pace(NOW, 40)
    assert pace
    assert pace.seconds == 600
    assert sum(pace.ends) == 60


def test_a_run_that_has_just_begun_is_looked_at_as_a_whole() -> None:
    meter = PaceMeter()
    assert meter.pace(NOW, 40) is None
    meter.started(NOW - 4)
    meter.ended(NOW - 1)
    assert meter.pace(NOW, 40) == Pace(5, (0, 0, 0, 1, 0))


@given(st.lists(st.integers(0, 10**6), min_size=1), st.integers(1, 80))
def test_no_end_is_lost_or_counted_twice(ages: list[int], parts: int) -> None:
    meter = PaceMeter()
    for age in ages:
        meter.ended(NOW - age)
    pace = meter.pace(NOW, parts)
    assert pace
    assert len(pace.ends) <= parts
    assert sum(pace.ends) == sum(age < pace.seconds for age in ages)


def test_sparkline() -> None:
    assert sparkline((0, 1, 4, 8)) == " ▁▄█"
    assert sparkline((0, 0)) == "  "
    assert sparkline((1, 1000)) == "▁█"


# --- lists -----------------------------------------------------------------------------------------


def test_the_longest_running_comes_first() -> None:
    model = model_of(running(0, 5), running(1, 90), running(2, 20))
    assert indexes(table(model, Tab.RUNNING)) == [1, 2, 0]
    assert shown(table(model, Tab.RUNNING))[0] == ("1", "work 1", "1", "node1", "1m30s")


def test_the_slowest_that_finished_comes_first() -> None:
    model = model_of(finished(0, 5), replace(finished(1, 9), cpu=8.5, max_rss=1 << 30))
    assert shown(table(model, Tab.SLOWEST)) == [
        ("1", "work 1", "-", "9s", "8.5s", "1 GiB"),
        ("0", "work 0", "-", "5s", "-", "-"),
    ]


def test_waiting_jobs_say_for_how_long() -> None:
    model = model_of(
        job(0, JobStatus.SUBMITTED, queued=NOW - 50, submitted=NOW - 40),
        job(1, queued=NOW - 60, name="second"),
        job(2, reason="the quota CPUS is used up"),
    )
    assert shown(table(model, Tab.WAITING)) == [
        ("0", "work 0", "1", "submitted", "40s"),
        ("1", "second: work 1", "1", "queued", "1m"),
        ("2", "work 2", "1", "the quota CPUS is used up", "-"),
    ]


def test_failures_are_grouped_the_largest_first() -> None:
    model = model_of(failed(0), failed(1, 2), failed(2, 2), failed(3, failure=Failure.TIMEOUT))
    words = {0: "no such file", 1: "bad header", 2: "bad header", 3: ""}
    made = make_table(
        model, Query(Tab.FAILED), NOW, lambda jobs: [words[job.index] for job in jobs]
    )
    assert [row.cells[0] for row in made.rows] == [
        "EXIT rc 2, 2 jobs: bad header", "1", "2",
        "EXIT rc 1, 1 job: no such file", "0",
        "TIMEOUT rc 1, 1 job", "3",
    ]  # fmt: skip
    assert made.rows[0].indexes == (1, 2)
    assert not made.rows[0].is_job


def test_of_many_failures_each_group_is_seen() -> None:
    model = model_of(*(failed(index, 2) for index in range(5000)), failed(5000, 7))
    made = make_table(model, Query(Tab.FAILED), NOW, lambda jobs: no_words(jobs[:2000]))
    headings = [row.cells[0] for row in made.rows if not row.is_job]
    assert headings == ["EXIT rc 2, 5,000 jobs", "EXIT rc 7, 1 job"]
    assert made.hidden == 5001 - len(indexes(made)) > 4000


def test_a_list_has_an_end_and_says_so() -> None:
    model = model_of(*(job(index) for index in range(MOST + 7)))
    made = table(model, Tab.ALL)
    assert indexes(made) == list(range(MOST))
    assert made.hidden == 7


def test_the_filter_looks_into_names_and_commands_of_all_jobs() -> None:
    many = [job(index) for index in range(2000)]
    model = model_of(*many, job(2000, name="Sample_A"), job(2001, cmd=["gzip", "x y.log"]))
    assert indexes(table(model, Tab.ALL, "sample_a")) == [2000]
    assert indexes(table(model, Tab.ALL, "'x y.LOG'")) == [2001]
    assert indexes(table(model, Tab.WAITING, "work 199")) == [199, *range(1990, 2000)]
    assert indexes(table(model, Tab.RUNNING, "sample_a")) == []


def test_names_commands_and_hosts_cannot_move_a_cursor() -> None:
    record = running(0, name="a\x1b[2Jb", cmd=["echo", "\x1b]0;x\x07"])
    record.host = "no\rde"
    cells = shown(table(model_of(record), Tab.RUNNING))[0]
    assert all(cell.isprintable() for cell in cells)
    assert cells[1].startswith("a?[2Jb: echo ")


# --- lines of text ---------------------------------------------------------------------------------


def test_columns_fit_into_the_width() -> None:
    columns = (Column("JOB", 4, right=True), Column("COMMAND", 0), Column("HOST", 5))
    assert line(columns, ["7", "sleep 1", "n1"], 30) == "    7  sleep 1           n1   "
    assert line(columns, ["7", "sleep " * 9, "node100"], 30) == "    7  sleep sleep sle…  node…"
    assert (
        line(columns, ["7", "名前の長い仕事の一つです", "n1"], 30)
        == "    7  名前の長い仕事 …  n1   "
    )


def counts_of(**states: int) -> Counts:
    words = ("finished", "failed", "killed", "interrupted", "running", "waiting")
    return Counts({word: states.get(word, 0) for word in words}, None, None)


def test_the_bar_has_a_part_for_each_state() -> None:
    text = bar(counts_of(finished=5, failed=1, running=1, waiting=3), 40).plain
    assert text == "████████████▓▓▒▒▒░░░░░░░  60%  6/10 done"
    full = bar(counts_of(finished=1000), 40).plain
    assert full == "█" * (40 - len(" 100%  1,000/1,000 done")) + " 100%  1,000/1,000 done"
    assert "99%" in bar(counts_of(finished=999, running=1), 40).plain
    assert bar(counts_of(), 30).plain.endswith("   0%  0/0 done")


def test_the_words_of_the_header() -> None:
    counts = counts_of(finished=12_000, failed=2)
    assert states_line(counts).plain == "12,000 finished  2 failed  0 running  0 waiting"
    assert pace_line(counts, driven=True).plain == "no job has ended yet"
    paced = replace(counts, pace=Pace(10, (0, 20, 40)), seconds_left=90.4)
    assert pace_line(paced, driven=True).plain == " ▄█ 6.0/s in 10s, 1m30s left"
    assert tabs_line(counts, Tab.ALL).plain == (
        " 1 running 0  2 failed 2  3 waiting 0  4 slowest  5 all 12,002 "
    )


# --- what jobs write -------------------------------------------------------------------------------


def fed(*pieces: bytes) -> list[str]:
    lines = LastLines()
    for piece in pieces:
        lines.feed(piece)
    return lines.lines()


def test_lines_come_in_pieces() -> None:
    assert fed(b"one\ntw", b"o\nthr", b"ee") == ["one", "two", "three"]
    assert fed("é".encode()[:1], "é\n".encode()[1:]) == ["é"]
    assert fed(b"\xff\n\n") == ["\N{REPLACEMENT CHARACTER}", ""]


def test_a_progress_bar_is_what_it_last_showed() -> None:
    assert fed(b"10%\r20%\r", b"30%\r") == ["30%"]
    assert fed(b"10%\r100%\r\ndone\r\n") == ["100%", "done"]


def test_what_a_terminal_would_obey_is_made_harmless() -> None:
    assert fed(b"\x1b[31mred\x07\n") == ["?[31mred?"]
    assert fed(b"a\tb\n") == ["a       b"]


def test_only_the_end_is_kept() -> None:
    assert fed(b"".join(b"%d\n" % number for number in range(5000)))[-1] == "4999"
    assert len(fed(b"".join(b"%d\n" % number for number in range(5000)))) == 2000
    (line,) = fed(*[b"x" * 1000] * 50)
    assert len(line) == 2000


@given(st.lists(st.binary(max_size=8)))
def test_pieces_make_no_difference(pieces: list[bytes]) -> None:
    if b"\r" not in b"".join(pieces):
        assert fed(*pieces) == fed(b"".join(pieces))
    assert all(line.isprintable() for line in fed(*pieces))
