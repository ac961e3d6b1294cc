"""The files of a run in a bucket: what the lifecycle relies on, whatever the service answers."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import pytest

from sched_core import BucketNotFound, EngineUnavailable, OptionError, SpecPath
from sched_core.paths import CloudSupportMissing
from sched_core.ports import Files, StoreUnavailable, cloudstorage, system_ports

from .storage import StorageEmulator

RUN = "gs://bucket/run"


@pytest.fixture
def files(storage: StorageEmulator) -> Files:
    found = system_ports(RUN).files
    found.names(RUN)  # the client is made
    storage.reset_counts()
    return found


def md5(data: bytes) -> str:
    return hashlib.md5(data).hexdigest()


# --- single files ----------------------------------------------------------------------------------


def test_t40_t54_an_exclusive_create_happens_once(files: Files) -> None:
    assert files.create(f"{RUN}/lease.1", b"first")
    assert not files.create(f"{RUN}/lease.1", b"second")
    assert not files.create(f"{RUN}/lease.1", b"first")
    assert files.read(f"{RUN}/lease.1") == b"first"


def test_a_file_is_replaced_read_moved_and_removed(files: Files, folder: Path) -> None:
    files.write(f"{RUN}/a", b"1")
    files.write(f"{RUN}/a", b"abc")
    assert files.read(f"{RUN}/a") == b"abc"
    files.move(f"{RUN}/a", f"{RUN}/b")
    assert not files.exists(f"{RUN}/a")
    assert (folder / "run" / "b").read_bytes() == b"abc"
    files.remove(f"{RUN}/b")
    files.remove(f"{RUN}/b")
    assert files.names(RUN) == []


@pytest.mark.parametrize("offset, rest", [(0, b"abc"), (1, b"bc"), (3, b""), (9, b"")])
def test_what_lies_beyond_an_offset_is_read(files: Files, offset: int, rest: bytes) -> None:
    files.write(f"{RUN}/log", b"abc")
    assert files.read_from(f"{RUN}/log", offset) == rest


@pytest.mark.parametrize(
    "offset, size, part", [(0, 2, b"ab"), (1, 9, b"bc"), (1, 0, b""), (3, 1, b""), (9, 9, b"")]
)
def test_a_part_is_read(files: Files, offset: int, size: int, part: bytes) -> None:
    files.write(f"{RUN}/log", b"abc")
    assert files.read_part(f"{RUN}/log", offset, size) == part


def test_an_empty_file_has_nothing_beyond_its_beginning(files: Files) -> None:
    files.write(f"{RUN}/log", b"")
    assert files.read(f"{RUN}/log") == files.read_from(f"{RUN}/log", 0) == b""


def test_a_file_that_is_not_there_is_said_to_be_missing(files: Files) -> None:
    for call in (files.read, lambda path: files.move(path, f"{RUN}/x")):
        with pytest.raises(FileNotFoundError, match="gs://bucket/run/none"):
            call(f"{RUN}/none")


# --- folders ---------------------------------------------------------------------------------------


def test_a_folder_holds_files_and_folders(files: Files, folder: Path) -> None:
    files.write(f"{RUN}/3/job.rc", b"0\n")
    files.write(f"{RUN}/30/job.rc", b"0\n")
    files.write(f"{RUN}/3.txt", b"abc")
    (folder / "run" / "empty").mkdir()  # as a mount may leave one
    assert sorted(name for name in files.names(RUN) if name != "empty") == ["3", "3.txt", "30"]
    entries = files.entries(RUN)
    assert entries["3"].is_folder
    assert (entries["3.txt"].size, entries["3.txt"].md5) == (3, md5(b"abc"))
    assert entries["3.txt"].modified > 1e9
    assert files.names(f"{RUN}/none") == []
    assert files.entries(f"{RUN}/none") == {}
    assert [files.exists(f"{RUN}/{name}") for name in ("3", "3.txt", "3.tx", "30/job")] == [
        *(True, True),
        *(False, False),
    ]
    assert not files.make_folder(f"{RUN}/new")


def test_a_bucket_itself_may_hold_the_run(files: Files) -> None:
    files.write("gs://bucket/.sched/run.json", b"{}")
    assert files.names("gs://bucket") == [".sched"]
    assert files.exists("gs://bucket")


# --- many files ------------------------------------------------------------------------------------


def test_many_files_are_created_read_moved_and_removed(
    files: Files, storage: StorageEmulator
) -> None:
    files.write(f"{RUN}/7", b"old")
    items = [(f"{RUN}/{n}", b"%d" % n) for n in range(250)]
    assert files.create_many(items) == [n != 7 for n in range(250)]
    assert files.read_many([f"{RUN}/1", f"{RUN}/none", f"{RUN}/7"]) == [b"1", None, b"old"]
    storage.reset_counts()
    files.remove_many([path for path, _ in items] + [f"{RUN}/none"])
    assert storage.requests() == 3
    assert files.names(RUN) == []
    files.create_many(items[:3])
    files.move_many([(path, f"{path}.kept") for path, _ in items[:3]])
    assert sorted(files.names(RUN)) == ["0.kept", "1.kept", "2.kept"]


def test_checksums_of_neighbours_take_few_questions(files: Files, storage: StorageEmulator) -> None:
    names = ("claim.1", "jid", "rc", "status", "stderr", "stdout")
    files.create_many([(f"{RUN}/{n}/job.{name}", b"%d" % n) for n in range(300) for name in names])
    wanted = [f"{RUN}/{n}/job.{name}" for n in range(300) for name in ("stdout", "stderr")]
    storage.reset_counts()
    found = files.checksums([*wanted, f"{RUN}/5/job.none", f"{RUN}/zzz"])
    assert storage.counts()["list"] <= 8
    assert {path: entry.md5 for path, entry in found.items()} == {
        path: md5(path.split("/")[4].encode()) for path in wanted
    }


def test_checksums_of_a_few_take_a_question_each_at_most(
    files: Files, storage: StorageEmulator
) -> None:
    files.create_many([(f"{RUN}/{n}/job.{k}", b"x") for n in range(100) for k in range(9)])
    wanted = [f"{RUN}/{n}/job.{k}" for n in (3, 50, 97) for k in (4, 5)]
    storage.reset_counts()
    assert sorted(files.checksums(wanted)) == sorted(wanted)
    assert storage.requests() <= 3


def test_nothing_is_asked_about_nothing(files: Files, storage: StorageEmulator) -> None:
    assert files.checksums([]) == {}
    assert files.read_many([]) == []
    assert files.create_many([]) == []
    files.remove_many([])
    files.move_many([])
    assert storage.requests() == 0


# --- a service that is busy, or loses answers --------------------------------------------------------


# The client leaves the answer to a refused download unread, and its connection to be collected.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_busy_service_is_asked_again(files: Files, storage: StorageEmulator) -> None:
    files.write(f"{RUN}/a", b"1")
    for status in (429, 503):
        storage.fault(status=status)
        assert files.read(f"{RUN}/a") == b"1"
        storage.fault(status=status)
        assert files.names(RUN) == ["a"]
        storage.fault(status=status)
        files.write(f"{RUN}/a", b"1")
    storage.fault(status=503)
    files.remove_many([f"{RUN}/a"])
    assert files.names(RUN) == []


def test_a_create_whose_answer_was_lost_has_happened(
    files: Files, storage: StorageEmulator
) -> None:
    storage.fault("lost", path="upload")
    assert files.create(f"{RUN}/lease.1", b"mine")
    assert not files.create(f"{RUN}/lease.1", b"mine")


def test_a_create_that_was_refused_after_anothers_has_not_happened(
    files: Files, storage: StorageEmulator
) -> None:
    files.create(f"{RUN}/lease.1", b"theirs")
    storage.fault(status=503, path="upload")
    assert not files.create(f"{RUN}/lease.1", b"mine")
    assert files.read(f"{RUN}/lease.1") == b"theirs"


def test_a_part_of_a_batch_that_failed_is_tried_again(
    files: Files, storage: StorageEmulator
) -> None:
    files.create_many([(f"{RUN}/{n}", b"x") for n in range(3)])
    storage.fault(status=503, method="DELETE", path="run%2F1")
    files.remove_many([f"{RUN}/{n}" for n in range(3)])
    assert storage.pending_faults() == []
    assert files.names(RUN) == []


def test_a_service_out_of_reach_is_an_error_after_a_bounded_time(
    storage: StorageEmulator, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cloudstorage, "_TRY_FOR", 1.0)
    storage.stop()
    for call in (files.names, files.read, lambda path: files.create(path, b"")):
        with pytest.raises(OSError, match=r"cannot be used now: no connection to 127\.0\.0\.1:"):
            call(f"{RUN}/x")


def test_of_many_files_the_rest_is_not_tried_when_a_service_is_out_of_reach(
    storage: StorageEmulator, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cloudstorage, "_TRY_FOR", 0.2)
    storage.fault(count=10_000)
    made = files.create_many([(f"{RUN}/{n}", b"") for n in range(1000)])
    assert {type(problem) for problem in made} == {StoreUnavailable}
    (left,) = storage.pending_faults()
    assert 10_000 - left["count"] < 100  # those that several threads had begun


# --- what only people can mend -----------------------------------------------------------------------


def test_a_bucket_that_is_not_there_is_named_with_what_to_do(files: Files) -> None:
    for call in (files.names, files.read, lambda path: files.create(path, b"")):
        with pytest.raises(BucketNotFound, match="no bucket gs://none: make it"):
            call("gs://none/run/x")


def test_a_missing_right_is_named_with_the_role_that_has_it(
    files: Files, storage: StorageEmulator
) -> None:
    storage.deny({"bucket": ["*"]})
    files_of_many = (files.names, files.read, lambda path: files.remove_many([path]))
    for call in (*files_of_many, lambda path: files.create(path, b"")):
        with pytest.raises(PermissionError, match=r"roles/storage\.objectAdmin\) on gs://bucket"):
            call(f"{RUN}/x")


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No credentials anywhere."""
    for name in ("STORAGE_EMULATOR_HOST", "GOOGLE_APPLICATION_CREDENTIALS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
    monkeypatch.setenv("NO_GCE_CHECK", "true")


@pytest.mark.usefixtures("nobody")
def test_missing_credentials_are_said_to_be_missing() -> None:
    with pytest.raises(EngineUnavailable, match="no credentials for Cloud Storage: log in"):
        system_ports(RUN).files.names(RUN)


def test_a_missing_client_is_named_with_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", "http://one.whose.client.is.not.made.yet")
    monkeypatch.setitem(sys.modules, "google.cloud.storage", None)
    monkeypatch.delattr("google.cloud.storage", raising=False)
    with pytest.raises(CloudSupportMissing, match=r"pip install 'sched-core\[gs\]'"):
        system_ports(RUN).files.read(f"{RUN}/x")


@pytest.mark.parametrize("workdir", ["s3://bucket/run", "az://bucket/run"])
def test_another_kind_of_bucket_has_to_wait(workdir: str) -> None:
    with pytest.raises(OptionError, match="gs://"):
        system_ports(workdir)


# --- paths in buckets ----------------------------------------------------------------------------------


async def test_a_path_is_read_with_the_credentials_of_the_run(
    storage: StorageEmulator, folder: Path
) -> None:
    path = SpecPath("gs://bucket/run/0/job.stdout")
    assert await path.write_text("said\n") == 5
    assert (folder / "run/0/job.stdout").read_text() == "said\n"
    assert await path.read_text() == "said\n"
    assert storage.requests() < 20


@pytest.mark.usefixtures("nobody")
async def test_a_path_without_credentials_is_nobodys() -> None:
    with pytest.raises(EngineUnavailable, match="no credentials for Cloud Storage: log in"):
        await SpecPath("gs://bucket/run/0/job.stdout").read_text()
