"""What `sched explain` tells of attempts: how long they waited, what they used, what they ran in."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from sched_core.model.status import JobStatus
from sched_core.runfolder import JobRecord
from sched_meta.reading.history import story

from .recorded import BEGUN, record_run

ENDED = JobRecord(
    0,
    ["make", "a"],
    status=JobStatus.FINISHED,
    rc=0,
    host="node1",
    jid="17_0",
    queued=BEGUN,
    submitted=BEGUN + 1,
    started=BEGUN + 125,
    ended=BEGUN + 185,
    cpu=55.0,
    max_rss=3 << 29,
)


def attempt(folder: Path, job: JobRecord) -> str:
    run = record_run(folder, [job])
    (line,) = [line for line in story(run, run.read().jobs[0]) if line.startswith("attempt ")]
    return line


def test_an_attempt_tells_how_long_it_waited_and_what_it_used(tmp_path: Path) -> None:
    line = attempt(tmp_path / "r", ENDED)
    assert line.startswith("attempt 1: FINISHED rc 0 on node1 as 17_0, waited 2m5s, ")
    assert line.endswith(" (1m, 55s of cpu, at most 1.5 GiB)")


def test_what_hardly_waited_is_not_said_to_have(tmp_path: Path) -> None:
    line = attempt(tmp_path / "r", replace(ENDED, started=BEGUN + 0.5, max_rss=None, cpu=None))
    assert "waited" not in line
    assert line.endswith(" (3m4s)")


def test_an_attempt_that_waits_tells_since_when(tmp_path: Path) -> None:
    unknown = replace(ENDED, rc=None, host=None, jid=None, started=None, ended=None, cpu=None)
    waits = replace(unknown, status=JobStatus.SUBMITTED, max_rss=None)
    assert ", submitted 20" in attempt(tmp_path / "submitted", waits)
    queued = replace(waits, status=JobStatus.QUEUED, submitted=None)
    assert ", queued 20" in attempt(tmp_path / "queued", queued)


def test_files_that_travel_and_the_container_are_told(tmp_path: Path) -> None:
    job = replace(
        ENDED,
        inputs=["a b"],
        outputs=["x", "y"],
        container={"image": "tools\x1b.sif", "engine": "apptainer"},
    )
    told = story(record_run(tmp_path / "r", [ENDED]), job)
    assert "inputs:   'a b'" in told
    assert "outputs:  x y" in told
    assert "inside:   tools?.sif (apptainer)" in told


@pytest.mark.witness("core", kind="unit")
def test_t37_memory_that_was_short_is_told_of_a_job_that_finished(tmp_path: Path) -> None:
    run = record_run(tmp_path / "r", [ENDED])
    metadir = Path(run.of_job(0))
    metadir.mkdir(exist_ok=True)
    claim = f"17_0 0 node1 boot 1 2 {BEGUN}\nI\nC 0 OUT_OF_MEMORY\nE 0 - {BEGUN + 60}\n"
    (metadir / "job.claim.1").write_text(claim)
    told = "\n".join(story(run, run.read().jobs[0]))
    assert "a process of it was ended for its use of memory" in told
