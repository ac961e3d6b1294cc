from __future__ import annotations

import os
import subprocess
from pathlib import Path

from ..calls import Counted


def test_calls_are_counted_and_the_tools_run_as_ever(tmp_path: Path) -> None:
    tools = {"print": "/usr/bin/printf", "no": "/bin/false", "never": "/bin/true"}
    counted = Counted(tmp_path / "it's", tools)
    env = counted.environment(os.environ)
    asked = subprocess.run(
        ["sh", "-c", "print '%s|' 'a b' '*'; print x; no"],
        check=False,
        env=env,
        capture_output=True,
    )
    assert (asked.returncode, asked.stdout) == (1, b"a b|*|x")
    assert counted.calls() == {"no": 1, "print": 2}
