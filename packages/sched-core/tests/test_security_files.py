"""What others have put into a run's folder, or in its place, is not obeyed, waited for, or followed."""

from __future__ import annotations

import os
import stat
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sched_core.errors import NoSuchSchedulerError, OptionError, RunCorrupt
from sched_core.ports.localfiles import LocalFiles
from sched_core.ports.mirrormark import NAME, make_room
from sched_core.processes.tree import Tree, find_all_members, read_process_id, signal_trees
from sched_core.runfolder import Layout, find_run, read_journal, read_requests, replay
from sched_core.runfolder.lease import newest_lease
from sched_core.runfolder.records import dump, load
from sched_core.runfolder.submissions import read_submissions
from sched_core.runner.reopening import scheduler_of

FILES = LocalFiles()
NOBODY = 65534
DEEP = b"[" * 100_000
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as another user")


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    layout = Layout(str(tmp_path / "run"))
    for folder in layout.folders():
        FILES.make_folder(folder)
    return layout


@pytest.fixture
def open_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def put(path: str, content: bytes) -> None:
    Path(path).write_bytes(content)


# --- what is no plain file ------------------------------------------------------------------------


def _pipe(path: str) -> None:
    os.mkfifo(path)


def _link(path: str) -> None:
    put(f"{path}.secret", b"secret")
    os.symlink(f"{path}.secret", path)


def _device(path: str) -> None:
    os.symlink("/dev/zero", path)


def _dangling(path: str) -> None:
    os.symlink("nothing", path)


@pytest.mark.parametrize("make", [_pipe, _link, _device, _dangling, os.mkdir])
def test_only_plain_files_are_read(tmp_path: Path, make: Callable[[str], None]) -> None:
    path = str(tmp_path / "record")
    make(path)
    for read in (FILES.read, lambda p: FILES.read_from(p, 1), lambda p: FILES.read_part(p, 0, 9)):
        with pytest.raises(OSError, match="record"):
            read(path)
    with pytest.raises(OSError, match="record"):
        FILES.read_many([path])


@pytest.mark.parametrize("make", [_pipe, _link, _device, _dangling, os.mkdir])
def test_journal_of_what_is_no_file_is_an_error_and_no_endless_search(
    layout: Layout, make: Callable[[str], None]
) -> None:
    make(layout.segment(1, 0))
    with pytest.raises(OSError, match=r"1-0\.jsonl"):
        read_journal(FILES, layout)


@pytest.mark.parametrize("name", ["lease.007", "lease.٣", "lease.0"])
def test_lease_of_another_name_is_none(layout: Layout, name: str) -> None:
    put(f"{layout.home}/{name}", b"{}\n")
    assert newest_lease(FILES, layout) is None


@pytest.mark.parametrize("name", ["007-1.jsonl", "1-01.jsonl", "٣-٣.jsonl"])
def test_segment_of_another_name_is_none(layout: Layout, name: str) -> None:
    put(f"{layout.journal}/{name}", b'{"job":0}\n')
    assert list(read_journal(FILES, layout)) == []


@pytest.mark.parametrize("make", [_pipe, _device, _dangling])
def test_request_that_is_no_file_keeps_no_other_one_waiting(
    layout: Layout, make: Callable[[str], None]
) -> None:
    make(f"{layout.requests}/1.json")
    os.mkdir(f"{layout.requests}/2.json")
    put(f"{layout.requests}/3.json", dump({"verb": "kill", "jobs": [7]}))
    assert [request.jobs for request in read_requests(FILES, layout)] == [(7,)]
    assert sorted(os.listdir(layout.requests)) == ["2.json", "3.json"]


# --- what is no record ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", [DEEP, b'{"a":' * 100_000, b'{"a":' + b"9" * 5000 + b"}", b"[]", b"\xff"]
)
def test_text_that_is_no_record_is_one_error(text: bytes) -> None:
    with pytest.raises(RunCorrupt, match=r"^x cannot be read"):
        load(text, "x")


@pytest.mark.parametrize(
    "text",
    [DEEP, b'{"verb":"kill","jobs":[1e999]}', b'{"verb":"kill","jobs":3}', b'{"jobs":null}'],
)
def test_request_that_makes_no_sense_is_dropped(layout: Layout, text: bytes) -> None:
    put(f"{layout.requests}/1.json", text)
    assert read_requests(FILES, layout) == []
    assert os.listdir(layout.requests) == []


@pytest.mark.parametrize("index", ["../../x", -1, 1.5, True, None, [1], "7"])
def test_journal_names_no_folder_outside_of_the_run(index: object) -> None:
    with pytest.raises(RunCorrupt, match="is no number of a job"):
        replay([{"job": index, "cmd": ["true"]}])


@pytest.mark.parametrize("key", ["attempt", "restart"])
def test_journal_names_no_file_by_what_is_no_number(key: str) -> None:
    entries = [{"job": 0, "cmd": ["true"]}, {"state": 0, "to": 2, key: "1/../../.."}]
    with pytest.raises(RunCorrupt, match="is no number"):
        replay(entries)


