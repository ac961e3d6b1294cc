"""`sched pack`: fewer files, and every command tells what it told before."""

from __future__ import annotations

import os
import shutil
import signal
import zipfile
from functools import partial
from pathlib import Path

import pytest

from sched_core.errors import RunLocked
from sched_core.model.status import JobStatus
from sched_core.ports.archive import ArchiveWriter
from sched_meta.cli import main
from sched_meta.keeping import packing
from sched_meta.keeping.packing import pack_jobs, unpack_jobs
from sched_meta.reading.runfolder import RunFolder

from .keptruns import contents, failed, fresh, killed_at, make_run, record, write_attempt
from .program import Sched, wait_until

JOBS = (record(0), failed(1), record(2, attempt=2), record(3, name="a b"))


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return make_run(tmp_path / "r", JOBS)


def packs(folder: RunFolder) -> list[str]:
    return sorted(os.listdir(folder.layout.packs))


def folders(folder: RunFolder) -> list[str]:
    return sorted(name for name in os.listdir(folder.path) if name != ".sched")


# --- the program -----------------------------------------------------------------------------------

COMMANDS = (
    "results r --format tsv --stdout",
    "results r --format jsonl --columns index,stdout,stderr",
    "results r failed --format csv",
    "logs r all",
    "logs r 1 3",
    "logs r all --stderr",
    "status r",
    "cat r",
    "cat r --tag --stderr",
    "explain r 0",
    "explain r 1",
    "explain r 3",
)


