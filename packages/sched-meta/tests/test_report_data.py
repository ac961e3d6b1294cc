"""What a report says: attempts, lanes, numbers, advice; without a browser."""

from __future__ import annotations

import random
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sched_core.model.failure import Failure
from sched_core.model.status import JobStatus
from sched_meta.htmlreport import Report, read_report
from sched_meta.htmlreport.advice import Advice, advice_on, memory_option, time_option
from sched_meta.htmlreport.charts import distributions, jobs_over_time, throughput
from sched_meta.htmlreport.columns import columns, embedded
from sched_meta.htmlreport.lanes import pack
from sched_meta.htmlreport.reproduce import commands
from sched_meta.htmlreport.statistics import (
    average_over_time,
    count_over_time,
    histogram,
    quantile,
    spread,
)
from sched_meta.htmlreport.tables import (
    escalations,
    failure_rows,
    host_rows,
    retried_rows,
    slowest_rows,
    usage_rows,
)
from sched_meta.htmlreport.usage import usages
from sched_meta.htmlreport.words import cores, memory_text, span
from sched_meta.reading.attempts import attempts_of
from sched_meta.reading.runfolder import RunFolder

from .reportruns import BEGUN, GIB, Story, write

SPANS = st.lists(
    st.tuples(st.integers(0, 50), st.integers(0, 20)).map(lambda s: (s[0], s[0] + s[1]))
)


@pytest.fixture
def story() -> Story:
    return Story()


def report_of(story: Story, folder: Path) -> Report:
    return read_report(RunFolder(write(story, folder / "r")))


def many(story: Story, number: int = 20, **state: Any) -> None:
    """Jobs that all took ten seconds, one after the other."""
    for index in range(number):
        story.job(index, ["work", str(index)])
        story.attempt(index, 10.0 * index, 10.0 * (index + 1), host="n1", **state)


def advice(story: Story, folder: Path) -> list[Advice]:
    report = report_of(story, folder)
    return advice_on(report, usages(report))


# --- attempts ------------------------------------------------------------------------------------


def test_attempts_that_failed_are_there(story: Story, tmp_path: Path) -> None:
    story.job(0, ["a"])
    story.attempt(0, 1.0, 3.0, host="n1", failure=Failure.NODE_FAIL, will_retry=True)
    story.move(0, JobStatus.QUEUED, 4.0, attempt=2)
    story.attempt(0, 9.0, 11.5, number=2, host="n2", cpu=1.5, max_rss=7)
    first, second = report_of(story, tmp_path).attempts[0]
    assert (first.number, first.host, first.failure, first.wall) == (1, "n1", Failure.NODE_FAIL, 2)
    assert (second.number, second.host, second.failure, second.wall) == (2, "n2", None, 2.5)
    assert (first.waited, second.waited) == (1.0, 5.0)
    assert (second.cpu, second.max_rss, second.rc) == (1.5, 7, 0)


def test_what_nobody_told_stays_unknown(story: Story, tmp_path: Path) -> None:
    story.job(0, ["a"])
    report = report_of(story, tmp_path)
    (attempt,) = report.attempts[0]
    assert (attempt.wall, attempt.waited, attempt.cpu, attempt.max_rss) == (None,) * 4
    assert report.goes_on
    assert [chart.is_empty for chart in distributions(report)] == [True] * 4
    assert columns(report)["attempts"]["started"] == [-1]


def test_an_index_that_was_used_again_is_another_job() -> None:
    entries: list[dict[str, Any]] = [
        {"generation": 1, "at": 0.0},
        {"job": 0, "cmd": ["old"]},
        {"state": 0, "to": 7, "at": 1.0, "attempt": 1, "failure": "EXIT"},
        {"generation": 2, "at": 5.0},
        {"job": 0, "cmd": ["new"]},
        {"state": 0, "to": 2, "at": 6.0, "attempt": 2},
    ]
    assert [a.number for a in attempts_of(entries)[0]] == [2]


def test_a_job_that_runs_goes_on_until_now(story: Story, tmp_path: Path) -> None:
    story.job(0, ["a"])
    story.move(0, JobStatus.RUNNING, 2.0, started=BEGUN + 2.0, host="n1")
    report = report_of(story, tmp_path)
    (attempt,) = report.attempts[0]
    assert report.end_of(attempt) == report.until == report.now
    assert columns(report)["states"][columns(report)["attempts"]["state"][0]] == "running"


