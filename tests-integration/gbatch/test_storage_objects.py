"""What one object is, as the client library sees it."""

from __future__ import annotations

import base64
import hashlib
import threading
from pathlib import Path

import pytest
from cloudpathlib import GSClient, GSPath
from google.api_core.exceptions import (
    BadRequest,
    Conflict,
    NotFound,
    PreconditionFailed,
)

from .storage import StorageEmulator
from .storage_client import Bucket


def test_an_object_is_a_file_of_the_folder(bucket: Bucket, folder: Path) -> None:
    bucket.blob("a/b").upload_from_string("text", content_type="text/x-own")

    assert (folder / "a/b").read_text() == "text"
    found = bucket.get_blob("a/b")
    assert (found.size, found.content_type) == (4, "text/x-own")
    assert found.download_as_bytes() == b"text"


def test_a_file_that_another_writes_is_an_object(bucket: Bucket, folder: Path) -> None:
    (folder / "a").mkdir()
    for text in ("first", "other", "second"):  # of the same size, too
        (folder / "a/b").write_text(text)
        found = bucket.get_blob("a/b")
        assert found.md5_hash == base64.b64encode(hashlib.md5(text.encode()).digest()).decode()
        assert found.download_as_bytes(checksum="crc32c") == text.encode()


def test_each_write_is_a_generation(bucket: Bucket, folder: Path) -> None:
    blob = bucket.blob("a")
    generations = []
    for number in range(3):
        blob.upload_from_string(str(number))
        generations.append(blob.generation)
    (folder / "a").write_text("another's")
    generations.append(bucket.get_blob("a").generation)

    assert generations == sorted(set(generations))
    with pytest.raises(NotFound):
        bucket.blob("a", generation=generations[0]).reload()


def test_only_one_of_many_creates_it(bucket: Bucket) -> None:
    created = []

    def create(number: int) -> None:
        try:
            bucket.blob("lock").upload_from_string(str(number), if_generation_match=0)
        except PreconditionFailed:
            return
        created.append(number)

    threads = [threading.Thread(target=create, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(created) == 1
    assert bucket.blob("lock").download_as_text() == str(created[0])


def test_conditions_are_met_or_nothing_is_done(bucket: Bucket) -> None:
    blob = bucket.blob("a")
    blob.upload_from_string("1")
    old = blob.generation
    blob.upload_from_string("2", if_generation_match=old)

    with pytest.raises(PreconditionFailed) as refused:
        blob.upload_from_string("3", if_generation_match=old)
    with pytest.raises(PreconditionFailed):
        blob.delete(if_generation_match=old)
    with pytest.raises(PreconditionFailed):
        blob.reload(if_metageneration_match=7)

    assert '"reason": "conditionNotMet"' in str(refused.value)
    assert blob.download_as_text() == "2"
    blob.delete(if_generation_match=blob.generation)
    assert not blob.exists()


def test_metadata_is_merged_and_counted(bucket: Bucket) -> None:
    blob = bucket.blob("a")
    blob.metadata = {"one": "1", "two": "2"}
    blob.upload_from_string("x")
    blob.metadata = {"two": None, "three": "3"}
    blob.patch()

    found = bucket.get_blob("a")
    assert found.metadata == {"one": "1", "three": "3"}
    assert (found.metageneration, found.generation) == (2, blob.generation)


def test_parts_of_it_are_read(bucket: Bucket) -> None:
    blob = bucket.blob("a")
    blob.upload_from_string("0123456789")

    assert blob.download_as_bytes(start=8) == b"89"
    assert blob.download_as_bytes(start=2, end=4) == b"234"
    assert blob.download_as_bytes(start=-3) == b"789"


def test_copies_and_moves(bucket: Bucket) -> None:
    blob = bucket.blob("a/b")
    blob.metadata = {"kept": "yes"}
    blob.upload_from_string("x", content_type="text/x-own")

    copy = bucket.copy_blob(blob, bucket, "copy", if_generation_match=0)
    assert copy.md5_hash == blob.md5_hash
    moved = bucket.blob("moved")
    moved.rewrite(copy)
    moved.reload()

    assert (moved.content_type, moved.metadata) == ("text/x-own", {"kept": "yes"})
    with pytest.raises(PreconditionFailed):
        bucket.copy_blob(blob, bucket, "copy", if_generation_match=0)


def test_what_is_composed_has_no_md5(bucket: Bucket) -> None:
    for name in "ab":
        bucket.blob(name).upload_from_string(name)
    whole = bucket.blob("whole")
    whole.compose([bucket.blob("a"), bucket.blob("b")])
    whole.reload()

    assert whole.download_as_bytes(checksum="crc32c") == b"ab"
    assert (whole.md5_hash, whole.component_count) == (None, 2)


def test_many_are_deleted_by_one_request(bucket: Bucket, storage: StorageEmulator) -> None:
    for name in "ac":
        bucket.blob(name).upload_from_string(name)
    storage.reset_counts()

    with bucket.client.batch(raise_exception=False) as batch:
        for name in "abc":
            bucket.blob(name).delete()

    assert [response.status_code for response in batch._responses] == [204, 404, 204]
    assert list(bucket.list_blobs()) == []
    assert storage.counts()["batch"] == 1


def test_a_batch_has_a_limit(bucket: Bucket) -> None:
    batch = bucket.client.batch()
    for number in range(101):
        batch._requests.append(("DELETE", f"{batch.API_BASE_URL}/{number}", {}, None, 30))
    with pytest.raises(BadRequest, match="more than 100 calls"):
        batch.finish()


@pytest.mark.parametrize("name", ["a/b", "a//b", "../a", "./a", "a/../b", "x" * 300])
def test_names_that_no_folder_can_have_are_refused(bucket: Bucket, name: str) -> None:
    bucket.blob("a").upload_from_string("a file, and no folder")
    with pytest.raises(BadRequest, match="the emulator cannot store"):
        bucket.blob(name).upload_from_string("x")


def test_names_are_quoted(bucket: Bucket) -> None:
    names = ["a b", "ä%2F+?#&", "läufe/ø:1", "d/"]
    for name in names:
        bucket.blob(name).upload_from_string(name)

    assert sorted(blob.name for blob in bucket.list_blobs()) == sorted(names)
    assert all(bucket.blob(name).download_as_text() == name for name in names)


def test_buckets(bucket: Bucket) -> None:
    other = bucket.client.create_bucket("other-bucket")
    assert {b.name for b in bucket.client.list_buckets()} == {bucket.name, "other-bucket"}
    with pytest.raises(Conflict):
        bucket.client.create_bucket("other-bucket")
    other.blob("a/b").upload_from_string("x")
    with pytest.raises(Conflict, match="not empty"):
        other.delete()

    other.blob("a/b").delete()
    other.delete()

    assert not other.exists()
    with pytest.raises(NotFound, match="The specified bucket does not exist"):
        other.blob("a").upload_from_string("x")


def test_cloudpathlib_works_on_it(bucket: Bucket, tmp_path: Path) -> None:
    # A folder of its own for copies: a client that has to make one complains when it is dropped.
    client = GSClient(storage_client=bucket.client, local_cache_dir=tmp_path / "copies")
    path = GSPath(f"gs://{bucket.name}/run/job", client=client)
    (path / "out").write_text("1")
    (path / "sub/out").write_text("2")

    assert sorted(p.name for p in path.iterdir()) == ["out", "sub"]
    assert (path / "out").read_text() == "1"
    (path / "out").rename(path / "other")
    assert not (path / "out").exists()
    path.rmtree()
    assert list(bucket.list_blobs()) == []
