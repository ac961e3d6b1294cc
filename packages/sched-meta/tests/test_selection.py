from __future__ import annotations

import pytest

from sched_core.errors import OptionError
from sched_core.model.failure import Failure
from sched_core.model.status import JobStatus
from sched_core.runfolder.state import JobRecord
from sched_meta.reading.selection import failure_class, select_jobs

JOBS = {
    0: JobRecord(0, ["a"], name="sample1", status=JobStatus.FINISHED),
    1: JobRecord(1, ["a"], name="a,b", status=JobStatus.FAILED, failure=Failure.EXIT),
    2: JobRecord(2, ["a"], status=JobStatus.FAILED, failure=Failure.OUT_OF_MEMORY),
    3: JobRecord(3, ["a"], name="0", status=JobStatus.KILLED, failure=Failure.CANCELLED),
    7: JobRecord(7, ["a"], name="2024-01", status=JobStatus.RUNNING),
    8: JobRecord(8, ["a"], name="twin", status=JobStatus.QUEUED),
    9: JobRecord(9, ["a"], name="twin", status=JobStatus.INIT),
}


@pytest.mark.parametrize(
    "words, indexes",
    [
        ("3,7-9", [3, 7, 8, 9]),
        ("9 0", [0, 9]),
        ("0-3,2", [0, 1, 2, 3]),
        ("2-8", [2, 3, 7, 8]),
        ("sample1", [0]),
        ("a,b", [1]),
        ("twin,0", [0, 8, 9]),
        ("2024-01", [7]),
        ("failed", [1, 2]),
        ("out-of-memory", [2]),
        ("OUT_OF_MEMORY,killed", [2, 3]),
        ("running waiting", [7, 8, 9]),
        ("finished", [0]),
        ("all", [0, 1, 2, 3, 7, 8, 9]),
        ("timeout", []),
        ("oom", [2]),
        ("sample*", [0]),
        ("tw?n,samp[l]e1", [0, 8, 9]),
    ],
)
def test_jobs_that_are_meant(words: str, indexes: list[int]) -> None:
    assert indexes == [job.index for job in select_jobs(words.split(), JOBS)]


@pytest.mark.parametrize(
    "word, message",
    [
        ("12", "there is no job 12; the run has the jobs 0-3, 7-9"),
        ("5", "there is no job 5; the run has the jobs 0-3, 7-9"),
        ("7-12", "there is no job 12;"),
        ("9-7", "the range 9-7 runs backwards; write 7-9"),
        ("sampel1", "no job is called 'sampel1'; did you mean 'sample1'?"),
        ("faild", "no job is called 'faild'; did you mean 'failed'?"),
        ("-3", "no job is called '-3'; the run has the jobs"),
        ("3-", "no job is called '3-'; the run has the jobs"),
        (",", "',' names no job; the run has the jobs"),
        ("", "'' names no job; the run has the jobs"),
        ("9999999999999999999999", "there is no job 9999999999999999999999;"),
    ],
)
def test_words_that_mean_no_job(word: str, message: str) -> None:
    with pytest.raises(OptionError) as raised:
        select_jobs([word], JOBS)
    assert str(raised.value).startswith(message)


def test_run_without_jobs() -> None:
    with pytest.raises(OptionError, match="the run has no jobs"):
        select_jobs(["1"], {})


def test_many_gaps_are_cut_short() -> None:
    jobs = {index: JobRecord(index, ["a"]) for index in range(0, 100, 2)}
    with pytest.raises(OptionError, match=r"the jobs 0, 2, 4, 6, 8, \.\.\.$"):
        select_jobs(["1"], jobs)


def test_a_pattern_may_be_a_name() -> None:
    jobs = {0: JobRecord(0, ["a"], name="a*"), 1: JobRecord(1, ["a"], name="ab")}
    assert [job.index for job in select_jobs(["a*"], jobs)] == [0]
    assert [job.index for job in select_jobs(["a?"], jobs)] == [0, 1]


def test_a_pattern_that_fits_no_name() -> None:
    with pytest.raises(
        OptionError, match=r"no job is called 'x_\*'; the run has the jobs 0-3, 7-9"
    ):
        select_jobs(["x_*"], JOBS)


@pytest.mark.parametrize("word", ["oom", "OOM", "out-of-memory", "Out_Of_Memory"])
def test_class_of_failure(word: str) -> None:
    assert failure_class(word) is Failure.OUT_OF_MEMORY


@pytest.mark.parametrize(
    "word, hint", [("timout", "did you mean 'timeout'?"), ("x", "there are oom, exit, timeout, ")]
)
def test_no_class_of_failure(word: str, hint: str) -> None:
    with pytest.raises(OptionError, match="is no class of failure; ") as error:
        failure_class(word)
    assert hint in str(error.value)
