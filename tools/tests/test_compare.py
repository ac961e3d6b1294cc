"""The times of docs/compared.md, in small."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PROGRAM = Path(__file__).parent.parent / "compare.py"


def test_each_program_is_set_beside_xargs(tmp_path: Path) -> None:
    command = [sys.executable, str(PROGRAM), "--files", "3", "--rounds", "1"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    names = [line.partition(":")[0] for line in done.stdout.splitlines()]
    assert names[:3] == ["load before", "xargs", "sched"]
    assert names[-1] == "load after"
    assert done.stderr == ""
