"""Mirrors that are removed when the run is over, with no Google in sight."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sched_core.errors import RunLocked
from sched_core.ports.mirrored import MirroredFiles
from sched_core.ports.mirrormark import read_mark
from sched_core.runner.mirrors import MirrorCleaner
from sched_core.scheduler.observation import Remains

from .bucket import MemoryBucket

ROOT = "gs://bucket/run"
RUN = "0123456789"


@pytest.fixture
def bucket() -> MemoryBucket:
    return MemoryBucket()


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    return tmp_path / "mirror"


def opened(bucket: MemoryBucket, mirror: Path, run: str = RUN) -> MirroredFiles:
    files = MirroredFiles(bucket, ROOT, str(mirror))
    files.run = run
    files.join()
    files.take()
    return files


def put(mirror: Path, name: str, text: str, modified: float | None = None) -> None:
    (mirror / name).parent.mkdir(parents=True, exist_ok=True)
    (mirror / name).write_text(text)
    if modified is not None:
        os.utime(mirror / name, (modified, modified))


def cleaned(bucket: MemoryBucket, *folders: Path, check: Any = lambda: None) -> list[Remains]:
    lease: Any = SimpleNamespace(check=check)
    return MirrorCleaner(bucket, ROOT, RUN, lease).clean([str(folder) for folder in folders])


def test_what_is_only_there_comes_to_the_bucket(bucket: MemoryBucket, mirror: Path) -> None:
    opened(bucket, mirror)
    bucket.put(f"{ROOT}/0/job.stdout", "out")
    put(mirror, "0/job.stdout", "out, and late", modified=1e9)
    put(mirror, "0/own", "own")
    put(mirror, "out/.sched/journal", "of a run in the run")
    bucket.put(f"{ROOT}/same", "same")
    put(mirror, "same", "same", modified=3e9)
    bucket.put(f"{ROOT}/newer", "newer")
    put(mirror, "newer", "old", modified=1e9)
    (remains,) = cleaned(bucket)
    assert (remains.path, remains.problem) == (str(mirror), "")
    assert remains.size > 0
    assert not mirror.exists()
    assert read_mark(bucket, ROOT) is None
    assert {p.removeprefix(f"{ROOT}/"): bucket.text(p) for p in sorted(bucket.objects)} == {
        "0/job.stdout": "out, and late",
        "0/own": "own",
        "newer": "newer",
        "out/.sched/journal": "of a run in the run",
        "same": "same",
    }
    assert f"{ROOT}/same" not in bucket.uploads


def test_nothing_is_left_of_a_clean_run(bucket: MemoryBucket, mirror: Path) -> None:
    opened(bucket, mirror)
    cleaned(bucket)
    assert cleaned(bucket, mirror) == []
    assert opened(bucket, mirror).elsewhere is None


def test_what_cannot_be_brought_stays(
    bucket: MemoryBucket, mirror: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(source: str, path: str) -> None:
        raise PermissionError(13, "no right to write", path)

    opened(bucket, mirror)
    put(mirror, "0/own", "own")
    with monkeypatch.context() as patch:
        patch.setattr(bucket, "upload", refuse)
        (remains,) = cleaned(bucket)
    assert "its files cannot be brought to the bucket: " in remains.problem
    put(mirror, "two\nlines", "")
    (remains,) = cleaned(bucket)
    assert r"no object can have the name 'two\nlines': move that file away" in remains.problem
    assert (mirror / "0/own").read_text() == "own"
    assert read_mark(bucket, ROOT) is not None


def test_a_mirror_that_another_host_has(bucket: MemoryBucket, mirror: Path, tmp_path: Path) -> None:
    opened(bucket, mirror)
    mirror.rename(tmp_path / "not seen")
    mark = read_mark(bucket, ROOT)
    assert mark is not None
    (remains,) = cleaned(bucket, mirror)
    assert (remains.host, remains.path) == (mark.host, str(mirror))
    assert remains.problem.endswith(f"cannot be seen from here: run sched clean on {mark.host}")
    assert read_mark(bucket, ROOT) == mark


def test_mirrors_that_the_run_has_left(bucket: MemoryBucket, mirror: Path, tmp_path: Path) -> None:
    opened(bucket, mirror)
    put(mirror, "0/job.claim.1", "a claim of old")
    put(mirror, "0/own", "own")
    bucket.put(f"{ROOT}/result", "as it is now")
    put(mirror, "result", "as it was", modified=3e9)
    opened(bucket, tmp_path / "other")
    opened(bucket, mirror)
    found = cleaned(bucket, mirror, tmp_path / "other")
    assert [remains.problem for remains in found] == ["", "", ""]
    assert list(tmp_path.iterdir()) == []
    assert bucket.text(f"{ROOT}/0/own") == "own"
    assert bucket.text(f"{ROOT}/result") == "as it is now"
    assert f"{ROOT}/0/job.claim.1" not in bucket.objects


def test_what_is_of_another_run_stays(bucket: MemoryBucket, mirror: Path, tmp_path: Path) -> None:
    opened(bucket, mirror, run="another")
    bucket.objects.clear()  # somebody has removed that run
    opened(bucket, mirror)
    put(tmp_path, "mirror.of/thesis.tex", "")
    assert [remains.path for remains in cleaned(bucket, mirror)] == [str(mirror)]
    (aside, other) = sorted(tmp_path.iterdir(), key=lambda path: path.name == "mirror.of")
    assert read_mark(opened(bucket, mirror).disk, str(aside)) is not None
    assert other.name == "mirror.of"


def test_nothing_is_removed_once_another_driver_has_the_run(
    bucket: MemoryBucket, mirror: Path
) -> None:
    def check() -> None:
        raise RunLocked("taken over")

    opened(bucket, mirror)
    with pytest.raises(RunLocked):
        cleaned(bucket, check=check)
    assert mirror.exists()
    assert read_mark(bucket, ROOT) is not None