# --- lanes ---------------------------------------------------------------------------------------


@given(SPANS)
def test_no_two_jobs_of_a_lane_overlap(spans: list[tuple[int, int]]) -> None:
    lanes = pack(spans)
    for lane in set(lanes):
        of_lane = sorted(s for s, number in zip(spans, lanes, strict=True) if number == lane)
        for (_, end), (start, _) in pairwise(of_lane):
            assert end <= start


@given(SPANS)
def test_there_are_no_more_lanes_than_jobs_at_a_time(spans: list[tuple[int, int]]) -> None:
    lanes = pack(spans)
    at_a_time = (sum(a <= start < b or a == start for a, b in spans) for start, _ in spans)
    assert len(set(lanes)) == max(lanes, default=-1) + 1 <= max(at_a_time, default=0)


def test_the_lowest_free_lane_is_taken() -> None:
    assert pack([(0, 10), (1, 3), (4, 6), (5, 8)]) == [0, 1, 1, 2]


# --- numbers -------------------------------------------------------------------------------------


def test_quantiles_are_values_that_there_were() -> None:
    values = list(range(1, 101))
    assert [quantile(values, share) for share in (0.0, 0.5, 0.99, 1.0)] == [1, 50, 99, 100]
    assert quantile([7], 0.5) == 7


def test_no_values_have_no_spread() -> None:
    assert spread([]) is None
    assert histogram([], "time") is None


@given(
    st.lists(st.floats(0, 1e7), min_size=1, max_size=200) | st.lists(st.floats(0, 1), min_size=1)
)
@pytest.mark.parametrize("kind", ["time", "memory"])
def test_every_value_is_in_a_bin(kind: Any, values: list[float]) -> None:
    found = histogram(values, kind)
    assert found is not None
    assert sum(found.bins) == len(values)
    assert len(found.edges) == len(found.bins) + 1 <= 30
    assert list(found.edges) == sorted(set(found.edges))
    assert found.edges[0] <= min(values) * (1 + 1e-9)
    assert max(values) <= found.edges[-1] * (1 + 1e-9)


def test_bins_end_where_people_count() -> None:
    found = histogram([float(n) for n in range(0, 3600, 7)], "time")
    assert found is not None
    assert found.edges[:3] == (0, 300, 600)
    assert not found.bins_grow


def test_bins_grow_where_values_are_far_apart() -> None:
    found = histogram([0.01, 0.02, 5.0, 8000.0], "time")
    assert found is not None
    assert found.bins_grow


@given(SPANS.filter(bool), st.integers(1, 50))
def test_the_average_over_time_adds_up(spans: list[tuple[int, int]], parts: int) -> None:
    end = max(b for _, b in spans) or 1
    averages = average_over_time(spans, 0, end, parts)
    assert sum(averages) * end / parts == pytest.approx(sum(b - a for a, b in spans))


def test_moments_are_counted_where_they_are() -> None:
    assert count_over_time([0, 1, 2.5, 10], 0, 10, 5) == [2, 1, 0, 0, 1]


@pytest.mark.parametrize(
    "seconds, text",
    [(0, "0s"), (0.0123, "12ms"), (4.56, "4.6s"), (59.4, "59s"), (125, "2m5s"), (12345, "3h26m")],
)
def test_spans(seconds: float, text: str) -> None:
    assert span(seconds) == text


def test_amounts() -> None:
    assert [memory_text(n) for n in (0, 1000, 1.25 * GIB, 3000 * GIB)] == [
        "0 B",
        "1000 B",
        "1.2 GiB",
        "2.9 TiB",
    ]
    assert [cores(n) for n in (1.0, 0.5, 1.96, 31.7)] == [
        "1 core",
        "0.5 cores",
        "2 cores",
        "32 cores",
    ]


# --- usage and advice ----------------------------------------------------------------------------


def test_too_much_memory(tmp_path: Path) -> None:
    story = Story(resources={"memory": 8 * GIB})
    many(story, 100, max_rss=int(1.2 * GIB))
    (found,) = [piece for piece in advice(story, tmp_path) if piece.topic == "memory"]
    assert found.text == "asked 8 GiB, 100 jobs used at most 1.2 GiB"
    assert found.option == "--memory 1536M"


