"""The same interface on buckets, which cloudpathlib's local implementation stands in for."""

from __future__ import annotations

import os
import pickle
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cloudpathlib.cloudpath import implementation_registry
from cloudpathlib.local import LocalGSClient, local_gs_implementation

from sched_core.errors import SchedError
from sched_core.paths import CloudSupportMissing, MountTable, SpecPath

if TYPE_CHECKING:
    from cloudpathlib import CloudPath


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    """Where the bucket's objects lie."""
    return tmp_path / "disk" / "bucket"


@pytest.fixture
def root(tmp_path: Path, disk: Path) -> CloudPath:
    disk.mkdir(parents=True)
    client = LocalGSClient(local_storage_dir=disk.parent, local_cache_dir=tmp_path / "cache")
    path: CloudPath = client.CloudPath("gs://bucket/run")
    return path


@pytest.fixture
def folder(root: CloudPath) -> SpecPath:
    return SpecPath(root, mounted="/mnt/disks/run")


async def test_writes_and_reads(folder: SpecPath, disk: Path) -> None:
    file = folder / "a b%'\"?#.txt"
    assert await file.write_text("grün\r\n") == 6
    assert (disk / "run" / "a b%'\"?#.txt").read_bytes() == "grün\r\n".encode()
    assert await file.read_text() == "grün\n"
    assert await file.write_bytes(b"2") == 1
    assert await file.read_bytes() == b"2"


async def test_reads_what_others_wrote_whatever_the_clocks_say(
    folder: SpecPath, disk: Path
) -> None:
    file = folder / "job.rc"
    await file.write_text("0")
    (disk / "run" / "job.rc").write_text("1")
    os.utime(disk / "run" / "job.rc", (1, 1))
    assert await file.read_text() == "1"
    async with await file.open() as reader:
        assert await reader.read() == "1"
    await file.write_text("2")
    assert (disk / "run" / "job.rc").read_text() == "2"


async def test_opens(folder: SpecPath, disk: Path) -> None:
    async with await (folder / "a").open("w") as file:
        await file.write("é\n")
    async with await (folder / "a").open("ab") as log:
        await log.write(b"2\n")
    assert (disk / "run" / "a").read_text() == "é\n2\n"
    async with await (folder / "a").open() as lines:
        assert [line async for line in lines] == ["é\n", "2\n"]
    with pytest.raises(FileNotFoundError):
        await (folder / "b").open()


async def test_tells_what_is_there(folder: SpecPath) -> None:
    file = folder / "d" / "a"
    await file.write_bytes(b"12")
    kinds = [
        [await path.exists(), await path.is_file(), await path.is_dir()]
        for path in (folder, file.parent, file, folder / "b")
    ]
    assert kinds == [[1, 0, 1], [1, 0, 1], [1, 1, 0], [0, 0, 0]]
    facts = await file.stat()
    assert (facts.st_size, stat.S_ISREG(facts.st_mode)) == (2, True)
    assert facts.st_mtime > 0
    assert stat.S_ISDIR((await folder.stat()).st_mode)
    with pytest.raises(FileNotFoundError):
        await (folder / "b").stat()


async def test_folders_are_only_names(folder: SpecPath) -> None:
    await (folder / "x" / "y").mkdir()
    assert not await (folder / "x").exists()
    await (folder / "x" / "y" / "a").write_bytes(b"")
    with pytest.raises(FileExistsError):
        await (folder / "x").mkdir()
    await (folder / "x").mkdir(exist_ok=True)


async def test_lists_a_folder_on_both_sides(folder: SpecPath) -> None:
    await (folder / "a").write_bytes(b"")
    await (folder / "b" / "c").write_bytes(b"")
    assert sorted([path async for path in folder.iterdir()]) == [folder / "a", folder / "b"]
    with pytest.raises(FileNotFoundError):
        [path async for path in (folder / "none").iterdir()]
    with pytest.raises(NotADirectoryError):
        [path async for path in (folder / "a").iterdir()]


async def test_removes(folder: SpecPath) -> None:
    await (folder / "d" / "a").write_bytes(b"")
    with pytest.raises(NotADirectoryError):
        await (folder / "d" / "a").rmtree()
    with pytest.raises(IsADirectoryError):
        await (folder / "d").unlink(missing_ok=True)
    await (folder / "d" / "a").unlink()
    await (folder / "d" / "a").unlink(missing_ok=True)
    with pytest.raises(FileNotFoundError):
        await (folder / "d" / "a").unlink()
    await (folder / "e" / "a").write_bytes(b"")
    await (folder / "e").rmtree()
    await (folder / "e").rmtree(missing_ok=True)
    with pytest.raises(FileNotFoundError):
        await (folder / "e").rmtree()


async def test_renames(folder: SpecPath, tmp_path: Path) -> None:
    await (folder / "a").write_bytes(b"1")
    await (folder / "b").write_bytes(b"2")
    assert await (folder / "a").rename(folder / "b") == folder / "b"
    assert not await (folder / "a").exists()
    assert await (folder / "b").read_bytes() == b"1"
    with pytest.raises(FileNotFoundError):
        await (folder / "a").rename(folder / "c")
    with pytest.raises(IsADirectoryError):
        await folder.rename(folder.with_name("other"))
    with pytest.raises(OSError, match="Not in a bucket"):
        await (folder / "b").rename(tmp_path / "b")
    with pytest.raises(OSError, match="Not in a bucket"):
        await SpecPath(tmp_path / "b").rename(folder / "b")


async def test_refuses_to_read_or_write_a_folder(folder: SpecPath) -> None:
    await (folder / "d" / "a").write_bytes(b"")
    with pytest.raises(IsADirectoryError):
        await (folder / "d").read_bytes()
    with pytest.raises(IsADirectoryError):
        await (folder / "d").write_bytes(b"")


async def test_keeps_its_client_along_the_way(folder: SpecPath, disk: Path) -> None:
    table = MountTable()
    table.add(folder)
    mapped = table.map_path("gs://bucket/run/c")
    assert mapped is not None
    for path in (folder.mounted.spec / "a", folder.with_name("run") / "b", mapped):
        await path.write_bytes(b"")
    assert len(list((disk / "run").iterdir())) == 3


async def test_a_text_or_a_travelled_path_uses_the_default_client(
    root: CloudPath, folder: SpecPath, disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(implementation_registry, "gs", local_gs_implementation)
    monkeypatch.setattr(LocalGSClient, "_default_client", root.client)
    await SpecPath("gs://bucket/run/a").write_text("1")
    assert (disk / "run" / "a").read_text() == "1"
    assert await (pickle.loads(pickle.dumps(folder)) / "a").read_text() == "1"


async def test_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cloudpathlib", None)
    with pytest.raises(CloudSupportMissing, match=r"pip install 'sched-core\[gs\]'") as caught:
        await SpecPath("gs://bucket/a").exists()
    assert isinstance(caught.value, SchedError)
    assert isinstance(caught.value, ImportError)


async def test_says_what_to_install_for_one_kind_of_bucket(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(implementation_registry["s3"], "dependencies_loaded", False)
    with pytest.raises(CloudSupportMissing, match=r"pip install 'sched-core\[s3\]'"):
        await SpecPath("s3://bucket/a").read_text()
