"""Archives are read as the standard library reads them; nothing that they hold leads further than to OSError."""

from __future__ import annotations

import io
import os
import tempfile
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sched_core.ports import Entry
from sched_core.ports.archive import Archive, ArchiveWriter
from sched_core.ports.localfiles import LocalFiles

CONTENTS = st.lists(
    st.binary(max_size=300) | st.binary(max_size=5).map(lambda b: b * 500), max_size=8
)


def read(data: bytes, path: str) -> dict[str, bytes]:
    with open(path, "wb") as file:
        file.write(data)
    archive = Archive(LocalFiles(), path, len(data))
    return {
        f"{index}/{name}": member.read()
        for index, members in archive.jobs.items()
        for name, member in members.items()
    }


def written(contents: list[bytes], path: str) -> bytes:
    writer = ArchiveWriter(path)
    for number, content in enumerate(contents):
        writer.add(f"{number}/job.stdout", Entry(len(content), 1e9 + number), [content])
    writer.close()
    return Path(path).read_bytes()


@given(CONTENTS)
def test_what_is_written_is_read(contents: list[bytes]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/a"
        data = written(contents, path)
        expected = {f"{number}/job.stdout": content for number, content in enumerate(contents)}
        assert read(data, path) == expected
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            assert {name: archive.read(name) for name in archive.namelist()} == expected


@given(st.data())
def test_damage_is_never_more_than_an_error(data: st.DataObject) -> None:
    contents = data.draw(CONTENTS)
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/a"
        whole = written(contents, path)
        place = data.draw(st.integers(0, len(whole) - 1))
        patch = data.draw(st.binary(min_size=1, max_size=8))
        cut = data.draw(st.sampled_from([len(whole), place]))
        damaged = (whole[:place] + patch + whole[place + len(patch) :])[:cut]
        with suppress(OSError):
            # Names may have changed, or have been passed over: contents are what was packed.
            assert set(read(damaged, path).values()) <= set(contents)


@pytest.mark.parametrize("zip64", [False, True])
def test_archives_of_others(tmp_path: Path, zip64: bool) -> None:
    path = tmp_path / "a"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("0/job.stdout", "17/job.retry/1/job.rc", "somebody's"):
            with archive.open(name, "w", force_zip64=zip64) as file:
                file.write(name.encode() * 100)
    found = read(path.read_bytes(), str(path))
    assert found == {n: n.encode() * 100 for n in ("0/job.stdout", "17/job.retry/1/job.rc")}


def test_more_files_than_a_zip_can_count_without_its_extension(tmp_path: Path) -> None:
    path = tmp_path / "a"
    with zipfile.ZipFile(path, "w") as archive:
        for index in range(66_000):
            archive.writestr(f"{index}/job.rc", b"")
    jobs = Archive(LocalFiles(), str(path), path.stat().st_size).jobs
    assert list(jobs[65_999]) == ["job.rc"]
    assert jobs[65_999]["job.rc"].read() == b""
    with pytest.raises(KeyError):
        jobs[66_000]


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_ways_of_compressing(tmp_path: Path, method: int) -> None:
    path = tmp_path / "a"
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("0/job.rc", b"0\n")
    with pytest.raises(OSError, match="encrypted, or compressed in another way"):
        read(path.read_bytes(), str(path))


def test_no_more_is_unpacked_than_the_directory_says(tmp_path: Path) -> None:
    path = tmp_path / "a"
    writer = ArchiveWriter(str(path))
    writer.add("0/job.stdout", Entry(1 << 24, 1e9), (bytes(1 << 20) for _ in range(16)))
    size = writer.close()
    data = path.read_bytes()
    assert size == len(data) < 1 << 16
    forged = data.replace((1 << 24).to_bytes(4, "little"), (1 << 10).to_bytes(4, "little"))
    path.write_bytes(forged)
    (member,) = Archive(LocalFiles(), str(path), len(forged)).jobs[0].values()
    assert member.entry.size == 1 << 10
    pieces = member.pieces()
    with pytest.raises(OSError, match="is not what was packed"):
        next(pieces)


def test_a_large_file_by_pieces(tmp_path: Path) -> None:
    content = os.urandom(1 << 20)
    writer = ArchiveWriter(str(tmp_path / "a"))
    writer.add("0/job.stdout", Entry(len(content), 1e9), [content])
    size = writer.close()
    (member,) = Archive(LocalFiles(), str(tmp_path / "a"), size).jobs[0].values()
    pieces = list(member.pieces())
    assert len(pieces) > 3
    assert b"".join(pieces) == content
    assert member.read(1_000_000) == content[1_000_000:]
    assert b"".join(member.pieces(1 << 21)) == b""
