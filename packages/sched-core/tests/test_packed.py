"""Files of jobs that lie in archives are read as if they lay in the folder of their job."""

from __future__ import annotations

import os
import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from sched_core.ports import Entry
from sched_core.ports.archive import Archive, ArchiveWriter, same_file
from sched_core.ports.archives import archive_name, parse_archive_name
from sched_core.ports.localfiles import LocalFiles
from sched_core.ports.packed import PackedFiles

FIRST = {"job.stdout": b"one\n" * 100, "job.rc": b"1\n", "job.claim.1": b"claim 1"}
SECOND = {"job.stdout": b"two\n", "job.rc": b"0\n", "job.claim.2": b"claim 2"}


class Run:
    """A run's folder, of which jobs are packed as `sched pack` does it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.packs = folder / ".sched" / "packs"
        self.packs.mkdir(parents=True)
        self.files = PackedFiles(LocalFiles(), str(folder))

    def path(self, index: int, name: str = "") -> str:
        return f"{self.folder}/{index}/{name}".rstrip("/")

    def write(self, index: int, files: Mapping[str, bytes]) -> None:
        for name, data in files.items():
            path = Path(self.path(index, name))
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)

    def pack(self, index: int, number: int = 1, *, remove: bool = True) -> None:
        writer = ArchiveWriter(str(self.packs / archive_name(number, index, index)))
        folder = Path(self.path(index))
        for path in sorted(p for p in folder.rglob("*") if p.is_file()):
            facts = path.stat()
            entry = Entry(facts.st_size, facts.st_mtime)
            writer.add(f"{index}/{path.relative_to(folder)}", entry, [path.read_bytes()])
        writer.close()
        if remove:
            shutil.rmtree(folder)

    def content(self, index: int) -> dict[str, bytes]:
        """All that there is of the job, by the way that readers have to it."""
        return dict(self._within(self.path(index)))

    def _within(self, folder: str, start: str = "") -> list[tuple[str, bytes]]:
        found = []
        for name, entry in self.files.entries(folder).items():
            path = f"{folder}/{name}"
            if entry.is_folder:
                found += self._within(path, f"{start}{name}/")
            else:
                found.append((start + name, self.files.read(path)))
        return found


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(tmp_path / "a run")


def test_all_ways_of_reading(run: Run) -> None:
    run.write(7, FIRST)
    run.pack(7)
    files, stdout = run.files, run.path(7, "job.stdout")
    assert files.read(stdout) == FIRST["job.stdout"]
    assert files.read_from(stdout, 396) == b"one\n"
    assert files.read_from(stdout, 4000) == b""
    assert files.read_part(stdout, 2, 4) == b"e\non"
    assert b"".join(files.packed_pieces(stdout) or ()) == FIRST["job.stdout"]
    assert files.read_many([stdout, run.path(7, "none")]) == [FIRST["job.stdout"], None]
    assert files.checksums([stdout, run.path(8, "job.rc")])[stdout].size == 400
    assert sorted(files.names(run.path(7))) == sorted(FIRST)
    assert files.exists(stdout)
    assert files.exists(run.path(7))
    assert not files.exists(run.path(7, "job.stderr"))


def test_what_is_nowhere_is_told_as_by_the_store(run: Run) -> None:
    run.write(7, FIRST)
    run.pack(7)
    for path in (run.path(7, "none"), run.path(6, "job.rc"), f"{run.folder}/none", "/none"):
        with pytest.raises(FileNotFoundError):
            run.files.read(path)
        assert run.files.packed_pieces(path) is None
    with pytest.raises(FileNotFoundError):
        run.files.names(run.path(6))
    with pytest.raises(FileNotFoundError):
        run.files.entries(run.path(6))


def test_later_attempt_in_the_folder_puts_the_packed_one_aside(run: Run) -> None:
    run.write(3, FIRST)
    run.pack(3)
    run.write(3, {"job.claim.2": b"claim 2"})
    kept = {
        "job.retry/1/job.stdout": FIRST["job.stdout"],
        "job.retry/1/job.rc": b"1\n",
        "job.claim.1": b"claim 1",
    }
    assert run.content(3) == {"job.claim.2": b"claim 2", **kept}
    assert not run.files.exists(run.path(3, "job.stdout"))
    run.write(3, SECOND)
    assert run.content(3) == {**SECOND, **kept}


def test_packing_twice(run: Run) -> None:
    run.write(3, FIRST)
    run.pack(3, 1)
    run.write(3, SECOND)
    run.pack(3, 2)
    assert run.content(3) == {
        **SECOND,
        "job.claim.1": b"claim 1",
        "job.retry/1/job.stdout": FIRST["job.stdout"],
        "job.retry/1/job.rc": b"1\n",
    }


def test_archives_are_ordered_by_their_numbers(run: Run) -> None:
    for number in (2, 10):
        run.write(0, {"job.claim.1": b"", "job.stdout": b"%d" % number})
        run.pack(0, number)
    assert run.files.read(run.path(0, "job.stdout")) == b"10"


def test_attempt_without_a_claim_comes_after_those_that_were_kept(run: Run) -> None:
    run.write(3, {"job.rc": b"2", "job.retry/4/job.rc": b"1"})
    run.pack(3)
    run.write(3, {"job.rc": b"0"})
    assert run.content(3) == {
        "job.rc": b"0",
        "job.retry/5/job.rc": b"2",
        "job.retry/4/job.rc": b"1",
    }


@pytest.mark.parametrize("left", [[], ["job.stdout"], ["job.claim.1"], ["job.rc", "job.stdout"]])
def test_removal_that_was_broken_off_changes_nothing(run: Run, left: list[str]) -> None:
    run.write(3, FIRST | {"other": b"somebody's"})
    run.pack(3, remove=False)
    for name in FIRST:
        if name not in left:
            os.unlink(run.path(3, name))
    assert run.content(3) == FIRST | {"other": b"somebody's"}


def test_bulk_reading_knows_of_later_attempts(run: Run) -> None:
    for index in range(3):
        run.write(index, FIRST)
        run.pack(index, index + 1)
    run.write(1, {"job.claim.2": b""})
    paths = [run.path(index, "job.rc") for index in (2, 1, 0, 9)]
    assert run.files.read_many(paths) == [b"1\n", None, b"1\n", None]
    assert set(run.files.checksums(paths)) == {paths[0], paths[2]}


def test_nothing_is_opened_for_a_job_that_no_archive_can_hold(run: Run) -> None:
    (run.packs / archive_name(1, 0, 4)).write_bytes(b"damaged")
    with pytest.raises(FileNotFoundError):
        run.files.read(run.path(5, "job.rc"))
    with pytest.raises(OSError, match="the archive is damaged"):
        run.files.read(run.path(4, "job.rc"))


def test_archive_whose_end_is_missing_or_content_is_changed(run: Run) -> None:
    run.write(3, FIRST)
    run.pack(3)
    (path,) = run.packs.iterdir()
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    with pytest.raises(OSError, match="the archive is damaged"):
        run.files.read(run.path(3, "job.stdout"))
    at = whole.index(b"claim 1")
    path.write_bytes(whole[:at] + b"CLAIM 1" + whole[at + 7 :])
    run.files.archives.forget()
    with pytest.raises(
        OSError, match="the archive is damaged: a file in it is not what was packed"
    ):
        run.files.read(run.path(3, "job.claim.1"))


@pytest.mark.parametrize(
    "name",
    ["../x", "/etc/passwd", "3/../../x", "3/job.retry/../../x", "03/job.rc", "3/x", "job.rc"],
)
def test_names_that_no_jobs_file_has_are_passed_over(run: Run, name: str) -> None:
    path = run.packs / archive_name(1, 0, 9)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, "x")
        archive.writestr("4/job.rc", "0\n")
    assert list(Archive(LocalFiles(), str(path), path.stat().st_size).jobs) == [4]
    assert run.files.read(run.path(4, "job.rc")) == b"0\n"


def test_packed_files_are_plain_files_to_unzip(run: Run) -> None:
    run.write(3, FIRST)
    run.pack(3)
    with zipfile.ZipFile(next(run.packs.iterdir())) as archive:
        assert archive.testzip() is None
        assert archive.read("3/job.stdout") == FIRST["job.stdout"]


@pytest.mark.parametrize(
    "offset, size, part", [(0, 2, b"ab"), (1, 9, b"bc"), (1, 0, b""), (3, 1, b""), (9, 9, b"")]
)
def test_a_part_of_a_file_is_read(run: Run, offset: int, size: int, part: bytes) -> None:
    run.write(1, {"job.stdout": b"abc"})
    path = run.path(1, "job.stdout")
    assert LocalFiles().read_part(path, offset, size) == part
    assert run.files.read_part(path, offset, size) == part
    run.pack(1)
    assert run.files.read_part(path, offset, size) == part


def test_writing_goes_to_the_store(run: Run) -> None:
    files = run.files
    assert files.make_folder(run.path(1))
    assert files.create(run.path(1, "a"), b"a")
    files.write(run.path(1, "b"), b"b")
    files.move(run.path(1, "a"), run.path(1, "c"))
    files.move_many([(run.path(1, "b"), run.path(1, "d"))])
    assert files.create_many([(run.path(1, "e"), b"e")]) == [True]
    files.remove(run.path(1, "c"))
    files.remove_many([run.path(1, "d")])
    assert os.listdir(run.path(1)) == ["e"]
    assert files.interval == 0.0


@pytest.mark.parametrize(
    "name, parsed",
    [
        ("pack-1.0-4999.zip", (1, 0, 4999)),
        ("pack-0.0-1.zip", None),
        ("pack-1.00-1.zip", None),
        ("pack-1.0-1.zip.new", None),
        ("new-1.zip", None),
    ],
)
def test_names_of_archives(name: str, parsed: tuple[int, int, int] | None) -> None:
    assert parse_archive_name(name) == parsed
    assert parsed is None or archive_name(*parsed) == name


def test_same_file_by_sums_where_a_store_knows_them() -> None:
    assert same_file(Entry(1, 5.0), Entry(1, 5.0))
    assert not same_file(Entry(1, 5.0), Entry(1, 6.0))
    assert same_file(Entry(1, 5.0, md5="a"), Entry(1, 6.0, md5="a"))
    assert not same_file(Entry(1, 5.0, md5="a"), Entry(1, 5.0, md5="b"))
    assert not same_file(None, Entry(0, 0.0))


def test_a_run_has_more_than_one_path(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    run.write(3, FIRST)
    run.pack(3)
    monkeypatch.chdir(run.folder.parent)
    files = PackedFiles(LocalFiles(), run.folder.name, str(run.folder))
    assert files.read(f"{run.folder.name}/3/job.rc") == b"1\n"
    assert files.read(run.path(3, "job.rc")) == b"1\n"
