"""Runs that lie in a bucket, in memory: what commands ask of it, and what they say when it fails."""

from __future__ import annotations

import errno
import json
from pathlib import Path

import pytest

from sched_core import EngineUnavailable
from sched_core.model.failure import Failure
from sched_core.model.status import JobStatus
from sched_core.paths import CloudSupportMissing
from sched_core.ports import SystemPorts
from sched_core.runfolder import Journal, Layout, RunFile, job_entry, write_run
from sched_core.runfolder.state import state_entry
from sched_meta.checks import check_machine
from sched_meta.cli import main
from sched_meta.reading.history import explanation
from sched_meta.reading.runfolder import RunFolder, existing_run

from .bucket import Bucket, run_folder

RUN = "gs://bucket/r"


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Bucket:
    """Every path of a bucket leads to this one."""
    bucket = Bucket()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sched_core.ports.system_ports", lambda path, **_: SystemPorts(bucket))
    return bucket


def write_jobs(bucket: Bucket) -> None:
    """A run of a job that waits and one that failed, whose driver is gone."""
    layout = Layout(RUN)
    write_run(bucket, layout, RunFile("id", 1, 0.0, "local", "sched_local:LocalScheduler", {}, "/"))
    state = {"attempt": 1, "rc": 3, "failure": Failure.EXIT, "jid": "7"}
    waits = {"attempt": 1, "reason": "the quota CPUS of europe-west1 is used up"}
    entries = [
        {"generation": 1, "at": 0.0},
        *(job_entry(index, {"cmd": ["sh", "-c", "x"]}) for index in (0, 1)),
        state_entry(0, JobStatus.QUEUED, 1.0, waits),
        state_entry(1, JobStatus.FAILED, 2.0, state),
    ]
    Journal(bucket, layout, 1).write(entries)
    bucket.objects[f"{RUN}/1/job.stderr"] = b"oops\n"
    bucket.objects[f"{RUN}/1/job.stdout"] = b"half\n"
    bucket.objects[f"{RUN}/1/job.retry/0/job.rc"] = b"1"


def test_run_is_named_as_everywhere() -> None:
    folder = RunFolder("gs://bucket/a b/")
    assert (folder.path, folder.absolute) == ("gs://bucket/a b", "gs://bucket/a b")
    assert str(folder) == "'gs://bucket/a b'"
    assert folder.of_job(3) == "gs://bucket/a b/3"
    assert folder == RunFolder("gs://bucket/a b")


def test_status(bucket: Bucket, capsys: pytest.CaptureFixture[str]) -> None:
    write_jobs(bucket)
    assert main(["status", RUN]) == 0
    said = capsys.readouterr().out
    assert said.startswith(f"run:     {RUN} (local, ")
    assert "EXIT rc 3, 1 job (1): oops\n" in said
    assert f"next:    sched logs {RUN} failed --stderr\n" in said
    assert main(["status", RUN, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["folder"] == RUN


def test_logs(bucket: Bucket, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    write_jobs(bucket)
    assert main(["logs", RUN, "1"]) == 0
    assert capfdbinary.readouterr() == (b"half\n", b"")
    assert main(["logs", RUN, "all", "-f"]) == 0
    assert capfdbinary.readouterr() == (b"1\thalf\n", b"")


def test_results_and_cat(bucket: Bucket, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    write_jobs(bucket)
    columns = ["--columns", "index,status,rc", "--stdout"]
    assert main(["results", RUN, *columns]) == 0
    rows = b"index\tstatus\trc\tstdout\n0\tQUEUED\t\t\n1\tFAILED\t3\thalf\n"
    assert capfdbinary.readouterr() == (rows, b"")
    assert main(["results", RUN, "--format", "joblog"]) == 0
    (line,) = capfdbinary.readouterr().out.splitlines()[1:]
    assert line.split(b"\t")[4:] == [b"0", b"5", b"3", b"0", b"sh -c x"]
    assert main(["cat", RUN, "--tag"]) == 0
    out, err = capfdbinary.readouterr()
    assert out == b"1\thalf\n"
    assert err.startswith(b"sched: 1 job has not ended and has been left out (0); ")


def test_explain(bucket: Bucket) -> None:
    write_jobs(bucket)
    folder = run_folder(bucket)
    lines = explanation(folder, folder.read().jobs[1])
    assert lines[lines.index(f"files:    {RUN}/1/") :] == [
        f"files:    {RUN}/1/",
        "  job.retry/",
        "  job.stderr  5 B",
        "  job.stdout  5 B",
        f"next:     sched retry {RUN} 1",
    ]
    assert "  | oops" in lines


def test_explain_tells_why_a_job_waits(bucket: Bucket, capsys: pytest.CaptureFixture[str]) -> None:
    write_jobs(bucket)
    assert main(["explain", RUN, "0"]) == 0
    said = capsys.readouterr().out
    assert "state:    QUEUED: the quota CPUS of europe-west1 is used up\n" in said


def test_no_run(bucket: Bucket) -> None:
    with pytest.raises(OSError, match="gs://bucket/r holds no run"):
        existing_run(RUN)


@pytest.mark.parametrize(
    "error, code",
    [
        (PermissionError(errno.EACCES, "Grant the account the role", RUN), 3),
        (OSError(errno.EIO, "Cloud Storage cannot be used now", RUN), 3),
        (EngineUnavailable("there are no credentials for Cloud Storage: log in"), 3),
        (CloudSupportMissing("a run in a bucket needs Google's client: pip install x"), 3),
    ],
)
@pytest.mark.parametrize("command", ["status", "resume", "logs R all", "kill", "run -w R -- true"])
def test_store_that_cannot_be_used(
    bucket: Bucket,
    capsys: pytest.CaptureFixture[str],
    command: str,
    error: OSError,
    code: int,
) -> None:
    bucket.broken = error
    words = command.split()
    assert main([RUN if w == "R" else w for w in words] + [RUN] * (len(words) == 1)) == code
    said = capsys.readouterr().err
    assert said.startswith("sched: error: ")
    assert str(error.args[-1 if len(error.args) == 1 else 1]) in said
    assert said.count("\n") == 1


@pytest.mark.parametrize("path", ["s3://bucket/r", "az://bucket/r"])
def test_bucket_of_another_kind(
    path: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["status", path]) == 2
    assert f"workdir {path}: a run can lie in a bucket of" in capsys.readouterr().err


def test_url_of_another_kind(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status", "https://bucket/r"]) == 2
    assert "'https' is no kind of path; use gs://" in capsys.readouterr().err


def test_doctor_tries_the_bucket(bucket: Bucket) -> None:
    checks = {
        name: (verdict, detail) for name, verdict, detail in check_machine(run_folder(bucket))
    }
    assert checks["folder"] == (True, f"{RUN} can be written")
    assert checks["locks"] == (True, "an object can be created by one process only")
    assert bucket.objects == {}


def test_doctor_says_why_the_bucket_cannot_be_used(bucket: Bucket) -> None:
    bucket.broken = PermissionError(errno.EACCES, "grant a role", RUN)
    checks = {
        name: (verdict, detail) for name, verdict, detail in check_machine(run_folder(bucket))
    }
    assert checks["folder"] == (False, f"{RUN} cannot be written: grant a role")
    assert "locks" not in checks


def test_doctor_looks_at_the_folder_that_is_named(tmp_path: Path) -> None:
    details = [detail for _, _, detail in check_machine(RunFolder(tmp_path / "not" / "yet"))]
    assert f"{tmp_path} can be written" in details
