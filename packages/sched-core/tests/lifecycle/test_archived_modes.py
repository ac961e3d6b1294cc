"""Who may see what an earlier attempt has left, whatever the umask."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from sched_core.lifecycle.files import archive_attempt
from sched_core.ports.localfiles import LocalFiles


@pytest.fixture(params=[0o000, 0o022], ids=oct)
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


@pytest.mark.parametrize("mode, folders", [(0o600, 0o700), (0o644, 0o755)], ids=oct)
@pytest.mark.usefixtures("umask")
def test_the_folders_of_earlier_attempts_are_as_private_as_the_others(
    tmp_path: Path, mode: int, folders: int
) -> None:
    files, metadir = LocalFiles(mode), f"{tmp_path}/0"
    files.make_folder(metadir)
    files.create(f"{metadir}/job.stdout", b"")
    archive_attempt(files, metadir, 1)
    made = [tmp_path / name for name in ("0", "0/job.retry", "0/job.retry/1")]
    assert [stat.S_IMODE(path.stat().st_mode) for path in made] == [folders] * 3
    assert (made[2] / "job.stdout").exists()
