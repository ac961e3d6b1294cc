from __future__ import annotations

import subprocess
import sys

from sched_core.testing.importing import side_effects


def test_t44_the_library_for_ssh_is_loaded_on_first_use() -> None:
    code = "import sys, sched_ssh; sched_ssh.SshScheduler; print('asyncssh' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_other_event_loops_are_refused() -> None:
    code = """
import anyio, tempfile
from sched_core import Runner
from sched_ssh import SshScheduler
async def main():
    async with Runner(SshScheduler(tempfile.mkdtemp(), servers=["h"])):
        pass
try:
    anyio.run(main, backend="trio")
except ValueError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "runs on asyncio only" in done.stdout


def test_t44_an_import_does_nothing_else() -> None:
    assert side_effects("sched_ssh") == []
