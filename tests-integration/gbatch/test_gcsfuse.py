"""The imitation is as weak as gcsfuse: what a task may not rely on does not hold on it, either."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from ..daemons import until
from ..engines import or_skip
from .conftest import BUCKET
from .gcsfuse import Gcsfuse, Settings
from .storage import StorageEmulator
from .storage_client import Bucket


@contextmanager
def mounted(storage: StorageEmulator, at: Path) -> Iterator[Gcsfuse]:
    with or_skip():
        gcsfuse = Gcsfuse(storage.root, BUCKET, at)
    with gcsfuse:
        yield gcsfuse


@pytest.fixture
def gcsfuse(storage: StorageEmulator, tmp_path: Path) -> Iterator[Gcsfuse]:
    with mounted(storage, tmp_path / "mount") as gcsfuse:
        yield gcsfuse


@pytest.fixture
def mount(gcsfuse: Gcsfuse) -> Path:
    return gcsfuse.path


@pytest.fixture
def other(storage: StorageEmulator, tmp_path: Path) -> Iterator[Gcsfuse]:
    """The same bucket on another machine."""
    with mounted(storage, tmp_path / "other") as gcsfuse:
        yield gcsfuse


def names(bucket: Bucket) -> list[str]:
    return [blob.name for blob in bucket.list_blobs()]


def test_objects_are_files(bucket: Bucket, mount: Path) -> None:
    for name in ("a", "b/c", "b/d/e"):
        bucket.blob(name).upload_from_string(name)

    assert sorted(os.listdir(mount)) == ["a", "b"]
    assert sorted(os.listdir(mount / "b")) == ["c", "d"]
    assert (mount / "b/d/e").read_text() == "b/d/e"
    assert not (mount / "b/nothing").exists()


def test_an_object_appears_whole_when_the_file_is_closed(bucket: Bucket, mount: Path) -> None:
    with (mount / "a").open("w") as file:
        file.write("first ")
        file.flush()
        assert (mount / "a").stat().st_size == 6  # here it is seen, and nowhere else
        assert os.listdir(mount) == ["a"]
        assert names(bucket) == []
        file.write("last")
    assert bucket.blob("a").download_as_text() == "first last"


def test_a_sync_uploads_too(bucket: Bucket, mount: Path) -> None:
    with (mount / "a").open("w") as file:
        file.write("1")
        file.flush()
        os.fsync(file.fileno())
        assert bucket.blob("a").download_as_text() == "1"
        file.write("2")
    assert bucket.blob("a").download_as_text() == "12"


def test_each_append_is_another_object(bucket: Bucket, mount: Path) -> None:
    generations = []
    for text in "abc":
        with (mount / "log").open("a") as file:
            file.write(text)
        generations.append(bucket.get_blob("log").generation)
    assert (mount / "log").read_text() == "abc"
    assert len(set(generations)) == 3


def test_a_file_is_changed_in_its_middle(bucket: Bucket, mount: Path) -> None:
    bucket.blob("a").upload_from_string("0123456789")
    with (mount / "a").open("r+b") as file:
        file.seek(4)
        file.write(b"xx")
        assert bucket.blob("a").download_as_bytes() == b"0123456789"
    assert bucket.blob("a").download_as_bytes() == b"0123xx6789"
    os.truncate(mount / "a", 5)
    assert bucket.blob("a").download_as_bytes() == b"0123x"
    (mount / "a").write_text("")
    assert bucket.blob("a").download_as_bytes() == b""


def test_a_file_that_is_only_opened_is_not_uploaded_again(bucket: Bucket, mount: Path) -> None:
    bucket.blob("a").upload_from_string("x")
    before = bucket.get_blob("a").generation
    with (mount / "a").open("r+b") as file:
        file.read()
    assert bucket.get_blob("a").generation == before


def test_programs_of_a_task_work(bucket: Bucket, mount: Path) -> None:
    script = "mkdir -p d/e; echo text >a; cp a d/e/b; cat a a >d/c; cp -p a d/; rm a; touch f"
    subprocess.run(["bash", "-euc", script], cwd=mount, check=True)
    assert names(bucket) == ["d/", "d/a", "d/c", "d/e/", "d/e/b", "f"]
    assert bucket.blob("d/c").download_as_text() == "text\ntext\n"


def test_a_rename_is_a_copy_and_a_removal(bucket: Bucket, gcsfuse: Gcsfuse, mount: Path) -> None:
    bucket.blob("a").upload_from_string("x")
    gcsfuse.set(rename_time=3600.0)

    def move() -> None:
        with suppress(OSError):  # the mount goes away under it
            os.rename(mount / "a", mount / "b")

    threading.Thread(target=move, daemon=True).start()
    until(lambda: bucket.blob("b").exists(), "the copy")
    assert names(bucket) == ["a", "b"]


def test_a_renamed_file_is_moved_in_the_end(bucket: Bucket, mount: Path) -> None:
    bucket.blob("a").upload_from_string("x")
    bucket.blob("b").upload_from_string("to be replaced")
    os.rename(mount / "a", mount / "b")
    assert names(bucket) == ["b"]
    assert (mount / "b").read_text() == "x"


def test_what_there_is_not(bucket: Bucket, mount: Path) -> None:
    bucket.blob("d/a").upload_from_string("x")
    with pytest.raises(OSError, match=rf"\[Errno {errno.EMFILE}\]"):
        os.rename(mount / "d", mount / "e")
    with pytest.raises(OSError, match=rf"\[Errno ({errno.ENOSYS}|{errno.EPERM})\]"):
        os.link(mount / "d/a", mount / "b")
    os.chmod(mount / "d/a", 0o700)
    assert (mount / "d/a").stat().st_mode & 0o777 == 0o644


def test_folders(bucket: Bucket, mount: Path) -> None:
    (mount / "d").mkdir()
    with pytest.raises(FileExistsError):
        (mount / "d").mkdir()
    assert names(bucket) == ["d/"]
    (mount / "d/a").touch()
    with pytest.raises(OSError, match=rf"\[Errno {errno.ENOTEMPTY}\]"):
        (mount / "d").rmdir()
    with pytest.raises(FileNotFoundError):
        (mount / "e/a").touch()
    (mount / "d/a").unlink()
    (mount / "d").rmdir()
    assert not (mount / "d").exists()
    assert names(bucket) == []


def test_a_folder_that_nobody_made_is_gone_with_its_last_object(
    bucket: Bucket, mount: Path
) -> None:
    bucket.blob("events/1").upload_from_string("x")
    assert (mount / "events").is_dir()
    bucket.blob("events/1").delete()
    assert not (mount / "events").exists()
    with pytest.raises(FileNotFoundError):
        (mount / "events/2").touch()


def test_an_exclusive_create_locks_nobody_out(bucket: Bucket, mount: Path, other: Gcsfuse) -> None:
    flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY
    first, second = (os.open(path / "claim", flags) for path in (mount, other.path))
    os.write(first, b"first")
    os.write(second, b"second")
    os.close(second)
    with pytest.raises(OSError, match=rf"\[Errno {errno.ESTALE}\]"):
        os.close(first)
    assert bucket.blob("claim").download_as_text() == "second"
    with pytest.raises(FileExistsError):
        os.open(mount / "claim", flags)


def test_another_writer_s_object_is_not_overwritten(bucket: Bucket, mount: Path) -> None:
    file = os.open(mount / "a", os.O_CREAT | os.O_WRONLY)
    os.write(file, b"the task's")
    bucket.blob("a").upload_from_string("the driver's")
    with pytest.raises(OSError, match=rf"\[Errno {errno.ESTALE}\]"):
        os.close(file)
    assert (mount / "a").read_text() == "the driver's"


def test_what_was_not_there_is_not_looked_for_again(
    bucket: Bucket, gcsfuse: Gcsfuse, mount: Path
) -> None:
    gcsfuse.set(negative_ttl=3600.0, list_ttl=3600.0)
    assert not (mount / "late").exists()
    assert os.listdir(mount) == []
    bucket.blob("late").upload_from_string("x")
    assert not (mount / "late").exists()
    assert os.listdir(mount) == []
    (mount / "own").touch()  # what it does itself, it knows
    assert (mount / "own").exists()


def test_what_was_there_is_remembered(bucket: Bucket, gcsfuse: Gcsfuse, mount: Path) -> None:
    bucket.blob("a").upload_from_string("x")
    gcsfuse.set(stat_ttl=3600.0)
    assert (mount / "a").stat().st_size == 1
    bucket.blob("a").upload_from_string("longer")
    assert (mount / "a").stat().st_size == 1
    bucket.blob("a").delete()
    assert (mount / "a").exists()


@pytest.mark.parametrize("error", ["EIO", "ESTALE"])
def test_uploads_fail(bucket: Bucket, gcsfuse: Gcsfuse, mount: Path, error: str) -> None:
    gcsfuse.fail_uploads(error, "stdout$", 2)
    (mount / "stderr").touch()
    for _ in range(2):
        with pytest.raises(OSError, match=rf"\[Errno {getattr(errno, error)}\]"):
            (mount / "stdout").write_text("x")
        assert not (mount / "stdout").exists()
    (mount / "stdout").write_text("x")
    assert names(bucket) == ["stderr", "stdout"]


def test_a_failed_upload_may_leave_an_empty_object(
    bucket: Bucket, gcsfuse: Gcsfuse, mount: Path
) -> None:
    gcsfuse.fail_uploads("EIO", empty=True)
    copied = subprocess.run(["cp", "/proc/version", mount / "a"], check=False, capture_output=True)
    assert copied.returncode == 1
    assert b"Input/output error" in copied.stderr
    assert bucket.get_blob("a").size == 0
    subprocess.run(["cp", "/proc/version", mount / "a"], check=True)
    assert bucket.get_blob("a").size > 0


def test_a_new_file_may_be_an_empty_object_at_first(
    bucket: Bucket, gcsfuse: Gcsfuse, mount: Path
) -> None:
    gcsfuse.set(create_empty=True)
    with (mount / "a").open("w") as file:
        assert bucket.get_blob("a").size == 0
        file.write("x")
    assert bucket.get_blob("a").size == 1


def test_a_file_that_is_removed_while_it_is_written_is_gone(bucket: Bucket, mount: Path) -> None:
    with (mount / "a").open("w") as file:
        file.write("x")
        file.flush()
        (mount / "a").unlink()
        assert os.listdir(mount) == []
    assert names(bucket) == []


def test_many_write_at_once(bucket: Bucket, mount: Path) -> None:
    script = "for j in {1..10}; do echo $1 >$1.$j; cat $1.$j >/dev/null; done"
    writers = [
        subprocess.Popen(["bash", "-euc", script, "x", str(number)], cwd=mount)
        for number in range(10)
    ]
    assert [writer.wait() for writer in writers] == [0] * 10
    assert len(names(bucket)) == 100


def is_mounted(at: Path) -> bool:
    return f" {at} " in Path("/proc/self/mounts").read_text()


def test_it_is_unmounted_by_its_end(storage: StorageEmulator, tmp_path: Path) -> None:
    at = tmp_path / "mount"
    with mounted(storage, at) as gcsfuse:
        assert is_mounted(at)
        assert gcsfuse.settings == Settings()
    assert not is_mounted(at)
    with mounted(storage, at) as gcsfuse:
        os.kill(gcsfuse.pid, signal.SIGKILL)
    assert not is_mounted(at)