def test_record_of_a_submission_names_no_other_file(layout: Layout) -> None:
    record = {"sid": "../../x", "name": "n", "backend": "local", "tasks": []}
    put(f"{layout.submissions}/1.json", dump(record))
    with pytest.raises(RunCorrupt, match="another submission"):
        read_submissions(FILES, layout)


def _run_record(**changes: object) -> bytes:
    record = {
        "schema_version": 1,
        "run": "0123456789",
        "generation": 1,
        "created": 0.0,
        "options": {},
    }
    return dump(record | {"scheduler": "x", "scheduler_class": "x:y", "directory": "/"} | changes)


@pytest.mark.parametrize("key", ["run", "scheduler"])
@pytest.mark.parametrize("word", ["../x", "a/b", "a\nb", "", "a b", "$(x)", ".."])
def test_run_file_has_words_that_are_safe_in_names(layout: Layout, key: str, word: str) -> None:
    put(layout.run_file, _run_record(**{key: word}))
    with pytest.raises(RunCorrupt):
        find_run(FILES, layout)


@pytest.mark.parametrize(
    "target", ["subprocess:Popen", "os:system", "builtins:print", "json:nothing"]
)
def test_run_file_can_have_only_a_scheduler_called(layout: Layout, target: str) -> None:
    mark = f"{layout.workdir}/touched"
    options = {"shell": True, "executable": "/bin/touch", "cwd": layout.workdir}
    put(layout.run_file, _run_record(scheduler_class=target, options=options))
    refused = (NoSuchSchedulerError, OptionError)
    with pytest.raises(refused, match=r"is no scheduler|cannot be loaded"):
        scheduler_of(layout.workdir)
    assert not os.path.exists(mark)


@pytest.mark.parametrize("name", ["../../elsewhere", "a/b", "", "x\n"])
def test_mark_of_a_mirror_moves_it_nowhere_else(tmp_path: Path, name: str) -> None:
    mirror = tmp_path / "mirror"
    (mirror / ".sched").mkdir(parents=True)
    (mirror / "file").touch()
    (mirror / NAME).write_bytes(dump({"id": name, "host": "h", "folder": "f", "taken": True}))
    with pytest.raises(OptionError, match="something else"):
        make_room(FILES, str(mirror))
    assert (mirror / "file").exists()


# --- folders --------------------------------------------------------------------------------------


@pytest.mark.usefixtures("open_umask")
def test_with_umask_000_only_the_owner_gets_in(tmp_path: Path) -> None:
    layout = Layout(str(tmp_path / "above" / "run"))
    for folder in layout.folders():
        FILES.make_folder(folder)
    FILES.create(layout.run_file, b"{}")
    FILES.write(layout.lease(1), b"{}")
    assert {mode_of(Path(folder)) for folder in layout.folders()} == {0o700}
    assert mode_of(Path(layout.run_file)) == mode_of(Path(layout.lease(1))) == 0o600
    assert not mode_of(tmp_path / "above") & stat.S_IWOTH


@pytest.fixture
def anybodys(tmp_path: Path) -> Path:
    """A folder like /tmp."""
    folder = tmp_path / "anybodys"
    folder.mkdir()
    folder.chmod(0o1777)
    return folder


@needs_root
@pytest.mark.parametrize("below", ["", "/run", "/run/.sched"])
def test_folder_that_somebody_else_made_in_wait_is_not_used(anybodys: Path, below: str) -> None:
    trap = anybodys / "trap"
    trap.mkdir()
    os.chown(trap, NOBODY, NOBODY)
    with pytest.raises(PermissionError, match="somebody else has made this"):
        FILES.make_folder(f"{trap}{below}")


@needs_root
def test_link_that_somebody_else_made_in_wait_is_not_followed(anybodys: Path) -> None:
    (anybodys.parent / "target").mkdir()
    os.symlink(anybodys.parent / "target", anybodys / "trap")
    os.chown(anybodys / "trap", NOBODY, NOBODY, follow_symlinks=False)
    for path in ("trap", "trap/run"):
        with pytest.raises(PermissionError, match="somebody else has made this"):
            LocalFiles().make_folder(str(anybodys / path))


@needs_root
def test_own_folders_and_those_of_a_project_are_used(anybodys: Path) -> None:
    (anybodys / "mine").mkdir()
    project = anybodys.parent / "project"
    project.mkdir()
    os.chown(project, NOBODY, NOBODY)
    for path in (anybodys / "mine" / "run", anybodys / "new", project / "run"):
        assert FILES.make_folder(str(path))
        assert not FILES.make_folder(str(path))


@needs_root
def test_another_user_can_leave_no_request(layout: Layout) -> None:
    Path(layout.workdir).parent.chmod(0o755)
    tried = subprocess.run(
        ["/usr/bin/env", "mkdir", f"{layout.requests}/1.json"],
        user=NOBODY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Permission" in tried.stderr
    assert os.listdir(layout.requests) == []


# --- processes ------------------------------------------------------------------------------------


def test_record_that_names_the_first_process_ends_nothing() -> None:
    first = read_process_id(1)
    assert first is not None
    assert find_all_members([Tree(first, token="no job's")]) == []
    assert signal_trees([Tree(first)], 0) == 0
