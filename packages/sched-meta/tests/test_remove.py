"""`sched clean --remove-run`, `--remove-jobs`: what is meant goes, and nothing else."""

from __future__ import annotations

import errno
import os
import shutil
import signal
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import pytest

from sched_core.errors import RunNotFound, RunUnfinished
from sched_core.model.status import JobStatus
from sched_core.ports.localfiles import LocalFiles
from sched_core.runfolder import JobRecord
from sched_meta.cli import main
from sched_meta.keeping.packing import pack_jobs
from sched_meta.keeping.removing import (
    is_half_removed,
    remove_jobs,
    remove_run,
    what_jobs_have,
    what_run_has,
)
from sched_meta.reading.runfolder import RunFolder

from .keptruns import contents, failed, fresh, killed_at, make_run, record
from .program import Sched, in_terminal

JOBS = (record(0), failed(1), record(2, attempt=2), failed(3))


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return make_run(tmp_path / "r", JOBS)


def finished(jobs: Mapping[int, JobRecord]) -> list[JobRecord]:
    return [job for job in jobs.values() if job.status is JobStatus.FINISHED]


def every(jobs: Mapping[int, JobRecord]) -> list[JobRecord]:
    return list(jobs.values())


def all_files(top: Path) -> set[Path]:
    return {path for path in top.rglob("*") if not path.is_dir() or path.is_symlink()}


# --- the program -----------------------------------------------------------------------------------


def test_a_whole_run(sched: Sched) -> None:
    sched("run", "-w", "r", "--", "echo", ":::", "a", "b")
    number = len(all_files(sched.folder / "r"))
    told = sched("clean", "r", "--remove-run", "--dry-run").stderr
    assert told.startswith(f"sched: would be removed: {number} files of 2 jobs in r (")
    assert sched.counts() == {"finished": 2}
    assert "add --yes to remove it" in sched("clean", "r", "--remove-run", code=2).stderr
    assert sched.counts() == {"finished": 2}
    # The lease of the second process that cleans is one file more.
    assert " of 2 jobs in r (" in sched("clean", "r", "--remove-run", "--yes").stderr
    assert os.listdir(sched.folder) == []


def test_files_of_jobs_that_finished(sched: Sched) -> None:
    command = ("run", "-w", "r", "--", "test", "a", "=", ":::", "a", "b", "a")
    sched(*command, code=1)
    before = sched("results", "r").stdout
    sched("clean", "r", "--remove-jobs", "finished", "--dry-run")
    assert sorted(os.listdir(sched.folder / "r")) == [".sched", "0", "1", "2"]
    done = sched("clean", "r", "--remove-jobs", "finished", "--yes")
    assert "removed: 14 files of 2 jobs in r (" in done.stderr
    assert sorted(os.listdir(sched.folder / "r")) == [".sched", "1"]
    assert before == sched("results", "r").stdout
    assert sched.counts() == {"finished": 2, "failed": 1}
    assert "FINISHED" in sched("explain", "r", "0").stdout
    assert (
        "==> job 0 has written nothing, or its files were removed" in sched("logs", "r", "0").stderr
    )
    sched("run", "--resume", *command[1:], code=1)  # nothing is run again
    assert sorted(os.listdir(sched.folder / "r")) == [".sched", "1"]


def test_several_runs_one_of_which_is_driven(sched: Sched) -> None:
    sched("run", "-w", "one", "--", "true")
    sched("run", "-w", "two", "--", "true")
    driver = sched.start_waiting_jobs()
    done = sched("clean", "one", "r", "two", "--remove-run", "--yes", code=1)
    assert "not cleaned: r: the run in " in done.stderr
    assert f"is driven by process {driver.process.pid}" in done.stderr
    assert sorted(p.name for p in sched.folder.iterdir() if p.is_dir()) == ["r"]
    for option in ("--remove-run", "--remove-jobs=all"):
        assert "is driven by" in sched("clean", "r", option, "--dry-run", code=2).stderr
        assert "is driven by" in sched("clean", "r", option, "--yes", code=2).stderr
    sched.go()
    assert driver.finish()[0] == 0


def test_not_while_jobs_may_run(sched: Sched) -> None:
    driver = sched.start_waiting_jobs()
    driver.send(signal.SIGKILL)
    driver.finish()
    for more in ("--yes", "--dry-run"):
        done = sched("clean", "r", "--remove-run", more, code=2)
        assert "may still run (job 0, ...); go on with the run (sched resume" in done.stderr
    done = sched("clean", "r", "--remove-jobs", "all", "--yes")
    assert "removed: 0 files in r" in done.stderr
    assert "kept: the files of 3 jobs that did not end yet" in done.stderr