def test_few_jobs_that_need_more_get_it_later(tmp_path: Path) -> None:
    story = Story(resources={"memory": 32 * GIB})
    many(story, 200, max_rss=GIB)
    story.job(200, ["large"])
    story.attempt(200, 0.0, 10.0, host="n1", max_rss=10 * GIB)
    (found,) = [piece for piece in advice(story, tmp_path) if piece.topic == "memory"]
    assert found.text == "asked 32 GiB, 99% of the jobs used at most 1 GiB, the most was 10 GiB"
    assert found.option == "--memory 1536M,13G"


def test_memory_that_was_not_enough(tmp_path: Path) -> None:
    story = Story(resources={"memory": 4 * GIB})
    many(story, failure=Failure.OUT_OF_MEMORY, rc=137, max_rss=4 * GIB)
    assert advice(story, tmp_path) == [
        Advice(
            "memory",
            "20 attempts ran out of 4 GiB; let only those have more",
            "--memory 4G,8G,16G",
        )
    ]


def test_attempts_that_got_more_need_no_advice(tmp_path: Path) -> None:
    story = Story(resources={"memory": [4 * GIB, 8 * GIB]})
    story.job(0, ["a"])
    out: dict[str, Any] = {"failure": Failure.OUT_OF_MEMORY, "rc": 137, "will_retry": True}
    story.attempt(0, 0.0, 1.0, host="n1", **out)
    raised = {"raised": {"memory": 8 * GIB}}
    story.move(0, JobStatus.QUEUED, 1.0, attempt=2, **raised)
    story.attempt(0, 1.0, 2.0, number=2, host="n1", **raised)
    report = report_of(story, tmp_path)
    assert advice_on(report, usages(report)) == []
    assert escalations(report) == ["memory from 4 GiB to 8 GiB: 1 job, 1 finished"]
    (row,) = retried_rows(report)
    assert row.attempts == (
        "1: OUT_OF_MEMORY rc 137 after 1s with 4 GiB",
        "2: finished after 1s",
    )
    asked = [(u.asked, u.attempts) for u in usages(report) if u.resource == "memory"]
    assert asked == [(4 * GIB, 1), (8 * GIB, 1)]


@pytest.mark.parametrize(
    "limit, option",
    [({"timeout": 4 * 3600}, "--time 1m"), ({"resources": {"time": 300}}, "--time 1m")],
)
def test_too_much_time(limit: dict[str, Any], option: str, tmp_path: Path) -> None:
    story = Story(**limit)
    many(story)
    (found,) = advice(story, tmp_path)
    assert (found.topic, found.option) == ("time", option)


def test_time_that_was_not_enough(tmp_path: Path) -> None:
    story = Story(timeout=10)
    many(story, 1, failure=Failure.TIMEOUT)
    (found,) = advice(story, tmp_path)
    assert found.text == "1 attempt ran into the limit of 10s; let only those have more"
    assert found.option == "--time 10s,1m"


def test_cores_that_idle(tmp_path: Path) -> None:
    story = Story(resources={"cpus": 8})
    many(story, cpu=19.0)
    (found,) = advice(story, tmp_path)
    assert found.text == "asked 8, 20 jobs used at most 1.9 cores"
    assert found.option == "--cpus 2"


def test_cores_that_nobody_asked_for(story: Story, tmp_path: Path) -> None:
    many(story, cpu=38.0)
    (found,) = advice(story, tmp_path)
    assert found.text == "not asked for, half of the jobs used 3.8 cores or more: they compete"
    assert found.option == "--cpus 4"


def test_short_jobs_on_a_cluster(story: Story, tmp_path: Path) -> None:
    for index in range(100):
        story.job(index, ["a"])
        story.attempt(index, index, index + 0.5)
    (found,) = advice(story, tmp_path)
    assert found.text.startswith("half of the jobs took 500ms or less: the scheduler has less")
    story.scheduler = "local"
    assert advice(story, tmp_path / "again") == []


