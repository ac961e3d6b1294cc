"""The store over a bucket and its mirror, with no Google in sight."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest

from sched_core.errors import OptionError
from sched_core.lifecycle.files import archive_attempt, read_claim, take_claims
from sched_core.ports import mirrored
from sched_core.ports.mirrored import MirroredFiles
from sched_core.text.claim import render_fence

from .bucket import MemoryBucket

ROOT = "gs://bucket/run"
FENCE = render_fence("host", "boot", 1, 2, 3.0)


@pytest.fixture
def bucket() -> MemoryBucket:
    return MemoryBucket()


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    return tmp_path / "mirror"


def opened(bucket: MemoryBucket, mirror: Path) -> MirroredFiles:
    files = MirroredFiles(bucket, ROOT, str(mirror))
    files.join()
    files.take()
    return files


@pytest.fixture
def files(bucket: MemoryBucket, mirror: Path) -> MirroredFiles:
    return opened(bucket, mirror)


# --- sides ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        ".sched/run.json",
        ".sched/lease.3",
        ".sched/journal/1-0.jsonl",
        ".sched/submissions/1.json",
        ".sched/requests/1.json",
    ],
)
def test_what_drivers_share_is_in_the_bucket(
    bucket: MemoryBucket, mirror: Path, files: MirroredFiles, name: str
) -> None:
    assert files.create(f"{ROOT}/{name}", b"one")
    assert not files.create(f"{ROOT}/{name}", b"two")
    assert bucket.text(f"{ROOT}/{name}") == "one"
    assert not (mirror / name).exists()
    assert files.read_many([f"{ROOT}/{name}", f"{ROOT}/none"]) == [b"one", None]
    assert name.rpartition("/")[2] in files.names(f"{ROOT}/{name.rpartition('/')[0]}")
    files.remove(f"{ROOT}/{name}")
    assert not files.exists(f"{ROOT}/{name}")


@pytest.mark.parametrize("name", ["3/job.claim.1", ".sched/events/3.1.0.RUNNING", ".sched/probe.1"])
def test_what_jobs_share_is_in_the_mirror(
    bucket: MemoryBucket, mirror: Path, files: MirroredFiles, name: str
) -> None:
    path = f"{ROOT}/{name}"
    files.make_folder(path.rpartition("/")[0])
    assert files.create(path, b"one")
    assert not files.create(f"{mirror}/{name}", b"two")
    assert (mirror / name).read_text() == "one"
    assert path not in bucket.objects
    assert files.exists(path)
    assert files.read_from(path, 1) == b"ne"
    assert files.checksums([path])[path].size == 3
    files.remove_many([path])
    assert not (mirror / name).exists()


def test_files_of_this_machine_are_left_where_they_are(
    files: MirroredFiles, tmp_path: Path
) -> None:
    assert files.create(f"{tmp_path}/other", b"text")
    assert files.read(f"{tmp_path}/other") == b"text"


def test_an_onlooker_changes_nothing(bucket: MemoryBucket, mirror: Path) -> None:
    bucket.put(f"{ROOT}/0/job.rc", "0\n")
    onlooker = MirroredFiles(bucket, ROOT, str(mirror))
    assert onlooker.read(f"{ROOT}/0/job.rc") == b"0\n"
    assert onlooker.names(f"{ROOT}/0") == ["job.rc"]
    assert not mirror.exists()


def test_an_onlooker_sees_the_mirror_that_is_in_use(
    bucket: MemoryBucket, mirror: Path, files: MirroredFiles
) -> None:
    files.make_folder(f"{ROOT}/0")
    files.create(f"{ROOT}/0/job.stdout", b"so far")
    bucket.put(f"{ROOT}/1/job.stdout", "in the bucket only")
    for onlooker in (MirroredFiles(bucket, ROOT, str(mirror)), MirroredFiles(bucket, ROOT)):
        assert onlooker.read(f"{ROOT}/0/job.stdout") == b"so far"
    assert onlooker.read(f"{ROOT}/1/job.stdout") == b"in the bucket only"
    assert onlooker.create(f"{ROOT}/probe", b"")
    assert f"{ROOT}/probe" in bucket.objects


# --- jobs' folders -------------------------------------------------------------------------------


def test_what_a_job_leaves_is_published_once(
    bucket: MemoryBucket, mirror: Path, files: MirroredFiles
) -> None:
    (mirror / "0/deep").mkdir(parents=True)
    (mirror / "0/job.stdout").write_text("out")
    (mirror / "0/deep/own").write_text("own")
    assert files.jobs.publish([0]) == []
    assert bucket.text(f"{ROOT}/0/job.stdout") == "out"
    assert bucket.text(f"{ROOT}/0/deep/own") == "own"
    files.jobs.publish([0])
    assert len(bucket.uploads) == 2
    (mirror / "0/job.stdout").write_text("more")
    files.jobs.publish_again()
    assert bucket.text(f"{ROOT}/0/job.stdout") == "more"


def test_files_of_earlier_attempts_move_in_the_bucket_too(
    bucket: MemoryBucket, mirror: Path, files: MirroredFiles
) -> None:
    (mirror / "0").mkdir()
    (mirror / "0/job.stdout").write_text("first")
    (mirror / "0/own").write_text("own")
    files.jobs.publish([0])
    archive_attempt(files, f"{ROOT}/0", 1)
    (mirror / "0/own").unlink()
    files.jobs.publish([0])
    assert bucket.text(f"{ROOT}/0/job.retry/1/job.stdout") == "first"
    assert f"{ROOT}/0/job.stdout" not in bucket.objects
    assert f"{ROOT}/0/own" in bucket.objects  # nothing of anybody's own is ever removed


def test_what_could_not_be_published_is_told(
    bucket: MemoryBucket, mirror: Path, files: MirroredFiles
) -> None:
    (mirror / "0").mkdir()
    (mirror / "0/job.stdout").write_text("out")
    bucket.away = 1
    assert len(files.jobs.publish([0])) == 1
    assert files.jobs.publish([0]) == []
    assert bucket.text(f"{ROOT}/0/job.stdout") == "out"


def test_records_of_another_machine_come_when_they_are_asked_for(
    bucket: MemoryBucket, mirror: Path
) -> None:
    bucket.put(f"{ROOT}/0/job.claim.1", "a claim")
    bucket.put(f"{ROOT}/0/job.stdout", "out")
    bucket.put(f"{ROOT}/0/result", "own")
    files = opened(bucket, mirror)
    assert (mirror / "0/result").read_text() == "own"
    assert not (mirror / "0/job.claim.1").exists()
    assert sorted(files.names(f"{ROOT}/0")) == ["job.claim.1", "job.stdout", "result"]
    assert not files.make_folder(f"{ROOT}/0")
    assert not files.create(f"{ROOT}/0/job.claim.1", b"mine")
    assert read_claim(files, f"{ROOT}/0", 1) is not None
    assert take_claims(files, [(f"{ROOT}/0", 1), (f"{ROOT}/1", 1)], FENCE) == [False, True]
    assert (mirror / "0/job.claim.1").read_text() == "a claim"
    files.write(f"{ROOT}/0/job.stdout", b"new")
    files.jobs.publish([0])
    assert bucket.text(f"{ROOT}/0/job.stdout") == "new"
    assert files.entries(f"{ROOT}/0").keys() == {"job.claim.1", "job.stdout", "result"}


# --- all else ------------------------------------------------------------------------------------


def test_inputs_are_there_when_the_run_opens(bucket: MemoryBucket, mirror: Path) -> None:
    bucket.put(f"{ROOT}/data/deep/in.txt", "in")
    bucket.put(f"{ROOT}/top", "top")
    bucket.put(f"{ROOT}/data/", "")
    bucket.put(f"{ROOT}/../out", "escaped")
    files = opened(bucket, mirror)
    assert (mirror / "data/deep/in.txt").read_text() == "in"
    assert (mirror / "top").stat().st_mode & 0o777 == 0o600
    assert files.exchange.left_out == {"../out"}
    assert files.exchange.bring_out(unfinished=True) == []
    assert bucket.uploads == []


def test_what_appears_at_the_top_comes_once(
    bucket: MemoryBucket, mirror: Path, files: MirroredFiles
) -> None:
    bucket.put(f"{ROOT}/gate", "open")
    assert files.exchange.look_in() == []
    assert (mirror / "gate").read_text() == "open"
    (mirror / "gate").unlink()
    files.exchange.look_in()
    assert not (mirror / "gate").exists()
    bucket.put(f"{ROOT}/gate", "again")
    files.exchange.look_in()
    assert (mirror / "gate").read_text() == "again"


def test_what_jobs_write_goes_to_the_bucket(
    bucket: MemoryBucket, mirror: Path, files: MirroredFiles
) -> None:
    (mirror / "out/.sched").mkdir(parents=True)
    (mirror / "out/a").write_text("a")
    (mirror / "out/.sched/journal").write_text("another run's")
    (mirror / "2024").mkdir()
    (mirror / "2024/b").write_text("b")
    (mirror / "7").mkdir()
    (mirror / "7/own").write_text("a job's")
    (mirror / "two\nlines").write_text("no object can have that name")
    files.exchange.jobs = {7}
    assert files.exchange.bring_out() == []
    assert {p: bucket.text(p) for p in bucket.uploads} == {
        f"{ROOT}/out/a": "a",
        f"{ROOT}/2024/b": "b",
    }
    assert files.exchange.left_out == {"two\nlines"}
    files.exchange.look_in()
    files.exchange.bring_out()
    assert len(bucket.uploads) == 2


def test_the_newer_one_wins(bucket: MemoryBucket, mirror: Path, files: MirroredFiles) -> None:
    for name in ("here", "there"):
        (mirror / name).write_text("old")
    files.exchange.bring_out()
    bucket.put(f"{ROOT}/here", "from there", modified=1e9)
    bucket.put(f"{ROOT}/there", "from there")
    for name in ("here", "there"):
        (mirror / name).write_text("from here")
        os.utime(mirror / name, (1.5e9, 1.5e9))
    files.exchange.look_in()
    files.exchange.bring_out()
    assert (mirror / "here").read_text() == bucket.text(f"{ROOT}/here") == "from here"
    assert (mirror / "there").read_text() == bucket.text(f"{ROOT}/there") == "from there"


def test_large_files_wait_until_they_are_whole(
    bucket: MemoryBucket, mirror: Path, files: MirroredFiles
) -> None:
    (mirror / "large").write_bytes(b"x" * (2 << 20))
    files.exchange.bring_out()
    assert bucket.uploads == []
    files.exchange.bring_out(unfinished=True)
    assert bucket.uploads == [f"{ROOT}/large"]


def test_the_same_mirror_once_more(
    bucket: MemoryBucket, mirror: Path, files: MirroredFiles
) -> None:
    (mirror / "data").mkdir()
    (mirror / "data/mine").write_text("not brought yet")
    bucket.put(f"{ROOT}/data/new", "new")
    again = opened(bucket, mirror)
    assert again.elsewhere is None
    assert (mirror / "data/new").read_text() == "new"
    again.exchange.bring_out()
    assert bucket.text(f"{ROOT}/data/mine") == "not brought yet"


def test_the_jobs_of_an_earlier_list_are_left_in_peace(
    bucket: MemoryBucket, mirror: Path, files: MirroredFiles
) -> None:
    (mirror / "7").mkdir()
    (mirror / "7/job.stdout").write_text("of an earlier list")
    files.exchange.jobs, files.exchange.earlier_jobs = {0}, {7}
    files.exchange.bring_out()
    assert bucket.uploads == []


@pytest.mark.parametrize("name", ["", "..", "../../../stolen", "a//b", "n" * 300, "nul\0"])
def test_no_object_has_a_name_that_leads_elsewhere(
    bucket: MemoryBucket, mirror: Path, tmp_path: Path, name: str
) -> None:
    bucket.put(f"{ROOT}/0/job.stdout", "out")
    bucket.put(f"{ROOT}/0/job.retry/1/job.stdout", "out")
    bucket.put(f"{ROOT}/0/job.retry/1/{name}", "elsewhere")
    files = opened(bucket, mirror)
    assert files.names(f"{ROOT}/0/job.retry/1") == ["job.stdout"]
    assert list(files.entries(f"{ROOT}/0/job.retry/1")) == ["job.stdout"]
    with pytest.raises(OSError, match="No such file"):
        files.read(f"{ROOT}/0/job.retry/1/../../../stolen")
    assert [path.name for path in tmp_path.iterdir()] == [mirror.name]


# --- whose mirror it is ----------------------------------------------------------------------------


def test_a_mirror_of_an_earlier_run_is_put_aside(
    bucket: MemoryBucket, mirror: Path, files: MirroredFiles
) -> None:
    (mirror / "0").mkdir()
    (mirror / "0/job.claim.1").write_text("an old claim")
    bucket.objects.clear()  # somebody has removed the run
    opened(bucket, mirror)
    assert not (mirror / "0").exists()
    (aside,) = (path for path in mirror.parent.iterdir() if path != mirror)
    assert (aside / "0/job.claim.1").read_text() == "an old claim"


def test_a_mirror_that_was_never_used_is_no_loss(bucket: MemoryBucket, mirror: Path) -> None:
    MirroredFiles(bucket, ROOT, str(mirror)).join()
    opened(bucket, mirror)
    assert list(mirror.parent.iterdir()) == [mirror]


def test_a_folder_of_somebody_else_is_refused(bucket: MemoryBucket, mirror: Path) -> None:
    mirror.mkdir()
    (mirror / "thesis.tex").write_text("")
    with pytest.raises(OptionError, match="holds something else: name an empty folder"):
        MirroredFiles(bucket, ROOT, str(mirror)).join()


def test_another_mirror_is_known(
    bucket: MemoryBucket, files: MirroredFiles, mirror: Path, tmp_path: Path
) -> None:
    other = MirroredFiles(bucket, ROOT, f"{tmp_path}/other")
    other.join()
    assert other.elsewhere is not None
    assert other.elsewhere.folder == str(mirror)
    assert other.elsewhere_is_seen()
    mirror.rename(tmp_path / "gone")
    assert not other.elsewhere_is_seen()


# --- patience --------------------------------------------------------------------------------------


def test_the_bucket_is_waited_for(
    bucket: MemoryBucket,
    files: MirroredFiles,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(mirrored, "_STEP", 0.0)
    monkeypatch.setattr(mirrored, "_FIRST_DELAY", 0.0)
    files.gives_up = lambda: False
    bucket.away = 2
    with caplog.at_level(logging.WARNING):
        assert files.create(f"{ROOT}/.sched/journal/1-0.jsonl", b"text")
    assert "the bucket cannot be reached, trying again" in caplog.text
    assert bucket.text(f"{ROOT}/.sched/journal/1-0.jsonl") == "text"


def test_it_is_not_waited_for_when_the_run_ends(bucket: MemoryBucket, files: MirroredFiles) -> None:
    bucket.away = 1
    with pytest.raises(OSError, match="cannot be reached now"):
        files.write(f"{ROOT}/.sched/run.json", b"text")


def test_a_create_that_was_heard_though_its_answer_was_lost(
    bucket: MemoryBucket, files: MirroredFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = f"{ROOT}/.sched/journal/1-0.jsonl"
    create = bucket.create

    def lose_the_answer(path: str, data: bytes) -> bool:
        monkeypatch.setattr(bucket, "create", create)
        create(path, data)
        bucket.away = 1
        bucket._ask()
        return True

    monkeypatch.setattr(mirrored, "_FIRST_DELAY", 0.0)
    monkeypatch.setattr(bucket, "create", lose_the_answer)
    files.gives_up = lambda: False
    assert files.create(path, b"text")
    monkeypatch.setattr(bucket, "create", lose_the_answer)
    assert not files.create(path, b"another's")
