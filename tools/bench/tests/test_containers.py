from __future__ import annotations

import os
from pathlib import Path

import pytest

from ..containers import Rig, bare
from ..measuring import Failed

_CLIENT = """\
#!/bin/sh
echo "$@" >>calls
exit {status}
"""


def rig(folder: Path, status: int = 0) -> Rig:
    """Make an engine whose client notes what it is asked for."""
    client = folder / "client"
    client.write_text(_CLIENT.format(status=status))
    client.chmod(0o755)
    run = [os.fspath(client), "run", "--rm"]
    return Rig("client", os.environ, {}, run, ["--pull", "never"], "an image")


def test_bare_is_one_run_a_job_with_the_folder_mounted(tmp_path: Path) -> None:
    work = tmp_path / "work it"
    work.mkdir()
    seconds, _ = bare(rig(tmp_path), 3, work, os.environ)
    assert seconds > 0
    mount = f"type=bind,source={work},target={work}"
    expected = f"run --rm --pull never --mount {mount} an image /bin/true\n"
    assert (work / "calls").read_text() == expected * 3


def test_a_bare_run_that_fails_is_told(tmp_path: Path) -> None:
    with pytest.raises(Failed, match="exit code 123"):
        bare(rig(tmp_path, status=125), 3, tmp_path, os.environ)