def test_nothing_is_concluded_from_little(tmp_path: Path) -> None:
    story = Story(resources={"cpus": 8, "memory": 8 * GIB, "time": 86400})
    many(story, 4, cpu=1.0, max_rss=1)
    assert advice(story, tmp_path) == []


def test_a_jobs_own_wishes_come_first(tmp_path: Path) -> None:
    story = Story(resources={"memory": GIB, "time": 60}, timeout=100)
    own: dict[str, Any] = {"resources": {"memory": 2 * GIB, "time": 5}}
    specs: list[dict[str, Any]] = [{}, own, {"timeout": 7}]
    for index, spec in enumerate(specs):
        story.job(index, ["a"], **spec)
        story.attempt(index, 0.0, 1.0)
    found = {(u.resource, u.asked) for u in usages(report_of(story, tmp_path))}
    assert found == {
        ("cpus", None),
        ("memory", GIB),
        ("memory", 2 * GIB),
        ("time", 100),
        ("time", 5),
        ("time", 7),
    }


@pytest.mark.parametrize("wrong", ["much", {"memory": "lots"}, {"memory": -1}, 7])
def test_options_of_another_version(wrong: object, tmp_path: Path) -> None:
    story = Story(resources=wrong)
    many(story)
    report = report_of(story, tmp_path)
    assert {row.asked for row in usage_rows(usages(report))} == {"nothing"}
    assert commands(report)[-1].startswith("sched run -s slurm -j 16 -- work {} ::: 0 1 2")


@pytest.mark.parametrize(
    "size, option",
    [
        (1, "128M"),
        (200 << 20, "256M"),
        (GIB, "1G"),
        (1.1 * GIB, "1536M"),
        (9.1 * GIB, "10G"),
        (17 * GIB, "20G"),
    ],
)
def test_options_for_memory(size: float, option: str) -> None:
    assert memory_option(size) == option


@pytest.mark.parametrize(
    "seconds, option", [(1, "1m"), (61, "2m"), (3601, "2h"), (50000, "1d"), (200000, "3d")]
)
def test_options_for_time(seconds: float, option: str) -> None:
    assert time_option(seconds) == option


# --- tables --------------------------------------------------------------------------------------


def test_failures_by_last_line(story: Story, tmp_path: Path) -> None:
    many(story, 3, failure=Failure.EXIT, rc=2)
    story.stderr |= {0: b"x\nno space\n", 1: b"no space\n", 2: b"odd\n"}
    first, second = failure_rows(report_of(story, tmp_path))
    assert (first.failure, first.rc, first.jobs, first.indexes) == ("EXIT", "2", 2, "0-1")
    assert (first.line, first.hosts, second.line) == ("no space", "n1", "odd")


def test_many_kinds_of_failures_become_one_row(story: Story, tmp_path: Path) -> None:
    many(story, 50, failure=Failure.EXIT, rc=1)
    story.stderr = {index: b"line %d\n" % index for index in range(50)}
    rows = failure_rows(report_of(story, tmp_path))
    assert len(rows) == 21
    assert (rows[-1].jobs, rows[-1].line) == (30, "in 30 other ways")


def test_the_slowest_come_first(story: Story, tmp_path: Path) -> None:
    for index in range(30):
        story.job(index, ["a"])
        story.attempt(index, 0.0, 1.0 + (index * 7) % 30)
    rows = slowest_rows(report_of(story, tmp_path))
    assert [row.wall for row in rows][:3] == ["30s", "29s", "28s"]
    assert (len(rows), rows[0].share) == (10, 100)


def test_hosts_as_people_count(story: Story, tmp_path: Path) -> None:
    for index, host in enumerate(["n10", "n9", None, "n10"]):
        story.job(index, ["a"])
        story.attempt(index, index, index + 1.0, host=host)
    report = report_of(story, tmp_path)
    assert columns(report)["hosts"] == ["n9", "n10", "host unknown"]
    first = host_rows(report)[0]
    assert (first.host, first.attempts) == ("n10", 2)


def test_charts_of_a_run(story: Story, tmp_path: Path) -> None:
    many(story, 10)
    report = report_of(story, tmp_path)
    assert jobs_over_time(report).words == "on average 1.0 jobs ran at a time, 1 at most"
    ended = throughput(report)
    assert ended.words == "6 jobs a minute on average"
    assert sum(int(bar.title.split(": ")[1].split()[0]) for bar in ended.bars) == 10


