from __future__ import annotations

import subprocess
import sys

from sched_core.testing.importing import side_effects


def test_t44_an_import_does_nothing_else() -> None:
    assert side_effects("sched_local") == []


def test_t44_the_package_alone_imports_nothing() -> None:
    code = "import sys, sched_local; print({'anyio', 'sched_core'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
