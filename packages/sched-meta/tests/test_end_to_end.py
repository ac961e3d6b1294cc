"""The installed command with the real local scheduler."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from .program import WAIT_FOR_GO, Sched, in_terminal, read_until, wait_until


def test_a_job_for_each_value(sched: Sched) -> None:
    done = sched("run", "-w", "r", "--", "sh", "-c", 'echo "$0" >&2; echo done', ":::", "a", "b c")
    assert done.stdout == ""
    assert "sched: run r: 2 jobs on local, " in done.stderr
    assert ": 2 finished\n" in done.stderr
    assert "sched: results: r/INDEX/job.stdout, job.stderr\n" in done.stderr
    assert "sched: next:    sched cat r\n" in done.stderr
    assert sched("logs", "r", "all").stdout == "done\ndone\n"
    assert sched("logs", "r", "1", "--stderr").stdout == "b c\n"


def test_default_folder_is_numbered_and_found_as_the_newest(sched: Sched) -> None:
    sched("run", "--name", "first", "--", "true")
    sched("run", "--name", "first", "--", "false", code=1)
    assert sorted(os.listdir(sched.folder / "sched-runs")) == ["first-1", "first-2"]
    assert sched("status").stdout.startswith("run:     sched-runs/first-2 (local, begun ")
    assert sched("status", "first-1").stdout.startswith("run:     sched-runs/first-1 (local, ")


def test_arguments_arrive_byte_for_byte(sched: Sched) -> None:
    values = ["$HOME", "`id`", "a\"b'c\\", "", "two\nlines", "*", "-n", "{}", "\udcff\udcfe", "é"]
    done = sched("run", "--cat", "--", "printf", r"%s\0", ":::", *values)
    assert done.stdout.split("\0")[:-1] == values


def test_cat_is_in_the_order_of_the_jobs(sched: Sched) -> None:
    line = (
        'test "$1" != 0 || until test -e last; do sleep 0.02; done; echo $1; test $1 != 5 || >last'
    )
    done = sched("run", "-j", "2", "--cat", "--shell", "--", line, ":::", *map(str, range(6)))
    assert done.stdout == "0\n1\n2\n3\n4\n5\n"


def test_cat_goes_on_where_nobody_reads_any_more(sched: Sched) -> None:
    driver = sched.start_waiting_jobs("--cat", jobs=4)
    assert driver.process.stdout
    driver.process.stdout.close()
    driver.process.stdout = None
    sched.go()
    assert driver.finish()[0] == 0
    assert sched.lines("ended") == ["0", "1", "2", "3"]


def test_what_kept_a_command_from_being_reached_is_told(sched: Sched) -> None:
    done = sched("run", "-w", "cwd", "-o", "cwd=/nowhere/at all", "--", "true", code=1)
    assert "failed: SETUP rc 122: cd: /nowhere/at all: No such file or directory\n" in done.stderr
    done = sched("run", "-w", "pre", "-o", "prescript=exit 3", "--", "true", code=1)
    assert "failed: SETUP rc 3: its prescript failed\n" in done.stderr


def test_a_machine_without_bash_is_said_to_be_one(
    sched: Sched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    refused = sched("run", "-w", "r", "--", "true", code=3)
    assert refused.stderr == "sched: error: bash is not in PATH: install it, jobs are run by it\n"


def test_of_a_run_that_cannot_begin_nothing_is_left(
    sched: Sched, monkeypatch: pytest.MonkeyPatch
) -> None:
    (sched.folder / "own").mkdir()
    with monkeypatch.context() as patch:
        patch.setenv("PATH", "/nowhere")
        for where in (["-w", "r"], ["-w", "r", "-d"], [], ["-w", "own"]):
            sched("run", *where, "--", "true", code=3)
    assert sorted(os.listdir(sched.folder)) == ["own", "sched-runs"]
    assert os.listdir(sched.folder / "sched-runs") == []
    sched(
        "run", "-w", "own", "--", "true"
    )  # which was there before, and has the beginning of a run
    assert sched.counts("own") == {"finished": 1}


def test_shell_line(sched: Sched) -> None:
    done = sched(
        "run", "--cat", "--shell", "--", 'echo "<{}>" {/.} | tr a-z A-Z', ":::", "x/a b.gz", "$(id)"
    )
    assert done.stdout == "<X/A B.GZ> A B\n<$(ID)> $(ID)\n"


def test_list_of_shell_lines_from_stdin(sched: Sched) -> None:
    done = sched("run", "--cat", "--from", "-", stdin="# list\necho a | cat\n\nexit 3\n", code=1)
    assert done.stdout == "a\n"
    assert "EXIT rc 3, 1 job (1)" in done.stderr


def test_list_of_objects(sched: Sched) -> None:
    jobs = [
        {"cmd": ["sh", "-c", "echo $A $B; exit 4"], "name": "first one", "envs": {"A": "x"}},
        {"cmd": ["sleep", "60"], "name": "slow", "timeout": 0.2},
    ]
    (sched.folder / "list").write_text("\n".join(map(json.dumps, jobs)))
    done = sched("run", "-w", "r", "--env", "A=0", "--env", "B=y", "--from", "list", code=1)
    assert "sched: job slow failed: TIMEOUT" in done.stderr
    assert sched("logs", "r", "first one").stdout == "x y\n"
    assert "state:    FAILED, TIMEOUT, rc 143" in sched("explain", "r", "slow").stdout


def test_names_by_form(sched: Sched) -> None:
    sched("run", "-w", "r", "--name", "{/.}", "--", "echo", ":::", "x/one.txt", "x/two.txt")
    assert sched("logs", "r", "two").stdout == "x/two.txt\n"


def test_failures_are_grouped_and_the_next_commands_work(sched: Sched) -> None:
    line = "echo oops $0 >&2; echo same >&2; exit 7"
    done = sched("run", "-w", "r", "--", "sh", "-c", line, ":::", "a", "b", code=1)
    assert "sched: job 0 failed: EXIT rc 7: same\n" in done.stderr
    assert "sched:   EXIT rc 7, 2 jobs (0-1): same\n" in done.stderr
    following = [line.split("sched ")[-1] for line in done.stderr.splitlines()[-2:]]
    assert following == ["logs r failed --stderr", "retry r"]
    assert sched(*following[0].split()).stdout == "oops a\nsame\noops b\nsame\n"
    sched(*following[1].split(), code=1)
    assert sched.status()["failures"] == [
        {"failure": "EXIT", "rc": 7, "line": "same", "jobs": [0, 1]}
    ]


def test_events_tell_no_environment(sched: Sched) -> None:
    line = "echo $SECRET; test $0 = 1"
    done = sched(
        "run", "--json", "--retries", "1", "--env", "SECRET=hunter2", "--", "sh", "-c", line,
        ":::", "1", "2", code=1,
    )  # fmt: skip
    assert "hunter2" not in done.stdout + done.stderr
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert all(event["at"] > 1e9 for event in events)


def test_events_of_each_job_come_in_order(sched: Sched) -> None:
    done = sched(
        "run", "--json", "--retries", "1", "--", "sh", "-c", "exit $0", ":::", "0", "3", code=1
    )
    events = [json.loads(line) for line in done.stdout.splitlines()]
    good = [(e["event"], e["attempt"]) for e in events if e["index"] == 0]
    bad = [(e["event"], e["attempt"]) for e in events if e["index"] == 1]
    assert good == [("queued", 1), ("submitted", 1), ("started", 1), ("finished", 1)]
    steps = ["queued", "submitted", "started", "failed"]
    assert bad == [(step, attempt) for attempt in (1, 2) for step in steps]
    (first, second) = (e for e in events if e["event"] == "failed")
    assert (first["rc"], first["failure"], first["will_retry"]) == (3, "EXIT", True)
    assert second["will_retry"] is False


def test_events_for_a_reader_that_went_away(sched: Sched) -> None:
    driver = sched.start_waiting_jobs("--json", jobs=4)
    assert driver.process.stdout
    driver.process.stdout.close()
    driver.process.stdout = None
    sched.go()
    code, err = driver.finish()
    assert code == 0
    assert "stdout cannot be written any more (Broken pipe); the run goes on" in err
    assert err.count("Broken pipe") == 1


def test_retries_keep_the_files_of_attempts(sched: Sched) -> None:
    sched("run", "-w", "r", "--retries", "2", "--", "sh", "-c", "echo try; false", code=1)
    story = sched("explain", "r", "0").stdout
    assert [line.split(":")[0] for line in story.splitlines() if "attempt" in line] == [
        "attempt 1",
        "attempt 2",
        "attempt 3",
    ]
    assert (sched.folder / "r/0/job.retry/1/job.stdout").read_text() == "try\n"


def test_halt_starts_nothing_more(sched: Sched) -> None:
    line = "test $0 = 0 || { test $0 != 1 && until test -e go; do sleep 0.02; done; }; "
    line += "echo $0 >>ended; exit $0"
    done = sched(
        "run", "-w", "r", "-j", "1", "--on-error", "halt", "--", "sh", "-c", line,
        ":::", "0", "1", "2", "3", code=1,
    )  # fmt: skip
    assert "sched: stopped at the failure of job 1\n" in done.stderr
    assert sched.lines("ended") == ["0", "1"]
    assert sched.counts() == {"finished": 1, "failed": 1, "waiting": 2}


def test_output_of_a_run_that_halts_is_written(sched: Sched) -> None:
    done = sched(
        "run", "-j", "1", "--cat", "--on-error", "halt", "--", "sh", "-c", "echo $0; exit $0",
        ":::", "0", "1", "2", code=1,
    )  # fmt: skip
    assert done.stdout == "0\n1\n"


def test_output_behind_a_job_that_a_halt_has_killed_is_written(sched: Sched) -> None:
    line = "test $0 = 0 && echo >begun && sleep 9999; until test -e begun; do sleep 0.02; done; "
    line += "echo $0; exit $0"
    done = sched(
        "run", "-j", "2", "--cat", "--on-error", "halt", "--", "sh", "-c", line,
        ":::", "0", "1", code=1,
    )  # fmt: skip
    assert "1 interrupted" in done.stderr
    assert done.stdout == "1\n"


def test_explain(sched: Sched) -> None:
    sched(
        "run", "-w", "r", "--env", "TOKEN=hunter2", "--", "sh", "-c", "echo a >&2; exit 3", code=1
    )
    story = sched("explain", "r", "0").stdout
    for line in (
        "job:      0\n",
        "state:    FAILED, EXIT, rc 3\n",
        "command:  sh -c 'echo a >&2; exit 3'\n",
        "env:      TOKEN\n",
        "attempt 1: FAILED EXIT rc 3 on ",
        "  | a\n",
        "  job.stderr  2 B\n",
        "next:     sched retry r 0\n",
    ):
        assert line in story
    assert "hunter2" not in story
    assert sched("explain", "r", "failed").stdout == story


def test_schedulers(sched: Sched) -> None:
    lines = sched("schedulers").stdout.splitlines()
    assert lines[0].split() == ["NAME", "CLASS", "PACKAGE", "STATE"]
    assert any(line.startswith("local ") and line.endswith(" ok") for line in lines)


def test_doctor(sched: Sched) -> None:
    verdicts = {line.split()[0] for line in sched("doctor").stdout.splitlines()}
    assert verdicts <= {"ok", "warn"}


# --- going on with a run --------------------------------------------------------------------------


def test_resume_after_the_driver_was_killed(sched: Sched) -> None:
    driver = sched.start_waiting_jobs(jobs=4)
    driver.process.kill()
    driver.process.wait()
    status = sched("status", "r").stdout
    assert f"driver:  process {driver.process.pid} on " in status
    assert " died\n" in status
    assert "next:    sched resume r\n" in status
    sched.go()
    sched("resume", "r")
    assert sched.lines("started") == sched.lines("ended") == ["0", "1", "2", "3"]
    assert sched.counts() == {"finished": 4}


def test_the_same_command_again_goes_on_and_adds_what_is_new(sched: Sched) -> None:
    sched.go()
    command = ["--resume", "-w", "r", "--", "sh", "-c", WAIT_FOR_GO, ":::"]
    sched("run", *command, "0", "1", "1")
    done = sched("run", *command, "0", "1", "2", "1", "1")
    assert "at a time; 3 done, 2 new\n" in done.stderr
    assert "not in this list" not in done.stderr
    assert sched.lines("ended") == ["0", "1", "1", "1", "2"]
    done = sched("run", *command, "1", "2", "3")
    assert "at a time; 5 done, 1 new\n" in done.stderr
    assert "sched: 3 jobs of the run are not in this list; they stay as they are\n" in done.stderr
    assert "at a time; 6 of them ended before\n" in sched("resume", "r").stderr


def test_resume_without_a_folder_is_the_newest(sched: Sched) -> None:
    for _ in range(2):
        sched("run", "--resume", "--name", "n", "--", "true")
    assert os.listdir(sched.folder / "sched-runs") == ["n-1"]


def test_another_environment_is_another_job(sched: Sched) -> None:
    sched("run", "-w", "r", "--env", "A=1", "--", "true")
    done = sched("run", "-w", "r", "--resume", "--env", "A=2", "--", "true", code=2)
    assert "r holds another run: none of its 1 jobs is in this list" in done.stderr


def test_another_directory_is_another_run(sched: Sched) -> None:
    sched("run", "-w", "r", "--", "true")
    elsewhere = sched.folder / "elsewhere"
    elsewhere.mkdir()
    done = sched("run", "-w", "../r", "--resume", "--", "true", code=2, cwd=elsewhere)
    assert f"the run in ../r was begun in {sched.folder}; go on with it from there" in done.stderr


def test_run_that_another_process_drives(sched: Sched) -> None:
    driver = sched.start_waiting_jobs()
    done = sched("resume", "r", code=2)
    assert f"is driven by process {driver.process.pid} on " in done.stderr
    assert "is at work" in sched("status", "r").stdout
    sched.go()
    assert driver.finish()[0] == 0


def test_retry_runs_what_failed_again(sched: Sched) -> None:
    sched("run", "-w", "r", "--", "sh", "-c", "test $0 = 1 || test -e ok", ":::", "1", "2", code=1)
    (sched.folder / "ok").touch()
    sched("retry", "r")
    assert sched.counts() == {"finished": 2}
    again = sched("retry", "r")
    assert "none of these jobs failed or was killed" in again.stderr


def test_retry_by_the_driver(sched: Sched) -> None:
    line = "test $0 = 0 || test -e second || { >second; exit 1; }; until test -e go; do sleep 0.02; done"
    driver = sched.start("run", "-w", "r", "-j", "2", "--", "sh", "-c", line, ":::", "0", "1")
    wait_until(
        lambda: (sched.folder / "r/.sched/run.json").exists() and sched.counts().get("failed")
    )
    assert "the run's driver takes up 1 job again" in sched("retry", "r").stderr
    sched.go()
    assert driver.finish()[0] == 0
    assert sched.counts() == {"finished": 2}


def test_kill_by_the_driver(sched: Sched) -> None:
    driver = sched.start_waiting_jobs()
    assert "2 jobs: 2 killed" in sched("kill", "r", "0,2").stderr
    assert sched.counts() == {"killed": 2, "running": 1}
    sched.go()
    assert driver.finish()[0] == 1
    assert sched.lines("ended") == ["1"]


def test_kill_without_a_driver(sched: Sched) -> None:
    driver = sched.start_waiting_jobs(jobs=4)
    driver.process.kill()
    driver.process.wait()
    refused = sched("kill", "r", "0", code=2)
    assert "the run's driver is gone, and other jobs may still run" in refused.stderr
    assert "4 jobs: 4 killed" in sched("kill", "r").stderr
    assert sched.living_jobs() == []
    assert sched.counts() == {"killed": 4}
    assert "nothing is to be killed" in sched("kill", "r").stderr
    sched.go()
    sched("retry", "r")  # with the options that the run had before
    assert sched.counts() == {"finished": 4}


def test_logs_that_follow(sched: Sched) -> None:
    line = "echo one; until test -e go; do sleep 0.02; done; echo two"
    driver = sched.start("run", "-w", "r", "--", "sh", "-c", line)
    wait_until(lambda: sched.folder.joinpath("r/0/job.stdout").exists())
    follower = sched.start("logs", "r", "0", "-f")
    assert follower.process.stdout
    assert follower.process.stdout.readline() == "one\n"
    sched.go()
    assert follower.process.stdout.readline() == "two\n"
    assert follower.finish()[0] == 0
    assert driver.finish()[0] == 0


# --- folders that cannot be used ------------------------------------------------------------------


@pytest.mark.parametrize("folder", ["/proc/none", "/dev/null/none", "x" * 300])
def test_folder_that_cannot_be_made(sched: Sched, folder: str) -> None:
    done = sched("run", "-w", folder, "--", "true", code=2)
    assert done.stderr.startswith("sched: error: ")


@pytest.mark.parametrize("name", ["a b", "it's", "two\nlines", "%j", "$(id)", "-x", "\udcff"])
def test_folder_of_any_name(sched: Sched, name: str) -> None:
    sched("run", "-w", f"./{name}", "--", "echo", "hi")
    assert sched("logs", f"./{name}", "0").stdout == "hi\n"


# --- on a terminal ----------------------------------------------------------------------------------


def test_progress_on_a_terminal(sched: Sched) -> None:
    line = "test $0 = 0 || until test -e go; do sleep 0.02; done; exit $0"

    def look(terminal: int) -> None:
        read_until(terminal, "1/3 done, 1 running")
        sched.go()

    code, shown = in_terminal(
        *(sched.folder, "run", "-w", "r", "-j", "1", "--", "sh", "-c", line),
        *(":::", "0", "1", "0"),
        keys=look,
    )
    assert code == 1
    assert "1 failed" in shown
    assert "job 1 failed: EXIT rc 1" in shown


def test_no_progress_on_a_terminal(sched: Sched) -> None:
    code, shown = in_terminal(
        sched.folder, "run", "-w", "r", "--no-progress", "--", "sh", "-c", "sleep 0.5"
    )
    assert code == 0
    assert " done, " not in shown


def test_plain_stderr_holds_no_control_sequences(sched: Sched) -> None:
    done = sched("run", "--", "sh", "-c", r"printf '\033[31mred\r\n' >&2; exit 1", code=1)
    assert "\x1b" not in done.stderr
    assert ": ?[31mred" in done.stderr


def test_path_of_no_run_is_not_made(sched: Sched) -> None:
    sched("run", "-s", "nope", "--", "true", code=3)
    sched("run", "-j", "0", "--", "true", code=2)
    assert not Path(sched.folder, "sched-runs").exists()
