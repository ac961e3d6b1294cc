from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from sched_core import OptionError
from sched_ssh.staging import Item, check_staged, pack, unpack


def test_there_and_back(tmp_path: Path) -> None:
    (tmp_path / "a/deep").mkdir(parents=True)
    (tmp_path / "a/one").write_bytes(b"1" * 100_000)
    (tmp_path / "a/one").chmod(0o755)
    (tmp_path / "a/deep/two\nlines").write_bytes(b"2")
    os.link(tmp_path / "a/one", tmp_path / "same")
    source = f"{tmp_path}/"
    parcel = pack([Item("files/a", source + "a"), Item("files/same", source + "same")])
    assert parcel.digests["files/same"] == hashlib.sha256(b"1" * 100_000).hexdigest()
    places = {"files/a": f"{tmp_path}/there", "files/same": f"{tmp_path}/second"}
    with parcel.archive:
        whole = unpack(parcel.archive, places, parcel.digests, 0o600)
    assert whole == set(places)
    assert (tmp_path / "second").read_bytes() == (tmp_path / "there/one").read_bytes()
    assert (tmp_path / "there/deep/two\nlines").read_bytes() == b"2"
    assert os.access(tmp_path / "there/one", os.X_OK)


def test_what_arrives_damaged_is_said(tmp_path: Path) -> None:
    (tmp_path / "one").write_text("1")
    parcel = pack([Item("one", f"{tmp_path}/one")])
    with parcel.archive:
        whole = unpack(parcel.archive, {"one": f"{tmp_path}/new"}, {"one": "0" * 64}, 0o600)
    assert whole == set()


@pytest.mark.parametrize("name", ["../escape", "/escape", "files/../../escape", "other/thing"])
def test_nothing_is_put_where_nobody_asked_for_it(tmp_path: Path, name: str) -> None:
    (tmp_path / "one").write_text("1")
    target = tmp_path / "target"
    target.mkdir()
    parcel = pack([Item(name, f"{tmp_path}/one")])
    with parcel.archive:
        unpack(parcel.archive, {"files": f"{target}/files"}, {}, 0o600)
    assert sorted(os.listdir(tmp_path)) == ["one", "target"]
    assert os.listdir(target) == []


def test_what_is_gone_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="gone"):
        pack([Item("gone", f"{tmp_path}/gone")])


def test_paths_that_can_be_staged() -> None:
    assert check_staged("a//b/./c/") == "a/b/c"
    for path in ("/etc/passwd", "..", "a/../../b", "."):
        with pytest.raises(OptionError, match="relative to the folder"):
            check_staged(path)
