"""The files behind paths, on the disk."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import anyio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sched_core.paths import SpecPath

# Every name that a file can have: any bytes but NUL and '/', also such as are not UTF-8.
NAMES = (
    st.binary(min_size=1, max_size=20)
    .filter(lambda name: b"\0" not in name and b"/" not in name and name not in (b".", b".."))
    .map(os.fsdecode)
)


@pytest.fixture
def folder(tmp_path: Path) -> SpecPath:
    return SpecPath(tmp_path, mounted="/mnt/disks/x")


async def test_writes_and_reads_text(folder: SpecPath) -> None:
    file = folder / "ä 'b\"\n%.txt"
    assert await file.write_text("grün\r\n") == 6
    assert await file.read_bytes() == "grün\r\n".encode()
    assert await file.read_text() == "grün\n"
    assert await file.write_text("grün", encoding="latin-1") == 4
    assert await file.read_text("latin-1") == "grün"
    with pytest.raises(UnicodeDecodeError):
        await file.read_text()
    assert await file.read_text(errors="replace") == "gr\ufffdn"


async def test_writes_and_reads_bytes(folder: SpecPath) -> None:
    assert await (folder / "a").write_bytes(b"\0\xff") == 2
    assert await (folder / "a").read_bytes() == b"\0\xff"


async def test_opens(folder: SpecPath) -> None:
    async with await (folder / "a").open("w") as file:
        await file.write("é\n")
    async with await (folder / "a").open("ab") as log:
        await log.write(b"2\n")
    async with await (folder / "a").open() as lines:
        assert [line async for line in lines] == ["é\n", "2\n"]
    with pytest.raises(FileExistsError):
        await (folder / "a").open("x")


async def test_tells_what_is_there(folder: SpecPath) -> None:
    file = folder / "a"
    await file.write_bytes(b"12")
    Path(folder / "broken").symlink_to("nowhere")
    kinds = [
        [await path.exists(), await path.is_file(), await path.is_dir()]
        for path in (folder, file, folder / "b", folder / "broken", file / "under")
    ]
    assert kinds == [[1, 0, 1], [1, 1, 0], [0, 0, 0], [0, 0, 0], [0, 0, 0]]
    assert (await file.stat()).st_size == 2
    assert stat.S_ISLNK((await (folder / "broken").stat(follow_symlinks=False)).st_mode)
    with pytest.raises(FileNotFoundError):
        await (folder / "broken").stat()


async def test_makes_folders(folder: SpecPath) -> None:
    deep = folder / "a" / "b"
    with pytest.raises(FileNotFoundError):
        await deep.mkdir()
    await deep.mkdir(0o700, parents=True)
    assert stat.S_IMODE((await deep.stat()).st_mode) == 0o700
    with pytest.raises(FileExistsError):
        await deep.mkdir()
    await deep.mkdir(exist_ok=True)
    await (folder / "file").write_bytes(b"")
    with pytest.raises(FileExistsError):
        await (folder / "file").mkdir(exist_ok=True)


async def test_lists_a_folder_on_both_sides(folder: SpecPath) -> None:
    for name in ("a", "b"):
        await (folder / name).mkdir()
    assert sorted([path async for path in folder.iterdir()]) == [folder / "a", folder / "b"]
    assert (folder / "a").mounted in [path.mounted async for path in folder.iterdir()]
    with pytest.raises(FileNotFoundError):
        [path async for path in (folder / "c").iterdir()]


async def test_removes_trees(folder: SpecPath) -> None:
    outside, tree = folder / "outside", folder / "tree"
    await (tree / "a" / "b").mkdir(parents=True)
    await outside.mkdir()
    Path(tree / "link").symlink_to(outside)
    await tree.rmtree()
    assert not await tree.exists()
    assert await outside.exists()
    await tree.rmtree(missing_ok=True)
    with pytest.raises(FileNotFoundError):
        await tree.rmtree()
    Path(tree).symlink_to(outside)
    with pytest.raises(NotADirectoryError, match="symbolic link"):
        await tree.rmtree()
    await (outside / "a").write_bytes(b"")
    with pytest.raises(NotADirectoryError):
        await (outside / "a").rmtree(missing_ok=True)


async def test_removes_files(folder: SpecPath) -> None:
    await (folder / "a").write_bytes(b"")
    await (folder / "a").unlink()
    await (folder / "a").unlink(missing_ok=True)
    with pytest.raises(FileNotFoundError):
        await (folder / "a").unlink()


async def test_renames_to_any_kind_of_path(folder: SpecPath) -> None:
    await (folder / "a").write_bytes(b"1")
    await (folder / "b").write_bytes(b"2")
    assert await (folder / "a").rename(folder / "b") == folder / "b"
    assert await (folder / "b").read_bytes() == b"1"
    assert await (folder / "b").rename(os.fspath(folder / "c")) == SpecPath(str(folder / "c"))
    with pytest.raises(FileNotFoundError):
        await (folder / "a").rename(folder / "d")


async def test_acts_on_the_jobs_side_for_a_mounted_path(tmp_path: Path) -> None:
    path = SpecPath("gs://bucket/run", mounted=tmp_path).mounted / "a"
    await path.write_text("from the job")
    assert (tmp_path / "a").read_text() == "from the job"
    assert [str(child.spec) async for child in path.parent.iterdir()] == ["gs://bucket/run/a"]


async def test_relative_paths_stay_relative(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    await (SpecPath("a") / "b").mkdir(parents=True)
    assert [str(path) async for path in SpecPath("a").iterdir()] == ["a/b"]
    assert [str(path) async for path in SpecPath("").iterdir()] == ["a"]


async def test_never_blocks_the_loop(folder: SpecPath) -> None:
    os.mkfifo(folder / "pipe")

    async def write() -> None:
        await (folder / "pipe").write_bytes(b"answer")

    # Each side of a pipe blocks in open() until the other is there.
    with anyio.fail_after(60):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(write)
            assert await (folder / "pipe").read_bytes() == b"answer"


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(name=NAMES)
async def test_every_name_of_a_file_works(folder: SpecPath, name: str) -> None:
    file = folder / name
    await file.write_text(str(file), errors="surrogateescape")
    assert [path async for path in folder.iterdir()] == [file]
    text = str(file).replace("\r\n", "\n").replace("\r", "\n")
    assert await file.read_text(errors="surrogateescape") == text
    await file.unlink()
