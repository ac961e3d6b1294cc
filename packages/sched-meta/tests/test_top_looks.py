"""What the threads beside the screen of `sched top` read, in folders and in buckets."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from sched_core.errors import RunCorrupt
from sched_core.model.failure import Failure
from sched_core.model.status import JobStatus
from sched_core.runfolder import JobRecord, Journal, Layout, RunFile, state_entry, write_run
from sched_core.runfolder.state import job_entry
from sched_meta.reading.runfolder import RunFolder
from sched_meta.top.joblook import STDERR, STDOUT, JobLook, JobPicture
from sched_meta.top.looking import Looking
from sched_meta.top.model import Query, Tab
from sched_meta.top.runlook import RunLook, RunPicture
from sched_meta.top.runslook import RunLine, RunsLook

from .bucket import Bucket, run_folder
from .recorded import BEGUN, record_run


def ended(index: int, status: JobStatus = JobStatus.FINISHED) -> JobRecord:
    rc, failure = (0, None) if status is JobStatus.FINISHED else (3, Failure.EXIT)
    job = JobRecord(index, ["work"], status=status, rc=rc, failure=failure)
    job.started, job.ended = BEGUN, BEGUN + 1
    return job


def cells(picture: RunPicture) -> list[str]:
    return [row.cells[-1] if row.is_job else row.cells[0] for row in picture.table.rows]


class Run:
    """A run in a bucket, whose driver goes on."""

    def __init__(self, jobs: int) -> None:
        self.bucket = Bucket()
        layout = Layout("gs://bucket/r")
        run = RunFile("id", 1, 0.0, "local", "sched_local:LocalScheduler", {}, "/")
        write_run(self.bucket, layout, run)
        self._journal = Journal(self.bucket, layout, 1)
        self._journal.write([job_entry(index, {"cmd": ["work"]}) for index in range(jobs)])
        self.folder = run_folder(self.bucket)

    def move(self, index: int, status: JobStatus, **state: object) -> None:
        self._journal.write([state_entry(index, status, BEGUN, {"attempt": 1, **state})])

    def put(self, name: str, data: bytes) -> None:
        self.bucket.objects[f"gs://bucket/r/{name}"] = data


def test_a_run_in_a_bucket() -> None:
    run = Run(3)
    shown: list[RunPicture] = []
    look = RunLook(run.folder, shown.append, lambda: BEGUN + 9)
    look.query = Query(Tab.FAILED)
    look()
    assert shown[-1].counts.states["waiting"] == 3
    run.put("1/job.stderr", b"some words\nno space left\n")
    run.move(1, JobStatus.FAILED, rc=2, failure="EXIT", started=BEGUN, ended=BEGUN + 5)
    look()
    assert cells(shown[-1]) == ["EXIT rc 2, 1 job: no space left", "5s"]
    run.bucket.questions.clear()
    look()
    assert sorted(run.bucket.questions) == ["list", "list", "read"]  # nothing is read twice


def test_last_words_are_read_again_only_for_another_attempt(tmp_path: Path) -> None:
    jobs = [ended(index, JobStatus.FAILED) for index in range(3)]
    folder = record_run(tmp_path / "r", jobs, {0: (b"", b"first\n")})
    shown: list[RunPicture] = []
    look = RunLook(folder, shown.append, lambda: BEGUN + 9)
    look.query = Query(Tab.FAILED)
    look()
    assert "EXIT rc 3, 1 job: first" in cells(shown[-1])
    (tmp_path / "r/0/job.stderr").write_text("second\n")
    look()
    assert "EXIT rc 3, 1 job: first" in cells(shown[-1])
    again = state_entry(0, JobStatus.FAILED, BEGUN, {"attempt": 2, "rc": 3, "failure": "EXIT"})
    Journal(folder.ports.files, folder.layout, 2).write([again])
    look()
    assert "EXIT rc 3, 1 job: second" in cells(shown[-1])


def test_what_a_job_writes_to_a_bucket_is_read_on() -> None:
    run = Run(1)
    job = JobRecord(0, ["work"], status=JobStatus.RUNNING)
    shown: list[JobPicture] = []
    look = JobLook(run.folder, lambda: job, shown.append)
    look()
    assert (shown[-1].lines, shown[-1].found) == ([], False)
    for text in (b"one\n", b"one\ntwo\nthr", b"one\ntwo\nthree\n"):
        run.put("0/job.stdout", text)
        look()
        assert "\n".join(shown[-1].lines) == text.decode().rstrip()
    look.name = STDERR
    look()
    assert (shown[-1].name, shown[-1].found) == (STDERR, False)
    look.close()


def test_of_a_large_file_only_the_end_is_read(tmp_path: Path) -> None:
    text = b"".join(b"line %07d\n" % number for number in range(100_000))
    folder = record_run(tmp_path / "r", [ended(0)], {0: (text, b"")})
    shown: list[JobPicture] = []
    look = JobLook(folder, lambda: ended(0), shown.append)
    look()
    assert shown[-1].lines[-1] == "line 0099999"
    assert len(shown[-1].lines) == 2000
    look.close()


def test_another_attempt_begins_a_file_of_its_own(tmp_path: Path) -> None:
    folder = record_run(tmp_path / "r", [ended(0, JobStatus.FAILED)], {0: (b"first\n", b"")})
    job = ended(0, JobStatus.FAILED)
    shown: list[JobPicture] = []
    look = JobLook(folder, lambda: job, shown.append)
    look()
    assert list(shown[-1].lines) == ["first"]
    old = tmp_path / "r/0/job.stdout"
    (tmp_path / "r/0/job.retry/1").mkdir(parents=True)
    old.rename(tmp_path / "r/0/job.retry/1/job.stdout")
    job.status, job.attempt = JobStatus.RUNNING, 2
    look()
    assert (shown[-1].lines, shown[-1].found) == ([], False)
    old.write_text("second\n")
    look()
    assert list(shown[-1].lines) == ["second"]
    assert shown[-1].name == STDOUT
    look.close()


def test_the_story_is_told_anew_only_when_the_job_moved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[JobStatus] = []

    def story(_: RunFolder, job: JobRecord) -> Sequence[str]:
        told.append(job.status)
        return [job.status.name]

    monkeypatch.setattr("sched_meta.top.joblook.story", story)
    job = ended(0)
    folder = record_run(tmp_path / "r", [job])
    look = JobLook(folder, lambda: job, lambda picture: None)
    look()
    look()
    job.status = JobStatus.FAILED
    look()
    assert told == [JobStatus.FINISHED, JobStatus.FAILED]
    look.close()


def test_runs_that_nobody_drives_are_read_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for number in range(3):
        record_run(tmp_path / f"sched-runs/run-{number}", [ended(0)])
    shown: list[list[RunLine]] = []
    look = RunsLook(shown.append)
    look()
    assert {line.state for line in shown[-1]} == {"finished"}

    def read(self: object) -> None:
        raise AssertionError("it is read again")

    monkeypatch.setattr("sched_core.runfolder.JournalReader.read_new", read)
    look()
    assert len(shown[-1]) == 3


# --- the thread ------------------------------------------------------------------------------------


class Recorder:
    """Looks as often as it is let, and keeps what is said."""

    def __init__(self, *errors: Exception | None) -> None:
        self._errors = list(errors)
        self.looks = threading.Semaphore(0)
        self.closed = threading.Event()
        self.said: list[str] = []

    def look(self) -> None:
        error = self._errors.pop(0) if self._errors else None
        self.looks.release()
        if error:
            raise error

    def looking(self, interval: float) -> Looking:
        return Looking(self.look, lambda: interval, self.said.append, self.closed.set)


def test_it_looks_at_once_when_it_is_asked_to() -> None:
    recorder = Recorder()
    looking = recorder.looking(1000)
    looking.start()
    assert recorder.looks.acquire(timeout=60)
    looking.look_now()
    assert recorder.looks.acquire(timeout=60)
    looking.stop()
    assert recorder.closed.wait(60)
    assert not recorder.looks.acquire(blocking=False)


def test_trouble_is_told_until_it_is_over() -> None:
    troubles = (
        OSError(5, "Input/output error", "/mnt/r"),
        RunCorrupt("the journal\x1b[2J cannot be read"),
        ZeroDivisionError("oops"),
        None,
    )
    recorder = Recorder(*troubles)
    looking = recorder.looking(0.001)
    looking.start()
    for _ in range(6):
        assert recorder.looks.acquire(timeout=60)
    looking.stop()
    assert recorder.closed.wait(60)
    assert recorder.said == [
        "/mnt/r: Input/output error; trying again",
        "the journal?[2J cannot be read; trying again",
        "ZeroDivisionError: oops; this is a fault of sched's own; trying again",
        "",
    ]
