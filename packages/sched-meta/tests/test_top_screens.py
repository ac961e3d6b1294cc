"""Keys and screens of `sched top`, on runs that nobody ran and on some that go on."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from sched_core.model.failure import Failure
from sched_core.model.status import JobStatus
from sched_core.runfolder import JobRecord
from sched_meta.reading.runfolder import RunFolder
from sched_meta.top.app import TopApp

from .program import Sched, wait_until
from .recorded import BEGUN, record_run
from .topscreens import opened


@pytest.fixture
def anyio_backend() -> str:
    """Textual knows no other event loop."""
    return "asyncio"


def finished(index: int) -> JobRecord:
    job = JobRecord(index, ["work", f"{index}"], status=JobStatus.FINISHED, rc=0)
    job.started, job.ended = BEGUN, BEGUN + 1.0
    return job


def failed(index: int, rc: int = 3) -> JobRecord:
    job = finished(index)
    job.status, job.rc, job.failure, job.host = JobStatus.FAILED, rc, Failure.EXIT, "node1"
    return job


def waiting(index: int) -> JobRecord:
    return JobRecord(index, ["work", f"{index}"], status=JobStatus.QUEUED)


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    """Of each state a few; the driver has left."""
    jobs = [*map(finished, range(5)), *map(failed, (5, 6, 7)), *map(waiting, range(8, 12))]
    jobs[7].rc = 9
    outputs = dict.fromkeys((5, 6), (b"out\n", b"cannot [bold]open[/bold] \x1b[31mit\n"))
    return record_run(tmp_path / "r", jobs, outputs)


async def test_a_run_on_eighty_columns(run: RunFolder) -> None:
    async with opened(run) as terminal:
        await terminal.press("2")
        await terminal.shows("EXIT rc 3")
        lines = terminal.text.splitlines()
        assert len(lines) == 24
        assert all(len(line) <= 80 for line in lines)
        assert lines[2].endswith(" 66%  8/12 done")
        assert [" ".join(line.split()) for line in lines[3:4] + lines[5:7]] == [
            "5 finished 3 failed 0 running 4 waiting",
            "1 running 0 2 failed 3 3 waiting 4 4 slowest 5 all 12",
            "JOB COMMAND TRY HOST TIME",
        ]
        assert [" ".join(line.split()) for line in lines[7:12]] == [
            "EXIT rc 3, 2 jobs: cannot [bold]open[/bold] ?[31mit",
            "5 work 5 1 node1 1s",
            "6 work 6 1 node1 1s",
            "EXIT rc 9, 1 job",
            "7 work 7 1 node1 1s",
        ]
        assert lines[23].split("  ")[-1] == "q quit"


async def test_each_list_has_its_key(run: RunFolder) -> None:
    async with opened(run) as terminal:
        for key, row in (("3", "8  work 8"), ("4", "0  work 0"), ("5", "11  queued")):
            await terminal.press(key)
            await terminal.shows(row)
        await terminal.press("1")
        await terminal.until(lambda: "work" not in terminal.text)
        await terminal.press("tab")
        await terminal.shows("EXIT rc 3")
        await terminal.press("shift+tab", "left")
        await terminal.shows("finished  work 0")


async def test_a_filter_is_typed_kept_and_dropped(run: RunFolder) -> None:
    async with opened(run) as terminal:
        await terminal.press("5")
        await terminal.shows("work 11")
        await terminal.press("slash", *"WORK", "space", "1", "q")
        await terminal.shows("/WORK 1q")
        await terminal.press("backspace")
        await terminal.until(lambda: "work 11" in terminal.text and "work 2" not in terminal.text)
        await terminal.press("enter", "escape")
        await terminal.shows("work 2")
        await terminal.press("slash", "7")
        await terminal.until(lambda: "work 2" not in terminal.text)
        await terminal.press("escape")
        await terminal.shows("work 2")
        await terminal.press("q")
    assert terminal.app.return_code == 0


async def test_a_job_shows_what_it_was_and_wrote(run: RunFolder) -> None:
    async with opened(run) as terminal:
        await terminal.press("2")
        await terminal.shows("EXIT rc 3")
        await terminal.press("enter", "enter")  # the first line is no job: it leads to one
        await terminal.shows("command:  work 5", "cannot [bold]open[/bold] ?[31mit")
        assert "state:    FAILED, EXIT, rc 3" in terminal.text
        await terminal.press("o")
        await terminal.shows(" out")
        await terminal.press("tab")
        await terminal.shows("cannot")
        await terminal.press("k")
        await terminal.shows("the job has ended; there is nothing to kill")
        await terminal.press("q")
        await terminal.shows("JOB  COMMAND")


async def test_keys_that_can_do_nothing_say_why(run: RunFolder) -> None:
    async with opened(run) as terminal:
        await terminal.press("4")
        await terminal.shows("work 0")
        await terminal.press("k")
        await terminal.shows("only jobs that wait or run can be killed")
        await terminal.press("r")
        await terminal.shows("only jobs that failed or were killed can be run again")


async def test_a_question_takes_only_y_for_a_yes(run: RunFolder) -> None:
    async with opened(run) as terminal:
        await terminal.press("3")
        await terminal.shows("work 8")
        for key in ("n", "escape", "enter", "q"):
            await terminal.press("k")
            await terminal.shows("Kill job 8?")
            await terminal.press(key)
            await terminal.until(lambda: "Kill job" not in terminal.text)
    assert run.read().jobs[8].status is JobStatus.QUEUED


async def test_the_help_names_the_keys(run: RunFolder) -> None:
    async with opened(run) as terminal:
        await terminal.shows("driver:")
        await terminal.press("question_mark")
        await terminal.shows("kill the job, after a question")
        await terminal.press("x")
        await terminal.until(lambda: "after a question" not in terminal.text)


async def test_it_fits_into_whatever_the_terminal_is(run: RunFolder) -> None:
    async with opened(run, size=(200, 60)) as terminal:
        await terminal.press("5")
        await terminal.shows("work 11")
        assert terminal.line("8/12 done").index("8/12") > 150
        await terminal.resize(40, 10)
        await terminal.until(lambda: len(terminal.line("8/12 done")) <= 40)
        assert len(terminal.text.splitlines()) == 10
        await terminal.press("end")
        await terminal.shows("work 11")


async def test_the_cursor_stays_on_its_job(sched: Sched) -> None:
    driver = sched.start_waiting_jobs(jobs=4, forks=2)
    async with opened(RunFolder(sched.folder / "r")) as terminal:
        await terminal.shows("2 running")
        await terminal.press("5", "down", "down", "enter")
        await terminal.shows("job:      2", "has written nothing yet")
        sched.go()
        await terminal.shows("state:    FINISHED")
        driver.finish()
        await terminal.press("q", "r")
        await terminal.shows("100%  4/4 done", "has ended")


async def test_a_running_job_is_followed_and_killed(sched: Sched) -> None:
    line = "echo first; until test -e more; do sleep 0.02; done; echo second; sleep 1000"
    driver = sched.start("run", "-w", "r", "--", "sh", "-c", line)
    wait_until((sched.folder / "r/0/job.stdout").exists)
    async with opened(RunFolder(sched.folder / "r")) as terminal:
        await terminal.shows("1 running 1", "sh -c")
        await terminal.press("f")
        await terminal.shows(" first", "state:    RUNNING", "follows")
        (sched.folder / "more").touch()
        await terminal.shows(" second")
        await terminal.press("k")
        await terminal.shows("Kill job 0?")
        await terminal.press("y")
        await terminal.shows("1 job: 1 killed")  # a note that stays for a while only
        await terminal.shows("state:    KILLED")
    code, _ = driver.finish()
    assert code == 1


async def test_jobs_that_failed_alike_are_retried_by_the_driver(sched: Sched) -> None:
    again = "test -e again || { echo no luck >&2; exit 4; }"
    wait = "until test -e go; do sleep 0.02; done"
    shell = f'case "$0" in 0) {wait};; *) {again};; esac'
    driver = sched.start("run", "-w", "r", "-j", "3", "--", "sh", "-c", shell, ":::", "0", "1", "2")
    async with opened(RunFolder(sched.folder / "r")) as terminal:
        await terminal.press("2")
        await terminal.shows("EXIT rc 4, 2 jobs: no luck")
        (sched.folder / "again").touch()
        await terminal.press("r")
        await terminal.shows("Run 2 jobs again?")
        await terminal.press("y")
        await terminal.shows("takes up 2 jobs again")
        await terminal.shows("2 finished")
        sched.go()
        await terminal.shows("3 finished")
    assert driver.finish()[0] == 0


def test_there_is_nothing_to_draw_once_more_when_it_has_ended() -> None:
    TopApp(None)._redraw()


async def test_without_a_driver_one_begins_in_the_background(
    sched: Sched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(sched.folder)
    sched("run", "-w", "r", "--", "test", "-e", "now", code=1)
    Path("now").touch()
    async with opened(RunFolder("r")) as terminal:
        await terminal.shows("1 failed")
        await terminal.press("R")
        await terminal.shows("Run 1 job again that failed or were killed?")
        await terminal.press("y")
        await terminal.shows("in the background")
        await terminal.shows("1 finished")
        await terminal.shows("has ended")


async def test_without_a_driver_jobs_are_killed_all_the_same(sched: Sched) -> None:
    driver = sched.start_waiting_jobs(jobs=4, forks=2)
    driver.process.kill()
    driver.process.wait()
    async with opened(RunFolder(sched.folder / "r"), other_loops=True) as terminal:
        await terminal.shows("died")
        await terminal.press("K")
        await terminal.shows("Kill all 4 jobs that wait or run?")
        await terminal.press("y")
        await terminal.shows("4 jobs: 4 killed")
        await terminal.shows("0 waiting")
        await terminal.press("K")
        await terminal.shows("all jobs have ended; there is nothing to kill")


async def test_the_runs_are_listed_newest_first_and_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for number, jobs in enumerate(([finished(0)], [finished(0), failed(1)], [waiting(0)])):
        record_run(Path(f"sched-runs/run-{number}").absolute(), jobs)
        stamp = BEGUN + number
        os.utime(f"sched-runs/run-{number}/.sched/run.json", (stamp, stamp))
    Path("sched-runs/broken/.sched").mkdir(parents=True)
    Path("sched-runs/broken/.sched/run.json").write_text("{")
    os.utime("sched-runs/broken/.sched/run.json", (BEGUN - 1, BEGUN - 1))
    async with opened(None) as terminal:
        await terminal.shows("4 runs")
        rows = [" ".join(line.split()[:4]) for line in terminal.text.splitlines()[2:6]]
        assert rows[:3] == ["run-2 interrupted 0/1 -", "run-1 failed 2/2 1", "run-0 finished 1/1 -"]
        assert rows[3].startswith("broken unreadable:")
        await terminal.press("down", "enter")
        await terminal.shows("sched-runs/run-1 on local", "q back")
        await terminal.press("q")
        await terminal.shows("4 runs")
        record_run(Path("sched-runs/run-3").absolute(), [finished(0)])
        await terminal.shows("5 runs")
        await terminal.press("q")
    assert terminal.app.return_code == 0


async def test_a_run_that_is_removed_is_told_of(run: RunFolder) -> None:
    async with opened(run) as terminal:
        await terminal.shows("4 waiting")
        shutil.rmtree(run.path)
        await terminal.shows("No such file or directory; trying again")


async def test_ctrl_c_leaves_as_everywhere(run: RunFolder) -> None:
    async with opened(run) as terminal:
        await terminal.shows("4 waiting")
        await terminal.press("ctrl+c")
    assert terminal.app.return_code == 130


async def test_a_hundred_thousand_jobs_keep_no_key_waiting(tmp_path: Path) -> None:
    jobs = [*map(finished, range(60_000)), *map(failed, range(60_000, 62_000))]
    run = record_run(tmp_path / "r", [*jobs, *map(waiting, range(62_000, 100_000))])
    async with opened(run) as terminal:
        await terminal.press("5")
        await terminal.shows("100,000")
        await terminal.press("end")
        await terminal.shows("and 99,500 jobs more")
        await terminal.press("down", "end", "home", "2", "3")
        await terminal.shows("62000  work 62000")
        await terminal.press("slash", *"work 99999")
        await terminal.shows("99999  work 99999")
