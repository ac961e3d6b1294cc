"""Listings, in the order of names, page by page."""

from __future__ import annotations

from pathlib import Path

import pytest

from .storage import StorageEmulator
from .storage_client import Bucket

NAMES = ["a", "a.b", "b/", "b/1", "b/2/x", "b/2/y", "b/3", "b0", "c/d/e", "z"]


@pytest.fixture(autouse=True)
def listed(bucket: Bucket) -> None:
    for name in NAMES:  # `b/` among them, as consoles make it for a folder
        bucket.blob(name).upload_from_string(name)


def names(bucket: Bucket, **options: object) -> list[str]:
    return [blob.name for blob in bucket.list_blobs(**options)]


def both(bucket: Bucket, **options: object) -> tuple[list[str], list[str]]:
    """Return objects and prefixes."""
    found = bucket.list_blobs(**options)
    return [blob.name for blob in found], sorted(found.prefixes)


def test_names_are_in_order(bucket: Bucket) -> None:
    assert names(bucket) == NAMES


@pytest.mark.parametrize(
    "prefix, found",
    [
        ("b", ["b/", "b/1", "b/2/x", "b/2/y", "b/3", "b0"]),
        ("b/", ["b/", "b/1", "b/2/x", "b/2/y", "b/3"]),
        ("b/2", ["b/2/x", "b/2/y"]),
        ("b/2/x", ["b/2/x"]),
        ("c/d/e/f", []),
        ("nothing/", []),
        ("../", []),
    ],
)
def test_prefix(bucket: Bucket, prefix: str, found: list[str]) -> None:
    assert names(bucket, prefix=prefix) == found


@pytest.mark.parametrize(
    "prefix, objects, prefixes",
    [
        ("", ["a", "a.b", "b0", "z"], ["b/", "c/"]),
        ("b/", ["b/", "b/1", "b/3"], ["b/2/"]),
        ("b", ["b0"], ["b/"]),
        ("c/d", [], ["c/d/"]),
    ],
)
def test_delimiter(bucket: Bucket, prefix: str, objects: list[str], prefixes: list[str]) -> None:
    assert both(bucket, prefix=prefix, delimiter="/") == (objects, prefixes)


def test_any_delimiter(bucket: Bucket) -> None:
    assert both(bucket, delimiter="/2/") == (
        ["a", "a.b", "b/", "b/1", "b/3", "b0", "c/d/e", "z"],
        ["b/2/"],
    )


def test_offsets(bucket: Bucket) -> None:
    assert names(bucket, start_offset="b/2/y", end_offset="c/d/e") == ["b/2/y", "b/3", "b0"]
    assert names(bucket, prefix="b/", start_offset="b/2") == ["b/2/x", "b/2/y", "b/3"]
    assert both(bucket, start_offset="b/2/y", end_offset="b0", delimiter="/") == ([], ["b/"])
    assert both(bucket, start_offset="b/4", end_offset="b0", delimiter="/") == ([], [])


@pytest.mark.parametrize("size", [1, 2, 3, 10])
def test_pages_are_one_listing(bucket: Bucket, storage: StorageEmulator, size: int) -> None:
    assert names(bucket, page_size=size) == NAMES
    assert both(bucket, delimiter="/", page_size=size) == both(bucket, delimiter="/")
    assert both(bucket, prefix="b/", delimiter="/", page_size=size) == both(
        bucket, prefix="b/", delimiter="/"
    )
    storage.reset_counts()
    assert names(bucket, page_size=size) == NAMES
    assert storage.counts() == {"list": -(-len(NAMES) // size)}


def test_only_fields_that_are_asked_for(bucket: Bucket) -> None:
    def answered(fields: str) -> object:
        path = f"/b/{bucket.name}/o"
        query = {"fields": fields, "prefix": "b", "delimiter": "/"}
        return bucket.client._connection.api_request("GET", path, query_params=query)

    assert answered("prefixes") == {"prefixes": ["b/"]}
    assert answered("items/name,nextPageToken") == {"items": [{"name": "b0"}]}
    assert answered("items(name,size),prefixes") == {
        "items": [{"name": "b0", "size": "2"}],
        "prefixes": ["b/"],
    }
    whole = answered("")
    assert answered("kind,items(*),prefixes") == whole == answered("*")


def test_an_empty_folder_is_nothing(bucket: Bucket, folder: Path) -> None:
    (folder / "empty/deep").mkdir(parents=True)
    assert names(bucket) == NAMES
    assert both(bucket, delimiter="/")[1] == ["b/", "c/"]
    (folder / "empty/deep/file").touch()
    assert both(bucket, delimiter="/")[1] == ["b/", "c/", "empty/"]


def test_files_of_others_may_be_late(
    bucket: Bucket, storage: StorageEmulator, folder: Path
) -> None:
    storage.delay_files(3600)
    (folder / "late").write_text("x")
    (folder / "lately").mkdir()
    (folder / "lately/late").write_text("x")
    bucket.blob("own").upload_from_string("x")

    assert both(bucket, delimiter="/", prefix="l") == ([], [])
    assert not bucket.blob("late").exists()
    assert bucket.blob("own").exists()

    storage.delay_files(0)
    assert both(bucket, delimiter="/", prefix="l") == (["late"], ["lately/"])
