from __future__ import annotations

import errno
from pathlib import Path

import pytest

from sched_core import AttemptId, Submission
from sched_core.lifecycle.files import Preparation
from sched_core.ports import StoreUnavailable
from sched_core.ports.localfiles import LocalFiles
from sched_core.runfolder import Layout
from sched_gbatch.bundles import bundle
from sched_gbatch.storing import Scripts

TASKS = (AttemptId(0, 2), AttemptId(1, 2))


class Trouble(LocalFiles):
    """Cannot list the folder of the first job."""

    def __init__(self, error: OSError) -> None:
        super().__init__()
        self.error = error
        self.asked = 0

    def names(self, folder: str) -> list[str]:
        self.asked += 1
        if folder.endswith("/0"):
            raise self.error
        return []


def store(
    folder: Path, files: Trouble, tasks: tuple[AttemptId, ...] = TASKS
) -> list[OSError | None]:
    for name in ("bundles", "tasks"):
        (folder / ".sched" / name).mkdir(parents=True)
    preparations = [
        Preparation(task, f"{folder}/{task.job_index}", "", b"script %d\n" % task.job_index)
        for task in tasks
    ]
    submission = Submission("01", "name", "gbatch", tasks)
    scripts = Scripts(files, Layout(str(folder)), "/mnt/disks/run")
    return scripts.store("gbatch", "run", 5.0, submission, preparations)


def test_a_job_whose_files_cannot_be_made_has_no_script_that_a_task_could_start(
    tmp_path: Path,
) -> None:
    error = PermissionError(errno.EACCES, "no")
    assert store(tmp_path, Trouble(error)) == [error, None]
    text = (tmp_path / ".sched/bundles/01.0").read_bytes()
    assert text == bundle("01", 0, TASKS, [None, b"script 1\n"])


def test_a_bucket_out_of_reach_is_not_asked_for_each_job(tmp_path: Path) -> None:
    files = Trouble(StoreUnavailable(errno.EIO, "away"))
    with pytest.raises(StoreUnavailable):
        store(tmp_path, files)
    assert files.asked == 1


def test_what_many_attempts_have_left_is_archived_together(tmp_path: Path) -> None:
    tasks = tuple(AttemptId(number, 2) for number in range(10))
    for number in range(10):
        (tmp_path / f"{number}/job.retry/1").mkdir(parents=True)
        (tmp_path / f"{number}/job.stdout").write_text(str(number))
    files = Trouble(PermissionError(errno.EACCES, "no"))
    assert store(tmp_path, files, tasks) == [None] * 10
    assert files.asked == 0
    kept = [(tmp_path / f"{number}/job.retry/1/job.stdout").read_text() for number in range(10)]
    assert kept == [str(number) for number in range(10)]
