from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sched_core.model.failure import Failure
from sched_core.model.status import JobStatus
from sched_core.runfolder import JobRecord
from sched_meta.driving.cores import usable_cores
from sched_meta.reading.failuregroup import FailureGroup
from sched_meta.reading.failures import failure_lines, group_failures, summary
from sched_meta.reading.jobfiles import last_line
from sched_meta.reading.nextsteps import next_steps
from sched_meta.reading.runfolder import RunFolder
from sched_meta.reading.states import state_counts
from sched_meta.wording import (
    count_jobs,
    counted,
    cut,
    duration,
    folded,
    index_ranges,
    one_line,
    pace,
    plain,
    size,
)

from .recorded import record_run

ARGUMENTS = st.binary(max_size=8).map(
    lambda b: b.replace(b"\0", b"").decode("utf-8", "surrogateescape")
)


@settings(deadline=None)
@given(st.lists(ARGUMENTS, min_size=1, max_size=4))
def test_command_can_be_pasted_into_a_shell(cmd: list[str]) -> None:
    line = one_line(["printf", r"%s\0", *cmd])
    assert "\n" not in line
    output = subprocess.check_output(["bash", "-c", line])
    assert [a.encode("utf-8", "surrogateescape") for a in cmd] == output.split(b"\0")[:-1]


def test_sizes_are_told_in_units_that_compare() -> None:
    assert [size(number) for number in (0, 1000, 5600, 6000)] == [
        "0 B",
        "1000 B",
        "5.47 KiB",
        "5.86 KiB",
    ]


def test_long_command_is_cut() -> None:
    assert one_line(["echo", "a" * 20], 10) == "echo aa..."


@pytest.mark.parametrize(
    "rate, text",
    [
        (1086.9, "1,087/s"),
        (12.5, "12.5/s"),
        (0.5, "30.0/min"),
        (0.001, "3.6/h"),
        (0.0001, "0.4/h"),
    ],
)
def test_pace(rate: float, text: str) -> None:
    assert text == pace(rate)


def test_thousands() -> None:
    assert count_jobs(1) == "1 job"
    assert count_jobs(4990) == "4,990 jobs"
    assert counted({"finished": 98000, "failed": 0, "waiting": 2}) == "98,000 finished, 2 waiting"


def test_texts_are_folded_unbroken() -> None:
    texts = ["one for 3s", "two for 2s", "three"]
    assert folded("run: ", texts, 0) == ["run: one for 3s, two for 2s, three"]
    assert folded("run: ", texts, 30) == ["run: one for 3s, two for 2s,", "     three"]
    assert folded("run: ", texts, 5)[0] == "run: one for 3s,"


def test_text_is_cut_where_there_is_a_width() -> None:
    assert [cut("abcdef", width) for width in (0, 6, 5)] == ["abcdef", "abcdef", "ab..."]


def test_nothing_moves_the_cursor() -> None:
    assert plain("a\x1b[31mb\rc") == "a?[31mb?c"


def test_ranges() -> None:
    assert index_ranges([0, 1, 2, 5, 7, 8]) == "0-2, 5, 7-8"
    assert index_ranges([0, 2, 4, 6], most=2) == "0, 2, ..."


def states(words: str) -> dict[str, int]:
    return state_counts(JobRecord(0, ["x"], status=JobStatus[word]) for word in words.split())


def test_counts() -> None:
    counts = states("FINISHED QUEUED INIT KILLING")
    assert counted(counts) == "1 finished, 1 running, 2 waiting"


@pytest.mark.parametrize(
    "seconds, text", [(0.04, "0s"), (1.26, "1.3s"), (12.6, "13s"), (3725, "1h2m5s")]
)
def test_duration(seconds: float, text: str) -> None:
    assert text == duration(seconds)


