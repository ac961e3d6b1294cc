"""What is shown of jobs of this machine before a run begins."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sched_core import Job, OptionError, Preview, hookimpl
from sched_local import LocalScheduler


def preview(folder: Path, count: int = 5, **options: Any) -> Preview:
    scheduler = LocalScheduler(folder / "run", forks=2, **options)
    jobs = [scheduler.new_job(index, ["echo", str(index)]) for index in range(count)]
    return scheduler.preview(jobs, plugins=[])


def test_as_many_jobs_go_out_first_as_may_run_at_once(tmp_path: Path) -> None:
    assert [job.index for job in preview(tmp_path).jobs] == [0, 1]
    assert [job.index for job in preview(tmp_path, error_strategy="halt").jobs] == [0, 1]


def test_nothing_is_shown_of_no_jobs(tmp_path: Path) -> None:
    assert preview(tmp_path, 0) == Preview((), ())


def test_text_of_plugins_is_in_the_script(tmp_path: Path) -> None:
    class Prepares:
        @hookimpl
        def on_jobcmd_prep(self, job: Job) -> str:
            return f"echo before {job.index}"

    scheduler = LocalScheduler(tmp_path / "run")
    ((_, text),) = scheduler.preview([scheduler.new_job(7, ["true"])], plugins=[Prepares()]).parts
    assert "_sched_before='echo before 7'" in text


def test_a_job_that_the_machine_can_never_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="a job asks for cpus=100000"):
        preview(tmp_path, resources={"cpus": 100000})


def test_a_mount_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="the scheduler local mounts nothing"):
        preview(tmp_path, volumes=f"{tmp_path}:/not/there")


def test_a_container_is_seen_with_its_mounts(tmp_path: Path) -> None:
    ((_, text),) = preview(tmp_path, container={"image": "tools:1", "engine": "podman"}).parts
    assert '--mount type=bind,source="$_sched_root",target="$_sched_root" ' in text
    assert "_sched_image=(tools:1)" in text


def test_a_run_in_a_bucket_is_shown_without_the_bucket(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: object) -> None:
        raise AssertionError("the bucket was asked")

    monkeypatch.setattr("sched_core.ports.bucket.storage_client", refuse)
    monkeypatch.setenv("HOME", str(tmp_path))
    scheduler = LocalScheduler("gs://bucket/run1", mirror=tmp_path / "mirror")
    ((_, text),) = scheduler.preview([scheduler.new_job(0, ["true"])], plugins=[]).parts
    assert f"_sched_dir={tmp_path}/mirror/0\n" in text
    assert list(tmp_path.iterdir()) == []
