"""A terminal that hangs up on a real engine: the run goes on, and is attached to."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import anyio

from .jobs import until

__all__ = ["hang_up_and_attach"]

_PROGRAM = str(Path(sys.executable).with_name("sched"))
_LINE = "echo $0 >>started; until test -e go; do sleep 0.05; done; echo $0 >>ended"


async def hang_up_and_attach(folder: Path, *options: str) -> None:
    """Hang up while two of three jobs run in that folder, which driver and jobs share."""
    command = ("--", "sh", "-c", _LINE, ":::", "0", "1", "2")
    run = [_PROGRAM, "run", "-w", "run", "-j", "2", *options, *command]
    async with await anyio.open_process(run, cwd=folder, stdout=None) as driver:
        await until(lambda: len(_lines(folder / "started")) == 2)
        driver.send_signal(signal.SIGHUP)
        assert driver.stderr
        err = b"".join([piece async for piece in driver.stderr])
    assert driver.returncode == 129, os.fsdecode(err)
    assert b"SIGHUP: nothing more is started, what runs goes on" in err
    assert b"wait or run without it; to go on: sched attach run" in err
    assert not (folder / "ended").exists()
    (folder / "go").touch()
    attach = [_PROGRAM, "attach", "run"]
    done = await anyio.run_process(attach, cwd=folder, check=False)
    assert done.returncode == 0, os.fsdecode(done.stderr)
    assert b"this process goes on with it" in done.stderr
    for name in ("started", "ended"):
        assert _lines(folder / name) == ["0", "1", "2"]


def _lines(path: Path) -> list[str]:
    return sorted(path.read_text().split()) if path.exists() else []
