"""The installed `sched` on runs in a bucket that is mounted on this machine, where its jobs run."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from .conftest import BUCKET
from .program import RUN, WAIT_FOR_GO, Sched, await_event, finish
from .storage import StorageEmulator


@pytest.fixture
def sched(
    storage: StorageEmulator, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Sched]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "here").mkdir()
    program = Sched(tmp_path / "here", "-o", f"volumes=gs://{BUCKET}:{folder}")
    yield program
    program.close()


def test_a_run_and_all_that_is_asked_of_it(sched: Sched, storage: StorageEmulator) -> None:
    line = 'echo "$1"; echo oops >&2; test "$1" = a || test -e ok'
    done = sched.run("--shell", "--", line, ":::", "a", "b c", code=1)
    assert f"sched: run {RUN}: 2 jobs on local, " in done.stderr
    assert "sched: job 1 failed: EXIT rc 1: oops\n" in done.stderr
    assert f"sched:          sched retry {RUN}\n" in done.stderr

    storage.reset_counts()
    assert sched("status", RUN).stdout.startswith(f"run:     {RUN} (local, begun ")
    assert storage.requests() <= 12
    assert sched.counts() == {"finished": 1, "failed": 1}
    assert sched("logs", RUN, "all").stdout == "a\nb c\n"
    assert sched("logs", RUN, "failed", "--stderr").stdout == "oops\n"

    (sched.folder / "ok").touch()
    assert sched("retry", RUN, "--cat").stdout == "a\nb c\n"
    explained = sched("explain", RUN, "1").stdout
    assert "\nattempt 1: FAILED EXIT rc 1 on " in explained
    assert "\nattempt 2: FINISHED rc 0 on " in explained
    assert "\n  job.claim.2  " in explained
    assert "\n  job.retry/\n" in explained
    assert "nothing of the run is left outside" in sched("clean", RUN).stderr
    assert "2 of them ended before" in sched("resume", RUN).stderr


def test_packing_and_removing(sched: Sched) -> None:
    line = 'echo "$1"; echo oops >&2; test "$1" = a'
    sched.run("--shell", "--", line, ":::", "a", "b c", code=1)
    asked = (("logs", RUN, "all"), ("explain", RUN, "1"), ("results", RUN, "--stdout"))
    before = [sched(*command).stdout for command in asked]
    assert " of 2 jobs (" in sched("pack", RUN).stderr
    assert before == [sched(*command).stdout for command in asked]
    listed = sched("ls", RUN.rpartition("/")[0], "--sort", "files").stdout.splitlines()
    assert [line.split("\t")[3] for line in listed] == ["state", "failed"]
    sched("retry", RUN, code=1)
    explained = sched("explain", RUN, "1").stdout
    assert "\n  job.claim.1  " in explained
    assert "\n  job.claim.2  " in explained
    sched("pack", RUN)
    assert explained == sched("explain", RUN, "1").stdout
    sched("unpack", RUN)
    assert explained == sched("explain", RUN, "1").stdout
    sched("clean", RUN, "--remove-jobs", "finished", "--yes")
    assert sched("logs", RUN, "1").stdout == "b c\n"
    assert "add --yes" in sched("clean", RUN, "--remove-run", code=2).stderr
    sched("clean", RUN, "--remove-run", "--yes")
    assert "holds no run" in sched("status", RUN, code=2).stderr


def test_the_same_run_once_more(sched: Sched) -> None:
    sched.run("--", "true")
    assert f"{RUN} holds a run already; go on" in sched.run("--", "true", code=2).stderr
    assert "1 of them ended before" in sched.run("--resume", "--", "true").stderr
    assert "holds another run" in sched.run("--resume", "--", "false", code=2).stderr


def follow_to_its_end(sched: Sched, driver: subprocess.Popen[str]) -> None:
    """See what the job writes as it writes it, before and after it is let go."""
    follower = sched.start("logs", RUN, "0", "-f")
    assert follower.stdout is not None
    assert follower.stdout.readline() == "one\n"
    sched.go()
    assert follower.stdout.read() == "one went\n"
    assert finish(follower) == (0, "")
    assert finish(driver)[0] == 0


def test_logs_are_followed(sched: Sched) -> None:
    driver = sched.start_run("--", "sh", "-c", WAIT_FOR_GO, ":::", "one")
    follow_to_its_end(sched, driver)


def test_a_run_in_the_background(sched: Sched, tmp_path: Path) -> None:
    line = 'test "$1" = a && until test -e go; do sleep 0.05; done; echo "$1"; test "$1" = a'
    begun = sched.run("-d", "-j", "2", "--shell", "--", line, ":::", "a", "b").stderr
    assert f"sched: next:    sched attach {RUN}\n" in begun
    (log,) = (tmp_path / "cache/sched/drivers").iterdir()
    assert f"\nlog:     {log}\n" in sched("status", RUN).stdout
    onlooker = sched.start("attach", RUN, "--cat")
    assert onlooker.stderr is not None
    assert f"sched: run {RUN}: 2 jobs on local, 2 at a time; " in onlooker.stderr.readline()
    sched.go()
    assert onlooker.stdout is not None
    assert onlooker.stdout.read() == "a\nb\n"
    assert finish(onlooker)[0] == 1
    assert sched("wait", RUN, code=1).stderr == ""
    assert f"run {RUN}: 2 jobs on local" in log.read_text()


def test_kill_by_the_driver(sched: Sched) -> None:
    driver = sched.start_run("-j", "1", "--", "sh", "-c", WAIT_FOR_GO, ":::", "0", "1")
    assert "2 jobs: 2 killed" in sched("kill", RUN).stderr
    assert finish(driver)[0] == 1
    assert sched.counts() == {"killed": 2}


def test_a_driver_that_died(sched: Sched) -> None:
    driver = sched.start_run("-j", "2", "--", "sh", "-c", WAIT_FOR_GO, ":::", "0", "1")
    await_event(driver, "started")
    driver.kill()
    driver.wait()
    assert "died" in sched("status", RUN).stdout
    sched.go()
    sched("resume", RUN)
    assert sched("logs", RUN, "all").stdout == "0\n0 went\n1\n1 went\n"


def test_jobs_that_do_not_see_the_bucket(sched: Sched) -> None:
    command = ("sh", "-c", WAIT_FOR_GO, ":::", "one")
    driver = sched.start("run", "-w", RUN, "--json", "--", *command)
    await_event(driver, "started")
    follow_to_its_end(sched, driver)
    assert sched("logs", RUN, "all").stdout == "one\none went\n"
    assert "\nattempt 1: FINISHED rc 0 on " in sched("explain", RUN, "0").stdout


def test_a_mirror_that_is_cleaned(sched: Sched, storage: StorageEmulator, tmp_path: Path) -> None:
    command = ("sh", "-c", "echo $0; test $0 = one", ":::", "one", "two")
    sched("run", "-w", RUN, "--", *command, code=1)
    mirror = tmp_path / "cache/sched/buckets" / RUN.removeprefix("gs://")
    (mirror / "0/late").write_text("late")
    assert f":{mirror} (" in sched("clean", RUN).stderr
    assert not mirror.exists()
    assert (storage.root / RUN.removeprefix("gs://") / "0/late").read_text() == "late"
    assert "nothing of the run is left outside" in sched("clean", RUN).stderr
    assert sched.counts() == {"finished": 1, "failed": 1}
    assert sched("logs", RUN, "all").stdout == "one\ntwo\n"
    assert "2 of them ended before" in sched("resume", RUN, code=1).stderr
    assert "1 failed" in sched("retry", RUN, code=1).stderr
    assert "\nattempt 2: FAILED EXIT rc 1 on " in sched("explain", RUN, "1").stdout


# --- buckets that cannot be used -----------------------------------------------------------------

COMMANDS = ["status RUN", "resume RUN", "logs RUN all", "run -w RUN -- true", "kill RUN"]


def said(sched: Sched, command: str, run: str, code: int, **variables: str) -> str:
    """Return what it says: one line."""
    words: Sequence[str] = [run if word == "RUN" else word for word in command.split()]
    message = sched(*words, code=code, **variables).stderr
    assert message.startswith("sched: error: ")
    assert message.count("\n") == 1
    return message


@pytest.mark.parametrize("command", COMMANDS)
def test_bucket_that_is_not_there(sched: Sched, command: str) -> None:
    assert "there is no bucket gs://none: make it" in said(sched, command, "gs://none/r", 2)


def test_no_run_in_the_bucket(sched: Sched) -> None:
    assert said(sched, "status RUN", f"gs://{BUCKET}/x", 2).endswith(
        f"gs://{BUCKET}/x holds no run\n"
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_no_permission(sched: Sched, storage: StorageEmulator, command: str) -> None:
    storage.deny({BUCKET: ["*"]})
    assert "Grant the account the role Storage Object Admin" in said(sched, command, RUN, 3)


@pytest.mark.parametrize("command", COMMANDS)
def test_no_credentials(sched: Sched, tmp_path: Path, command: str) -> None:
    nothing = {"STORAGE_EMULATOR_HOST": "", "GOOGLE_APPLICATION_CREDENTIALS": ""}
    at_home = {"HOME": str(tmp_path), "CLOUDSDK_CONFIG": str(tmp_path), "NO_GCE_CHECK": "true"}
    message = said(sched, command, RUN, 3, **nothing, **at_home)
    assert "no credentials for Cloud Storage: log in (gcloud auth application-default" in message


def test_client_library_that_is_not_installed(sched: Sched, tmp_path: Path) -> None:
    hiding = 'import sys; sys.modules["google.cloud.storage"] = None\n'
    (tmp_path / "sitecustomize.py").write_text(hiding)
    message = said(sched, "status RUN", RUN, 3, PYTHONPATH=str(tmp_path))
    assert "a run in a bucket needs Google's client: pip install 'sched-" in message


def test_doctor(sched: Sched, storage: StorageEmulator, folder: Path) -> None:
    done = sched("doctor", "-w", RUN)
    assert f"ok    folder: {RUN} can be written\n" in done.stdout
    assert "ok    locks: an object can be created by one process only\n" in done.stdout
    assert not any(path.is_file() for path in folder.rglob("*"))
    storage.deny({BUCKET: ["storage.objects.create"]})
    assert f"FAIL  folder: {RUN} cannot be written: " in sched("doctor", "-w", RUN, code=1).stdout
