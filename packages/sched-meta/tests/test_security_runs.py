"""Folders of runs that somebody else has made or could reach: nothing of theirs is obeyed or lost to them."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from sched_core.errors import SchedError
from sched_meta.cli import main
from sched_meta.keeping.packing import pack_jobs
from sched_meta.keeping.removing import remove_jobs, remove_run
from sched_meta.reading.runfolder import RunFolder

from .keptruns import failed, make_run, record
from .program import Sched

NOBODY = 65534
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as another user")
COMMANDS = [
    "status {}",
    "status {} --json",
    "results {}",
    "cat {}",
    "logs {} 1",
    "explain {} 1",
    "report {} -o {}.html",
    "ls",
    "clean {} --remove-run --dry-run",
]


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    jobs = (record(0), failed(1), record(2, attempt=2))
    return make_run(tmp_path / "r", jobs)


# --- a hostile folder is read -------------------------------------------------------------------------


def _pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _device(path: Path) -> None:
    path.unlink()
    path.symlink_to("/dev/zero")


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _deep(path: Path) -> None:
    path.write_bytes(b"[" * 100_000 + b"\n")


def _numbers(value: bytes) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        path.write_bytes(re.sub(rb":-?\d+(\.\d+)?", b":" + value, path.read_bytes()))

    return change


def _texts(path: Path) -> None:
    path.write_bytes(re.sub(rb'":("[^"]*"|\[[^]]*\])', b'":{"a":[1]}', path.read_bytes()))


CHANGES: dict[str, Callable[[Path], None]] = {
    "pipe": _pipe,
    "device": _device,
    "folder": _folder,
    "deep": _deep,
    "words": _numbers(b'"x"'),
    "infinite": _numbers(b"1e999"),
    "endless": _numbers(b"9" * 400),
    "below": _numbers(b"-7"),
    "texts": _texts,
}
RECORDS = [".sched/run.json", ".sched/journal/1-0.jsonl", "1/job.stdout", "1/job.claim.1"]


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("name", RECORDS)
def test_every_command_ends_with_a_line_at_most(
    run: RunFolder, name: str, change: Callable[[Path], None], capsys: pytest.CaptureFixture[str]
) -> None:
    change(Path(run.path, name))
    for command in COMMANDS:
        code = main(command.replace("{}", "r").split())
        told = capsys.readouterr().err
        assert code in (0, 1, 2, 3), command
        assert "fault of sched" not in told, f"{command}: {told}"
        assert "Traceback" not in told


# --- links among the records --------------------------------------------------------------------------


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    folder = tmp_path / "outside"
    folder.mkdir()
    for name in ("new-thesis", "1.json", "run.json", "pack-1.0-9.zip"):
        (folder / name).write_text("precious")
    return folder


def _remove_all_jobs(run: RunFolder) -> None:
    remove_jobs(run, lambda jobs: list(jobs.values()))


@pytest.mark.parametrize("name", ["packs", "journal", "submissions", "events", "requests"])
def test_nothing_is_removed_behind_a_link(run: RunFolder, outside: Path, name: str) -> None:
    place = Path(run.path, ".sched", name)
    if place.exists():
        place.rename(outside.parent / "was")
    place.symlink_to(outside)
    before = sorted(os.listdir(outside))
    for remove in (pack_jobs, _remove_all_jobs, remove_run):
        with suppress(OSError, SchedError):  # it may be refused
            remove(RunFolder(run.path))
    assert set(before) <= set(os.listdir(outside))
    assert {(outside / name).read_text() for name in before} == {"precious"}


def test_what_a_run_folder_links_to_is_in_no_report(run: RunFolder, outside: Path) -> None:
    output = Path(run.path, "1", "job.stderr")
    output.unlink()
    output.symlink_to(outside / "new-thesis")
    assert main(["report", "r", "-o", "r.html"]) == 0
    assert "precious" not in Path("r.html").read_text()


# --- another user of the same machine -----------------------------------------------------------------


@pytest.fixture
def no_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def as_nobody(*args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(args, user=NOBODY, capture_output=True, text=True, check=False)


@pytest.mark.usefixtures("no_umask")
def test_with_umask_000_all_that_is_kept_is_the_owners(sched: Sched) -> None:
    script = "test $SCHED_ATTEMPT = 2"
    sched("run", "-w", "runs/r", "--retries", "1", "--shell", "--", script, ":::", "a", "b")
    for command in ("pack", "unpack", "pack", "report"):
        sched(command, "runs/r")
    sched("run", "-w", "runs/b", "-d", "--", "true")
    sched("wait", "runs/b")
    runs = sched.folder / "runs"
    assert not runs.stat().st_mode & 0o002
    kept = [path for run in ("r", "b") for path in (runs / run, *(runs / run).rglob("*"))]
    others = [path for path in kept if path.stat().st_mode & 0o077 and path.name != "report.html"]
    assert not others
    assert any(path.suffix == ".zip" for path in kept)
    assert any(path.name == "driver.log" for path in kept)


@pytest.fixture
def shared() -> Iterator[Path]:
    """A folder like /tmp, where others get to."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o1777)
        yield Path(folder)


@needs_root
@pytest.mark.usefixtures("no_umask")
def test_another_user_reads_and_writes_nothing_of_a_run(sched: Sched, shared: Path) -> None:
    run = f"{shared}/r"
    sched("run", "-w", run, "--", "echo", "secret")
    assert as_nobody("ls", str(shared)).stdout == "r\n"  # so far it gets
    for args in (
        ("cat", f"{run}/0/job.stdout"),
        ("cat", f"{run}/.sched/run.json"),
        ("ls", run),
        ("mkdir", f"{run}/.sched/requests/1.json"),
        ("ln", "-s", "/etc/passwd", f"{run}/0/job.stdout.new"),
    ):
        assert "ermission denied" in as_nobody(*args).stderr, args
    assert "not permitted" in as_nobody("mv", run, f"{shared}/mine").stderr


@needs_root
@pytest.mark.parametrize("trap", ["folder", "link", "records"])
def test_run_does_not_begin_where_somebody_else_waits(
    sched: Sched, shared: Path, trap: str
) -> None:
    (sched.folder / "mine").mkdir()
    laid = {
        "folder": ("mkdir", "-m", "777", f"{shared}/run"),
        "link": ("ln", "-s", str(sched.folder / "mine"), f"{shared}/run"),
        "records": ("mkdir", "-m", "777", f"{shared}/.sched"),
    }
    assert as_nobody(*laid[trap]).returncode == 0
    where = shared if trap == "records" else shared / "run"
    told = sched("run", "-w", str(where), "--", "touch", "started", code=2).stderr
    assert "somebody else has made this, in a folder where everybody may write" in told
    assert os.listdir(sched.folder) == ["mine"]
    assert os.listdir(sched.folder / "mine") == []


@needs_root
def test_report_is_not_written_into_what_somebody_else_has_laid(sched: Sched, shared: Path) -> None:
    sched("run", "-w", "r", "--", "true")
    (sched.folder / "precious").write_text("precious")
    trap = f"{shared}/x.html"
    assert as_nobody("ln", "-s", str(sched.folder / "precious"), trap).returncode == 0
    told = sched("report", "r", "-o", trap, code=2).stderr
    assert "somebody else has made this" in told
    assert (sched.folder / "precious").read_text() == "precious"