@pytest.mark.parametrize(
    "content, line",
    [
        (b"a\nb\n", "b"),
        (b"a\n\n \n", "a"),
        (b"", ""),
        (
            b"/r/.sched/recorder-9.bash: line 6: x: Exec format error\n/r/.sched/recorder-9.bash: line 6: x: Success\n",
            "x: Exec format error",
        ),
        (b"\xff\x1b[1m", "??[1m".replace("??", "\ufffd?")),
    ],
)
def test_last_line(tmp_path: Path, content: bytes, line: str) -> None:
    (tmp_path / "f").write_bytes(content)
    folder = RunFolder(tmp_path)
    assert line == last_line(folder, f"{tmp_path}/f")
    assert last_line(folder, f"{tmp_path}/none") == ""


def failed(index: int, failure: Failure, rc: int | None = None, reason: str = "") -> JobRecord:
    return JobRecord(index, ["x"], status=JobStatus.FAILED, failure=failure, rc=rc, reason=reason)


def test_failures_alike_are_one_group(tmp_path: Path) -> None:
    for index in (0, 1, 2):
        (tmp_path / str(index)).mkdir()
        (tmp_path / str(index) / "job.stderr").write_text(f"noise {index}\nno such file\n")
    jobs = [
        *(failed(index, Failure.EXIT, 2) for index in (2, 0, 1)),
        failed(5, Failure.TIMEOUT, None, "ran longer than 2s"),
        JobRecord(6, ["x"], status=JobStatus.FINISHED),
        JobRecord(7, ["x"], status=JobStatus.KILLED, failure=Failure.CANCELLED),
    ]
    assert [group.text() for group in group_failures(jobs, RunFolder(tmp_path))] == [
        "EXIT rc 2, 3 jobs (0-2): no such file",
        "TIMEOUT, 1 job (5): ran longer than 2s",
        "CANCELLED, 1 job (7)",
    ]


def test_failures_name_their_jobs_and_hosts(tmp_path: Path) -> None:
    hosts = ["node3"] * 5 + ["node4"]
    jobs = [failed(index, Failure.TIMEOUT, reason="late") for index in range(6)]
    for job, host in zip(jobs, hosts, strict=True):
        job.name, job.host = f"s{job.index}", host
    (group,) = group_failures(jobs, RunFolder(tmp_path))
    names = "s0, s1, s2, s3, s4, ..."
    assert group.text() == f"TIMEOUT, 6 jobs ({names}) on node3 (5 of 6): late"
    assert group.text(70) == f"TIMEOUT, 6 jobs ({names}) on node3 (5 of 6): late"
    assert group.text(60).splitlines() == [
        f"TIMEOUT, 6 jobs ({names}) on node3 (5 of 6):",
        "  late",
    ]
    assert group.to_json()["hosts"] == {"node3": 5, "node4": 1}
    for job in jobs:
        job.host = "node3"
    assert " on " not in group_failures(jobs, RunFolder(tmp_path))[0].text()
    jobs[0].name = "0"
    assert "(0-5)" in group_failures(jobs, RunFolder(tmp_path))[0].text()


def test_failures_on_many_hosts(tmp_path: Path) -> None:
    jobs = [failed(index, Failure.LOST) for index in range(4)]
    for job in jobs:
        job.host = f"n{job.index}"
    assert [group.text() for group in group_failures(jobs, RunFolder(tmp_path))] == [
        "LOST, 4 jobs (0-3) on 4 hosts"
    ]


@settings(deadline=None)
@given(st.text(max_size=300), st.text(max_size=120), st.integers(30, 100))
def test_failure_lines_fit(line: str, name: str, width: int) -> None:
    group = FailureGroup("OUT_OF_MEMORY", 137, plain(line)[:200], [7, 8], [name, name])
    lines = failure_lines([group], width=width)
    assert len(lines) <= 3
    assert all(len(text) <= width and text.isprintable() for text in lines)


def test_summary_says_what_to_do_next(tmp_path: Path) -> None:
    path = tmp_path / "a b"
    folder = RunFolder(path)
    counts = states("FINISHED FAILED")
    assert [
        "2 jobs in 3s: 1 finished, 1 failed",
        "  EXIT, 1 job (1)",
        f"results: '{path}'/INDEX/job.stdout, job.stderr",
        f"next:    sched logs '{path}' failed --stderr",
        f"         sched retry '{path}'",
    ] == summary(counts, group_failures([failed(1, Failure.EXIT)], folder), folder, 3)