def test_every_command_tells_what_it_told_before(
    sched: Sched, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(sched.folder)
    line = 'echo out "$1"; echo err "$1" >&2; test "$1" != b'
    sched("run", "-w", "r", "--shell", "--", line, ":::", "a", "b", "c", "d e", code=1)
    sched("retry", "r", "1", code=1)
    before = [told(capfd, command) for command in COMMANDS]
    done = sched("pack", "r")
    assert done.stderr.startswith("sched: packed ")
    assert " of 4 jobs (" in done.stderr
    assert os.listdir(sched.folder / "r") == [".sched"]
    assert before == [told(capfd, command) for command in COMMANDS]
    assert sched("logs", "r", "1", "--follow").stdout == "out b\n"
    sched("retry", "r", "1", code=1)
    explained = sched("explain", "r", "1").stdout
    assert "attempt 1: FAILED" in explained
    assert "attempt 3: FAILED" in explained
    assert "job.claim.1 " in explained
    assert sched("logs", "r", "1").stdout == "out b\n"
    sched("pack", "r")
    packed = sched("explain", "r", "1").stdout
    assert packed == explained
    assert os.listdir(sched.folder / "r") == [".sched"]
    done = sched("unpack", "r")
    assert "put back" in done.stderr
    assert packed == sched("explain", "r", "1").stdout
    assert sorted(os.listdir(sched.folder / "r")) == [".sched", "0", "1", "2", "3"]
    assert sched("unpack", "r").stderr == "sched: nothing of r is packed\n"


def told(capfd: pytest.CaptureFixture[str], command: str) -> tuple[str, str]:
    assert main(command.split()) == 0
    out, err = capfd.readouterr()
    # Whoever packs holds the lease meanwhile.
    return "\n".join(line for line in out.splitlines() if not line.startswith("driver: ")), err


def test_outputs_in_order_when_a_packed_run_goes_on(sched: Sched) -> None:
    command = ("run", "-w", "r", "--resume", "--cat", "--", "echo", ":::", "a", "b")
    assert sched(*command).stdout == "a\nb\n"
    sched("pack", "r")
    assert sched(*command, "c").stdout == "a\nb\nc\n"
    assert sorted(os.listdir(sched.folder / "r")) == [".sched", "2"]


def test_t41_what_was_packed_can_be_unzipped(sched: Sched) -> None:
    sched("run", "-w", "r", "--", "echo", ":::", "well")
    sched("pack", "r")
    (path,) = (sched.folder / "r/.sched/packs").iterdir()
    assert path.name == "pack-1.0-0.zip"
    assert path.stat().st_mode & 0o777 == 0o600
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        assert archive.read("0/job.stdout") == b"well\n"


def test_not_while_somebody_drives_the_run(sched: Sched) -> None:
    driver = sched.start_waiting_jobs()
    assert "is driven by process" in sched("pack", "r", code=2).stderr
    assert "is driven by process" in sched("unpack", "r", code=2).stderr
    sched.go()
    assert driver.finish()[0] == 0


def test_jobs_that_may_run_are_not_packed(sched: Sched) -> None:
    driver = sched.start_waiting_jobs()
    driver.send(signal.SIGKILL)
    driver.finish()
    done = sched("pack", "r")
    assert "not packed: 3 jobs that did not end yet" in done.stderr
    assert "there is nothing to pack in r" in done.stderr
    sched.go()
    wait_until(lambda: not sched.living_jobs())
    sched("resume", "r")
    assert " of 3 jobs (" in sched("pack", "r").stderr


def test_packing_that_was_broken_off_is_finished(sched: Sched) -> None:
    sched("run", "-w", "r", "--", "echo", ":::", "a", "b")
    first = sched.folder / "r/0"
    shutil.copytree(first, sched.folder / "kept")  # with their times
    sched("pack", "r")
    shutil.copytree(sched.folder / "kept", first)
    assert sched("logs", "r", "all").stdout == "a\nb\n"
    said = sched("pack", "r").stderr
    assert said == "sched: removed 7 files of 1 job, which were packed before\n"
    assert sched("logs", "r", "all").stdout == "a\nb\n"
    assert not first.exists()


def test_some_jobs_only(sched: Sched) -> None:
    sched("run", "-w", "r", "--", "test", "a", "=", ":::", "a", "b", "a", code=1)
    assert " of 2 jobs (" in sched("pack", "r", "finished").stderr
    assert sorted(os.listdir(sched.folder / "r")) == [".sched", "1"]


# --- the archives ----------------------------------------------------------------------------------


def test_nothing_changes_for_readers(run: RunFolder) -> None:
    before = contents(run, range(4))
    packed = pack_jobs(run)
    assert (packed.jobs, packed.files, packed.archives) == (4, 22, 1)
    assert packed.size == sum(map(len, before.values()))
    assert before == contents(fresh(run), range(4)) == contents(run, range(4))
    assert folders(run) == []
    assert packs(run) == ["pack-1.0-3.zip"]


def test_there_is_nothing_to_pack_twice(run: RunFolder) -> None:
    pack_jobs(run)
    again = pack_jobs(run)
    assert (again.jobs, again.archives) == (0, 0)
    assert packs(run) == ["pack-1.0-3.zip"]


def test_an_archive_does_not_grow_beyond_bounds(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = contents(run, range(4))
    monkeypatch.setattr(packing, "MOST_JOBS", 3)
    assert pack_jobs(run).archives == 2
    assert packs(run) == ["pack-1.0-2.zip", "pack-2.3-3.zip"]
    assert before == contents(fresh(run), range(4))


def test_large_outputs_get_archives_of_their_own(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packing, "MOST_BYTES", 1)
    assert pack_jobs(run).archives == 4


def test_somebody_elses_files_stay(run: RunFolder) -> None:
    own = Path(run.path, "0", "result.bam")
    own.write_text("precious")
    link = Path(run.path, "1", "job.link")
    Path(run.path, "notes").write_text("mine")
    before = contents(run, range(4))
    link.symlink_to("/etc/passwd")
    pack_jobs(run)
    assert folders(run) == ["0", "1", "notes"]
    assert os.listdir(own.parent) == ["result.bam"]
    assert os.listdir(link.parent) == ["job.link"]
    link.unlink()
    assert before == contents(fresh(run), range(4))


def test_a_link_in_the_place_of_a_folder_is_not_followed(run: RunFolder, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    Path(run.path, "0").rename(outside)
    Path(run.path, "0").symlink_to(outside)
    assert pack_jobs(run).jobs == 3
    assert (outside / "job.stdout").exists()


@pytest.mark.parametrize("place", ["2", "2/job.retry"])
def test_nothing_is_put_back_through_a_link(run: RunFolder, tmp_path: Path, place: str) -> None:
    pack_jobs(run)
    before = contents(fresh(run), range(4))
    outside = tmp_path / "outside"
    outside.mkdir()
    link = Path(run.path, place)
    link.parent.mkdir(exist_ok=True)
    link.symlink_to(outside)
    unpacked = unpack_jobs(fresh(run))
    assert (unpacked.blocked, unpacked.archives) == ([2], 0)
    assert not os.listdir(outside)
    assert link.is_symlink()
    link.unlink()
    assert unpack_jobs(fresh(run)).archives == 1
    assert before == contents(fresh(run), range(4))


def test_a_link_in_the_place_of_a_packed_folder_is_told(sched: Sched, tmp_path: Path) -> None:
    run = make_run(sched.folder / "r", JOBS)
    pack_jobs(run)
    Path(run.path, "2").symlink_to(tmp_path)
    done = sched("unpack", "r", code=1)
    assert "left packed: files of 1 job (2): a link, or a file, lies where" in done.stderr
    assert "next:    look at r/2, remove it, and unpack once more" in done.stderr


def test_no_file_is_overwritten_through_a_link_among_the_archives(
    run: RunFolder, tmp_path: Path
) -> None:
    pack_jobs(run)
    precious = tmp_path / "precious"
    precious.write_text("mine")
    Path(run.layout.packs, "new-file").symlink_to(precious)
    assert unpack_jobs(fresh(run)).jobs == 4
    assert precious.read_text() == "mine"


@pytest.mark.parametrize("name", ["job.stdout", "job.claim.1"])
def test_what_a_link_among_a_jobs_records_leads_to_is_not_packed(
    run: RunFolder, tmp_path: Path, name: str
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("key")
    link = Path(run.path, "0", name)
    link.unlink()
    link.symlink_to(secret)
    pack_jobs(run)
    assert link.is_symlink()
    assert secret.read_text() == "key"
    for archive in packs(run):
        with zipfile.ZipFile(Path(run.layout.packs, archive)) as held:
            assert f"0/{name}" not in held.namelist()


def test_names_that_are_no_text_stay(run: RunFolder) -> None:
    odd = os.fsencode(f"{run.path}/0/job.wrapped.") + b"\xff"
    with open(odd, "wb"):
        pass
    assert pack_jobs(run).jobs == 3
    assert os.path.exists(odd)


def test_unfinished_jobs_stay(tmp_path: Path) -> None:
    interrupted = record(1, JobStatus.KILLED, interrupted=True)
    jobs = [record(0), interrupted, record(2, JobStatus.RUNNING), record(3, JobStatus.QUEUED)]
    run = make_run(tmp_path / "r", jobs)
    packed = pack_jobs(run)
    assert (packed.jobs, packed.open) == (1, 3)
    assert folders(run) == ["1", "2"]


def test_files_that_change_meanwhile_stay(run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    late = Path(run.path, "1", "job.stdout")
    close = ArchiveWriter.close

    def write_late(writer: ArchiveWriter) -> int:
        if not late.read_text().endswith("more\n"):
            with late.open("a") as file:
                file.write("more\n")
        return close(writer)

    monkeypatch.setattr(ArchiveWriter, "close", write_late)
    before = contents(run, [0, 2, 3])
    packed = pack_jobs(run)
    assert (packed.jobs, packed.changed) == (3, [1])
    assert before == contents(fresh(run), [0, 2, 3])
    assert late.read_text().endswith("out 1\nmore\n")
    assert packs(run) == ["pack-1.0-3.zip"]


def test_a_full_disk_loses_nothing(run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: ArchiveWriter) -> int:
        raise OSError(28, "No space left on device")

    before = contents(run, range(4))
    with monkeypatch.context() as patch:
        patch.setattr(ArchiveWriter, "close", fail)
        with pytest.raises(OSError, match="No space left"):
            pack_jobs(run)
    assert packs(run) == []
    assert before == contents(fresh(run), range(4))
    assert pack_jobs(run).jobs == 4


def test_an_archive_that_lacks_something_is_not_trusted(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    add = ArchiveWriter.add

    def forget(writer: ArchiveWriter, name: str, *args: object) -> None:
        if name != "2/job.rc":
            add(writer, name, *args)  # type: ignore[arg-type]  # whatever it was given

    monkeypatch.setattr(ArchiveWriter, "add", forget)
    with pytest.raises(OSError, match="does not hold the files of job 2: nothing is removed"):
        pack_jobs(run)
    assert folders(run) == ["0", "1", "2", "3"]
    assert packs(run) == []


def test_another_driver_that_took_over_ends_it(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    close = ArchiveWriter.close

    def be_late(writer: ArchiveWriter) -> int:
        Path(run.layout.lease(9)).write_text("{}")
        return close(writer)

    monkeypatch.setattr(ArchiveWriter, "close", be_late)
    with pytest.raises(RunLocked):
        pack_jobs(run)
    assert folders(run) == ["0", "1", "2", "3"]


def test_packed_attempts_before_the_present_one(run: RunFolder) -> None:
    pack_jobs(run)
    write_attempt(Path(run.path), failed(1, attempt=1))  # as if it were packed by half
    assert "1/job.retry/1/job.stdout" in contents(run, [1])


def test_unpacking_gives_back_what_there_was(run: RunFolder) -> None:
    paths = [p for p in Path(run.path).rglob("*") if p.is_file() and ".sched" not in p.parts]
    before = {
        path: (path.read_bytes(), path.stat().st_mtime, path.stat().st_size) for path in paths
    }
    pack_jobs(run)
    unpacked = unpack_jobs(run)
    assert (unpacked.jobs, unpacked.files, unpacked.archives) == (4, 22, 1)
    assert packs(run) == []
    after = {path: (path.read_bytes(), path.stat().st_mtime, path.stat().st_size) for path in paths}
    assert before == after
    assert {path.stat().st_mode & 0o777 for path in paths} == {0o600}


def test_a_damaged_archive_is_not_removed(run: RunFolder) -> None:
    pack_jobs(run)
    (name,) = packs(run)
    path = Path(run.layout.packs, name)
    data = path.read_bytes()
    path.write_bytes(data.replace(b"claim 1\n", b"CLAIM 1\n", 1))
    with pytest.raises(OSError, match="the archive is damaged"):
        unpack_jobs(fresh(run))
    assert packs(run) == [name]


# --- killed at any moment --------------------------------------------------------------------------


def test_packing_that_is_killed_loses_nothing(tmp_path: Path) -> None:
    effect, killed = 0, True
    while killed:
        effect += 1
        run = make_run(tmp_path / str(effect), JOBS)
        before = contents(run, range(4))
        killed = killed_at(effect, partial(pack_jobs, fresh(run)))
        assert before == contents(fresh(run), range(4))
        pack_jobs(fresh(run))
        assert before == contents(fresh(run), range(4))
        assert folders(run) == []
        assert packs(run) == ["pack-1.0-3.zip"]
    assert effect > 22


def test_packing_a_later_attempt_that_is_killed_loses_nothing(tmp_path: Path) -> None:
    effect, killed = 0, True
    while killed:
        effect += 1
        run = make_run(tmp_path / str(effect), JOBS[:2])
        pack_jobs(run)
        (Path(run.path) / "1").mkdir()
        for name in ("job.claim.2", "job.stdout", "job.wrapped.local"):
            Path(run.path, "1", name).write_text("the second\n")
        before = contents(fresh(run), range(2))
        assert before["1/job.stdout"] == b"the second\n"
        assert before["1/job.retry/1/job.stderr"] == b"err 1\n"
        killed = killed_at(effect, partial(pack_jobs, fresh(run)))
        assert before == contents(fresh(run), range(2))
        pack_jobs(fresh(run))
        assert before == contents(fresh(run), range(2))
        assert packs(run) == ["pack-1.0-1.zip", "pack-2.1-1.zip"]
    assert effect > 3


def test_unpacking_that_is_killed_loses_nothing(tmp_path: Path) -> None:
    effect, killed = 0, True
    while killed:
        effect += 1
        run = make_run(tmp_path / str(effect), JOBS[1:3])
        pack_jobs(run)
        (Path(run.path) / "1").mkdir()
        Path(run.path, "1", "job.wrapped.local").write_text("the second\n")
        before = contents(fresh(run), (1, 2))
        killed = killed_at(effect, partial(unpack_jobs, fresh(run)))
        assert before == contents(fresh(run), (1, 2))
        unpack_jobs(fresh(run))
        assert before == contents(fresh(run), (1, 2))
        assert packs(run) == []
        assert folders(run) == ["1", "2"]
    assert effect > 10
