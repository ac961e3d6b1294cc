"""A host that has been taken over cannot take over, or stop, the driver."""

from __future__ import annotations

import io
import os
import subprocess
import tarfile
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from sched_core.text.script import recorder_text
from sched_ssh.staging import unpack
from sched_ssh.wire import command, opening, parse_message, request, script

NOBODY = 65534
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as another user")


def archive_of(*members: tuple[str, bytes, str]) -> io.BytesIO:
    """A tar of (name, type, name of a link's target)."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for name, kind, target in members:
            info = tarfile.TarInfo(name)
            info.type, info.linkname, info.mode = kind, target, 0o6777
            info.size = 4 if kind == tarfile.REGTYPE else 0
            tar.addfile(info, io.BytesIO(b"evil") if info.size else None)
    return file


def unpacked(folder: Path, archive: io.BytesIO, names: Iterable[str] = ("out",)) -> set[str]:
    return unpack(archive, {name: f"{folder}/here/{name}" for name in names}, {}, 0o600)


def everything(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE, tarfile.BLKTYPE]
)
def test_only_files_and_folders_are_taken_from_a_host(tmp_path: Path, kind: bytes) -> None:
    assert unpacked(tmp_path, archive_of(("out", kind, "/etc/passwd"))) == set()
    assert everything(tmp_path) == []


def test_no_file_is_put_behind_a_link_of_a_host(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    sent = archive_of(("out/a", tarfile.SYMTYPE, str(outside)), ("out/a/b", tarfile.REGTYPE, ""))
    unpacked(tmp_path, sent)
    assert list(outside.iterdir()) == []
    assert not (tmp_path / "here/out/a").is_symlink()


@pytest.mark.parametrize("target", ["/etc/passwd", "../../secret", "gone", "out"])
def test_second_name_of_what_a_host_has_not_sent_is_refused(tmp_path: Path, target: str) -> None:
    (tmp_path / "secret").write_text("secret")
    with pytest.raises(tarfile.TarError):
        unpacked(tmp_path, archive_of(("out", tarfile.LNKTYPE, target)))
    assert everything(tmp_path) in (["secret"], ["here", "secret"])


def test_file_of_a_host_gets_no_rights_of_others(tmp_path: Path) -> None:
    unpacked(tmp_path, archive_of(("out", tarfile.REGTYPE, "")))
    assert os.stat(tmp_path / "here/out").st_mode & 0o7000 == 0


def test_name_with_a_nul_is_passed_over(tmp_path: Path) -> None:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar:
        info = tarfile.TarInfo("x")
        info.pax_headers = {"path": "out/a\0b"}
        tar.addfile(info)
    assert unpacked(tmp_path, file) == set()
    assert everything(tmp_path) == []


def test_hole_of_terabytes_is_not_written(tmp_path: Path) -> None:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar:
        info = tarfile.TarInfo("out")
        sparse = {"major": "1", "minor": "0", "name": "out", "realsize": str(1 << 44)}
        info.pax_headers = {f"GNU.sparse.{key}": value for key, value in sparse.items()}
        content = b"1\n0\n0\n".ljust(512, b"\0")
        info.size = len(content)
        tar.addfile(info, io.BytesIO(content))
    assert unpacked(tmp_path, file) == set()
    assert everything(tmp_path) == []


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"S",
        b"S 1",
        b"S x y z",
        b"E 1 1",
        b"E 1 1 0 NOSUCH",
        b"E 1 1 0 -\x1f\x1dz",
        b"E 1 1 0 -\x1f\x1d\x1d",
        b"a 1 1 running",
        b"a 1 1 dancing 0 -",
        b"done",
        b"done " + b"9" * 5000,
        b"hello",
        b"hello 1 2 boot 1000000000000 1 0 5.2 name",
        b"hello 1 2 boot -1 1 0 5.2 name",
        b"\x1b]0;title\x07",
        b"exec rm -rf /",
    ],
)
def test_whatever_else_an_agent_says_is_one_error(line: bytes) -> None:
    with pytest.raises(ValueError, match="the agent says"):
        parse_message(line)


# --- other users of a host ----------------------------------------------------------------------------


def agent_opens(base: str) -> str:
    """Have an agent make a run's folder below `base`; return what it says last."""
    text = os.fsdecode(recorder_text())
    asked = request("open", "", "", "", base, "sched-r", "recorder", text, "/")
    said = subprocess.run(
        ["sh", "-c", command("mark")],
        input=opening(script("agent")) + asked,
        capture_output=True,
        check=False,  # it ends with an error where it refuses
    )
    return os.fsdecode(said.stdout).splitlines()[-1]


@pytest.fixture
def shared() -> Iterator[Path]:
    """A folder like /tmp, where others get to."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o1777)
        yield Path(folder)


@needs_root
def test_agent_uses_no_folder_that_somebody_else_has_laid(shared: Path) -> None:
    (shared / "laid").mkdir()
    os.chown(shared / "laid", NOBODY, NOBODY)
    for place in ("laid", "laid/below"):
        assert agent_opens(f"{shared}/{place}").startswith("error somebody else has made")
    (shared / "mine" / "target").mkdir(parents=True)
    (shared / "mine" / "sched-r").symlink_to("target")
    assert agent_opens(f"{shared}/mine").startswith("error somebody else's folder")


def test_agent_uses_own_folders_among_those_of_others(shared: Path) -> None:
    (shared / "mine").mkdir()
    for place in ("mine", "new/below", ""):
        root = f"{shared}/{place}".rstrip("/")
        assert agent_opens(root) == f"root 0 {root}/sched-r"
        assert os.stat(f"{root}/sched-r").st_mode & 0o077 == 0