def test_what_stays_of_a_run_is_told_by_the_exit_code(sched: Sched) -> None:
    sched("run", "-w", "r", "--", "true")
    (sched.folder / "r" / "notes").write_text("mine")
    done = sched("clean", "r", "--remove-run", "--yes", code=1)
    assert "kept: 1 that sched did not write: notes" in done.stderr
    assert os.listdir(sched.folder / "r") == ["notes"]


@pytest.mark.parametrize("what", ["--remove-run", "--remove-jobs=all"])
def test_a_full_disk_is_named_with_what_helps(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], what: str
) -> None:
    def is_full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    before = all_files(Path(run.path))
    monkeypatch.setattr(LocalFiles, "_fill", is_full)
    assert main(["clean", run.path, what, "--yes"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "/.sched/" in line
    assert line.endswith(
        f": No space left on device; free a few bytes by hand first, such as the output of a job "
        f"({run.path}/0/job.stdout)"
    )
    assert before == all_files(Path(run.path))


def test_old_runs_only(sched: Sched) -> None:
    sched("run", "--name", "n", "--", "true")
    sched("run", "--name", "n", "--", "true")
    done = sched("clean", "--remove-run", "--older-than", "1h", "--yes")
    assert done.stderr == "sched: no run is that old\n"
    done = sched("clean", "n-1", "--remove-run", "--older-than", "0.001s", "--yes")
    assert os.listdir(sched.folder / "sched-runs") == ["n-2"]
    done = sched("clean", "--remove-run", "--older-than", "0.001s", "--yes")
    assert os.listdir(sched.folder / "sched-runs") == []


def test_it_asks_on_a_terminal(sched: Sched) -> None:
    sched("run", "-w", "r", "--", "true")
    for answer in (b"\n", b"n\n"):
        code, shown = in_terminal(
            sched.folder, "clean", "r", "--remove-run", keys=partial(_type, answer)
        )
        assert "would be removed: " in shown
        assert "sched: remove it? [y/N]" in shown
        assert code == 130
    assert sched.counts() == {"finished": 1}
    code, _ = in_terminal(sched.folder, "clean", "r", "--remove-run", keys=partial(_type, b"y\n"))
    assert (code, os.listdir(sched.folder)) == (0, [])


def _type(answer: bytes, terminal: int) -> None:
    os.write(terminal, answer)


# --- a whole run -----------------------------------------------------------------------------------


def test_the_run_is_gone(run: RunFolder) -> None:
    expected = what_run_has(run)
    assert expected.files == len(all_files(Path(run.path)))
    removal = remove_run(run)
    assert removal.jobs == 4
    assert not os.path.exists(run.path)
    with pytest.raises(RunNotFound):
        remove_run(fresh(run))


def test_what_somebody_else_wrote_stays(run: RunFolder, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "job.stdout").write_text("precious")
    own = Path(run.path)
    (own / "0" / "out.bam").write_text("precious")
    (own / "1" / "job.retry").symlink_to(outside)
    (own / "7").symlink_to(outside)
    (own / "notes.txt").write_text("mine")
    kept = ["0/out.bam", "1/job.retry", "7", "notes.txt"]
    assert kept == sorted(what_run_has(run).kept)
    assert kept == sorted(remove_run(run).kept)
    assert kept == sorted(str(p.relative_to(own)) for p in all_files(own))
    assert (outside / "job.stdout").read_text() == "precious"


def test_a_packed_run(run: RunFolder) -> None:
    pack_jobs(run)
    remove_run(fresh(run))
    assert not os.path.exists(run.path)


def test_a_run_that_was_interrupted(tmp_path: Path) -> None:
    jobs = [record(0), record(1, JobStatus.KILLED, interrupted=True), record(2, JobStatus.QUEUED)]
    run = make_run(tmp_path / "r", jobs)
    remove_run(run)
    assert not os.path.exists(run.path)


def test_jobs_that_may_run_keep_the_run(tmp_path: Path) -> None:
    run = make_run(tmp_path / "r", [record(0), record(1, JobStatus.RUNNING)])
    with pytest.raises(RunUnfinished, match=r"1 job of the run in .* may still run \(job 1\)"):
        remove_run(run)
    assert os.path.exists(run.of_job(0))


def test_removal_that_is_killed_can_be_read_and_finished(tmp_path: Path) -> None:
    effect, killed, seen_half = 0, True, False
    while killed:
        effect += 1
        run = make_run(tmp_path / str(effect), JOBS[:3])
        pack_jobs(run, lambda jobs: [jobs[0]])
        killed = killed_at(effect, partial(remove_run, fresh(run)))
        now = fresh(run)
        if now.holds_run():
            assert [job.status for job in now.read().jobs.values()] == [j.status for j in JOBS[:3]]
            contents(now, range(3))
            remove_run(now)
        elif is_half_removed(now):
            seen_half = True
            remove_run(now)
        assert all_files(tmp_path / str(effect)) == set()
    assert effect > 20
    assert seen_half


def test_no_run_begins_in_what_is_half_removed(sched: Sched) -> None:
    sched("run", "-w", "r", "--", "true")
    run = RunFolder(sched.folder / "r")
    shutil.rmtree(run.of_job(0))
    Path(run.layout.removing).touch()
    Path(run.layout.run_file).unlink()
    done = sched("run", "-w", "r", "--", "true", code=2)
    assert "is being removed, or that was broken off; finish it (sched clean" in done.stderr
    assert "r holds no run" in sched("status", "r", code=2).stderr
    assert "r holds no run" in sched("clean", "r", code=2).stderr
    sched("clean", "r", "--remove-run", "--dry-run")
    sched("clean", "r", "--remove-run", "--yes")
    assert os.listdir(sched.folder) == []


# --- the files of some jobs ------------------------------------------------------------------------


def test_files_of_some_jobs(run: RunFolder) -> None:
    before = contents(run, (1, 3))
    expected = what_jobs_have(run, finished)
    removal = remove_jobs(run, finished)
    assert (removal.jobs, removal.files, removal.size) == (2, 12, expected.size)
    assert (expected.jobs, expected.files) == (2, 12)
    assert contents(fresh(run), range(4)) == before
    assert [job.index for job in finished(run.read().jobs)] == [0, 2]
    again = remove_jobs(run, finished)
    assert (again.jobs, again.files) == (0, 0)


def test_files_of_some_packed_jobs(run: RunFolder) -> None:
    before = contents(run, (1, 3))
    pack_jobs(run)
    expected = what_jobs_have(fresh(run), finished)
    removal = remove_jobs(fresh(run), finished)
    assert (removal.jobs, removal.files, removal.size) == (2, 12, expected.size)
    assert (expected.jobs, expected.files) == (2, 12)
    assert contents(fresh(run), range(4)) == before
    remove_jobs(fresh(run), every)
    assert os.listdir(run.layout.packs) == []
    assert contents(fresh(run), range(4)) == {}


def test_what_somebody_else_wrote_for_a_job_stays(run: RunFolder) -> None:
    Path(run.path, "0", "out.bam").write_text("precious")
    assert remove_jobs(run, finished).kept == ["0/out.bam"]
    assert os.listdir(run.of_job(0)) == ["out.bam"]


def test_a_link_in_the_place_of_a_jobs_folder_stays(run: RunFolder, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    Path(run.path, "0").rename(outside)
    Path(run.path, "0").symlink_to(outside)
    within = all_files(outside)
    remove_jobs(run, every)
    assert all_files(outside) == within
    assert sorted(os.listdir(run.path)) == [".sched", "0"]


def test_unfinished_jobs_keep_their_files(tmp_path: Path) -> None:
    run = make_run(tmp_path / "r", [record(0), record(1, JobStatus.RUNNING)])
    assert remove_jobs(run, every).open == 1
    assert os.path.exists(f"{run.of_job(1)}/job.stdout")
    assert not os.path.exists(run.of_job(0))


def test_removal_of_files_that_is_killed_can_be_finished(tmp_path: Path) -> None:
    effect, killed = 0, True
    while killed:
        effect += 1
        run = make_run(tmp_path / str(effect), JOBS[:3])
        pack_jobs(run, lambda jobs: [jobs[0], jobs[1]])
        kept = contents(fresh(run), [1])
        killed = killed_at(effect, partial(remove_jobs, fresh(run), finished))
        now = fresh(run)
        assert [job.status for job in now.read().jobs.values()] == [j.status for j in JOBS[:3]]
        assert kept == contents(now, [1])
        remove_jobs(now, finished)
        assert kept == contents(fresh(run), range(3))
        assert not os.path.exists(run.of_job(2))
    assert effect > 8