def test_summary_tells_the_rate_of_what_ended_now(tmp_path: Path) -> None:
    counts = states("FINISHED " * 12)

    def first(seconds: float, ended: int) -> str:
        return summary(counts, [], RunFolder(tmp_path), seconds, ended=ended)[0]

    assert first(4, 10) == "12 jobs in 4s (2.5/s): 12 finished"
    assert first(4, 9) == "12 jobs in 4s: 12 finished"
    assert first(0.9, 10) == "12 jobs in 0.9s: 12 finished"


def steps(*failures: Failure) -> list[str]:
    jobs = [failed(index, failure) for index, failure in enumerate(failures)]
    counts = state_counts(jobs)
    lines = next_steps(counts, RunFolder("r"), group_failures(jobs, RunFolder("r")))
    return [line.removeprefix("next:").strip().removeprefix("sched ") for line in lines]


def test_next_step_fits_the_failure() -> None:
    oom, timeout = Failure.OUT_OF_MEMORY, Failure.TIMEOUT
    assert steps(oom) == ["retry r --failure oom --memory SIZE"]
    assert steps(timeout, timeout, oom) == [
        "retry r --failure timeout --time LIMIT",
        "retry r --failure oom --memory SIZE",
    ]
    assert steps(Failure.EXIT, Failure.EXIT, oom) == [
        "logs r failed --stderr",
        "retry r --failure oom --memory SIZE",
        "retry r --failure exit",
    ]
    assert steps(Failure.LOST) == ["retry r"]
    assert steps(Failure.REJECTED) == ["explain r 0"]


def test_next_step_asks_for_twice_of_what_was_too_little(tmp_path: Path) -> None:
    short = [failed(index, Failure.OUT_OF_MEMORY) for index in range(3)]
    late = failed(3, Failure.TIMEOUT)
    short[1].resources = {"memory": 1 << 30}
    short[2].resources = {"memory": [1 << 30, 3 << 29]}
    short[2].raised = {"memory": 3 << 29}
    folder = record_run(tmp_path / "r", [*short, late], options={"timeout": 90.0})
    groups = group_failures([*short, late], folder)
    assert [group.wants for group in groups] == ["--memory 3GiB", "--time 3m"]
    assert next_steps(states("FAILED"), RunFolder("r"), groups) == [
        "next:    sched retry r --failure oom --memory 3GiB",
        "         sched retry r --failure timeout --time 3m",
    ]
    late.timeout = 60.0
    assert group_failures([late], folder)[0].wants == "--time 2m"


def test_next_step_of_success_is_to_look_at_it() -> None:
    assert next_steps(states("FINISHED"), RunFolder("r")) == [
        "next:    sched cat r",
        "         sched results r",
    ]


def test_jobs_killed_with_their_run_are_no_failures(tmp_path: Path) -> None:
    killed = JobRecord(7, ["x"], status=JobStatus.KILLED, interrupted=True)
    assert counted(state_counts([killed])) == "1 interrupted"
    assert group_failures([killed], RunFolder(tmp_path)) == []
    assert next_steps(state_counts([killed]), RunFolder("r")) == ["next:    sched resume r"]


def test_next_step_of_an_interrupted_run_is_to_resume_it() -> None:
    counts = states("FINISHED QUEUED")
    assert next_steps(counts, RunFolder("r")) == ["next:    sched resume r"]


@pytest.mark.parametrize(
    "quota, cores", [("max 100000", None), ("150000 100000", 2), ("1 100000", 1)]
)
def test_cores_that_the_cgroup_leaves(tmp_path: Path, quota: str, cores: int | None) -> None:
    unlimited = usable_cores(tmp_path)
    (tmp_path / "cpu.max").write_text(quota + "\n")
    assert min(unlimited, cores or unlimited) == usable_cores(tmp_path)