def test_more_jobs_than_the_page_has_room_for(
    story: Story, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for index in range(30):
        story.job(index, ["a"])
        fails: dict[str, Any] = {"failure": Failure.EXIT, "rc": 1} if index in (4, 9) else {}
        story.attempt(index, 0.0, 100.0 - index if not fails else 0.1, **fails)
    report = report_of(story, tmp_path)
    monkeypatch.setattr("sched_meta.htmlreport.columns.MOST_JOBS", 5)
    monkeypatch.setattr("sched_meta.htmlreport.columns.MOST_ATTEMPTS", 6)
    found = columns(report)
    assert found["jobs"]["index"] == [0, 1, 2, 4, 9]
    assert found["attempts"]["job"] == [0, 1, 2, 3, 5, 6]
    assert (found["total"], found["totalAttempts"]) == (30, 30)


def test_long_commands_share_the_room(story: Story, tmp_path: Path) -> None:
    for index in range(3000):
        story.job(index, ["x" * 5000])
    page = columns(report_of(story, tmp_path))
    assert max(map(len, page["jobs"]["cmd"])) < 400
    assert len(embedded(page)) < 1_500_000


@given(st.text())
def test_what_is_embedded_ends_no_element(text: str) -> None:
    found = embedded({"words": text})
    assert not set(found) & set("<>&\u2028\u2029")
    assert found.isascii()


# --- the command to reproduce --------------------------------------------------------------------


def test_one_word_that_differs(story: Story, tmp_path: Path) -> None:
    for index, name in enumerate(["a b.txt", "it's", "$x"]):
        story.job(index, ["gzip", "-9", name])
    assert commands(report_of(story, tmp_path)) == [
        "cd /data/project",
        """sched run -s slurm -j 16 -- gzip -9 {} ::: 'a b.txt' 'it'"'"'s' '$x'""",
    ]


def test_options_are_told(tmp_path: Path) -> None:
    resources = {"cpus": 2, "memory": [4 * GIB, 8 * GIB + 1], "time": 5400}
    story = Story(resources=resources, error_strategy="retry", num_retries=3)
    story.job(0, ["a"])
    assert commands(report_of(story, tmp_path))[1] == (
        "sched run -s slurm -j 16 --retries 3 --time 1h30m --cpus 2"
        f" --memory 4GiB,{8 * GIB + 1}B -- a"
    )


@pytest.mark.parametrize(
    "options, words",
    [
        ({"error_strategy": "halt", "halt": "now"}, "--on-error halt "),
        ({"error_strategy": "halt", "halt": "soon"}, "--on-error halt --halt soon "),
        ({"error_strategy": "ignore", "halt": "soon"}, ""),
    ],
)
def test_how_failures_stop_the_run_is_told(
    options: dict[str, str], words: str, tmp_path: Path
) -> None:
    story = Story(**options)
    story.job(0, ["a"])
    assert commands(report_of(story, tmp_path))[1] == f"sched run -s slurm -j 16 {words}-- a"


@pytest.mark.parametrize(
    "jobs",
    [
        [["a", "{}"], ["b", "{}"]],
        [["a", "1"], ["b", "2"]],
        [["a"], ["a", "b"]],
        [["a", ":::", "1"], ["a", ":::", "2"]],
        [["a", "x" * 3000], ["a", "y"]],
    ],
)
def test_jobs_that_no_line_tells_go_by_a_file(
    jobs: list[list[str]], story: Story, tmp_path: Path
) -> None:
    for index, cmd in enumerate(jobs):
        story.job(index, cmd)
    listed, run = commands(report_of(story, tmp_path))[1:]
    assert listed.endswith(" --format tsv --columns cmd | tail -n +2 >jobs.txt")
    assert run == "sched run -s slurm -j 16 --from jobs.txt"


def test_pages_are_the_same_for_the_same_run(tmp_path: Path) -> None:
    dice, story = random.Random(1), Story()
    for index in range(50):
        story.job(index, ["a"])
        begin = dice.random() * 10
        story.attempt(index, begin, begin + dice.random(), host=f"n{index % 3}")
    report = report_of(story, tmp_path)
    assert columns(report) == columns(report)
