"""`--on-finish`: what is run when a driver ends."""

from __future__ import annotations

import signal
from pathlib import Path

from sched_meta.driving.onfinish import SessionEnd
from sched_meta.reading.runfolder import RunFolder

from .program import Sched, wait_until

TELL = 'env | grep ^SCHED_ >told; echo "and said"'


def told(sched: Sched) -> dict[str, str]:
    lines = (sched.folder / "told").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines)


def test_knows_how_the_run_has_ended(sched: Sched) -> None:
    done = sched(
        *("run", "-w", "a run", "--cat", "--on-finish", TELL),
        *("--", "sh", "-c", "echo $0; exit $0", ":::", "0", "3"),
        code=1,
    )
    found = told(sched)
    assert float(found.pop("SCHED_SECONDS")) >= 0  # told to a tenth, and few jobs take less
    assert found == {
        "SCHED_RUN": str(sched.folder / "a run"),
        "SCHED_RUN_NAME": "a run",
        "SCHED_FINISHED": "1",
        "SCHED_FAILED": "1",
        "SCHED_KILLED": "0",
        "SCHED_LEFT": "0",
        "SCHED_EXIT_CODE": "1",
    }
    assert done.stdout == "0\n3\n"
    assert done.stderr.endswith("and said\n")


def test_bucket_is_named_by_its_address() -> None:
    counts = dict.fromkeys(("finished", "failed", "killed", "interrupted", "running", "waiting"), 0)
    end = SessionEnd(RunFolder("gs://bucket/runs/one"), counts, 0, 1.0)
    assert end.variables()["SCHED_RUN"] == "gs://bucket/runs/one"
    assert end.variables()["SCHED_RUN_NAME"] == "one"


def test_its_failure_is_told_and_changes_nothing(sched: Sched) -> None:
    done = sched("run", "-w", "r", "--on-finish", "echo mine; exit 7", "--", "true")
    assert done.stderr.endswith("mine\nsched: warning: --on-finish failed: rc 7\n")


def test_is_run_after_ctrl_c_and_for_each_driver(sched: Sched) -> None:
    driver = sched.start_waiting_jobs("--on-finish", TELL)
    driver.send(signal.SIGINT)
    assert driver.finish()[0] == 130
    assert (told(sched)["SCHED_EXIT_CODE"], told(sched)["SCHED_LEFT"]) == ("130", "3")
    sched.go()
    sched("resume", "r", "--on-finish", TELL)
    assert (told(sched)["SCHED_EXIT_CODE"], told(sched)["SCHED_FINISHED"]) == ("0", "3")


def test_is_run_when_the_run_stops_by_itself(sched: Sched) -> None:
    sched("run", "-w", "r", "--on-error", "halt", "--on-finish", TELL, "--", "false", code=1)
    assert told(sched)["SCHED_FAILED"] == "1"


def test_is_not_run_where_no_run_has_begun(sched: Sched) -> None:
    sched("run", "-w", "r", "--", "true")
    sched("run", "-w", "r", "--on-finish", TELL, "--", "true", code=2)
    assert not (sched.folder / "told").exists()


def test_ctrl_c_ends_it_with_all_that_it_has_started(sched: Sched) -> None:
    line = "echo $$ >shell; sleep 600 & echo $! >sleeper; wait"
    driver = sched.start("run", "-w", "r", "--on-finish", line, "--", "true")
    wait_until((sched.folder / "sleeper").exists)
    wait_until(lambda: sched.lines("sleeper"))
    driver.send(signal.SIGINT)
    code, err = driver.finish()
    assert code == 0
    assert err.endswith("sched: warning: --on-finish was ended by SIGTERM\n")
    for name in ("shell", "sleeper"):
        pid = int(sched.lines(name)[0])
        wait_until(lambda pid=pid: not _lives(pid))  # type: ignore[misc]


def _lives(pid: int) -> bool:
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
