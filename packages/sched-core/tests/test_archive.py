from __future__ import annotations

from pathlib import Path

import pytest

from sched_core.lifecycle.files import Preparation, archive_attempts, prepare_jobs
from sched_core.ports.localfiles import LocalFiles
from sched_core.runfolder import AttemptId

SECOND = b"the second attempt's"


@pytest.fixture
def metadir(tmp_path: Path) -> Path:
    for name in ("job.stdout", "job.rc", "job.wrapped.local", "job.claim.1", "mine"):
        (tmp_path / name).write_text("1")
    return tmp_path


def prepare(metadir: Path) -> None:
    path = str(metadir / "job.wrapped.local")
    assert prepare_jobs(
        LocalFiles(), [Preparation(AttemptId(0, 2), str(metadir), path, SECOND)]
    ) == [None]


def archived(metadir: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in (metadir / "job.retry/1").iterdir()}


FIRST = {"job.stdout": "1", "job.rc": "1", "job.wrapped.local": "1"}


def test_an_attempt_keeps_the_files_of_the_one_before(metadir: Path) -> None:
    prepare(metadir)
    assert archived(metadir) == FIRST
    assert {path.name for path in metadir.iterdir()} == {
        "job.claim.1",
        "job.retry",
        "job.wrapped.local",
        "mine",
    }


def test_an_attempt_that_is_prepared_again_does_not_take_its_own_files_for_old_ones(
    metadir: Path,
) -> None:
    prepare(metadir)
    prepare(metadir)
    assert archived(metadir) == FIRST
    assert (metadir / "job.wrapped.local").read_bytes() == SECOND


def test_an_archive_that_was_broken_off_is_completed(metadir: Path) -> None:
    (metadir / "job.retry/1").mkdir(parents=True)
    (metadir / "job.stdout").rename(metadir / "job.retry/1/job.stdout")
    prepare(metadir)
    assert archived(metadir) == FIRST


def test_the_files_of_an_attempt_that_has_begun_are_left_to_it(metadir: Path) -> None:
    prepare(metadir)
    (metadir / "job.claim.2").touch()
    (metadir / "job.stdout").write_text("2")
    prepare(metadir)
    assert archived(metadir) == FIRST
    assert (metadir / "job.stdout").read_text() == "2"


NAMES = ("job.stdout", "job.stderr", "job.rc", "job.wrapped.local")


def test_many_attempts_are_archived_together(metadir: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "job.stdout").write_text("5")
    (other / "job.claim.5").touch()
    # The driver's own store makes the folders of a disk.
    for folder in (metadir / "job.retry/1", other / "job.retry/4"):
        folder.mkdir(parents=True)
    archive_attempts(LocalFiles(), [(str(metadir), 1), (str(other), 4)], NAMES)
    assert archived(metadir) == FIRST
    assert (other / "job.stdout").read_text() == "5", "the next attempt has begun: it is its own"
    assert (metadir / "mine").exists()
