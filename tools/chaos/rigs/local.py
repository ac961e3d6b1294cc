"""This machine: slots and recorders die."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from random import Random

from ..faults import Fault, NotNow
from ..plan import Size
from ..rig import Rig, claims_of

__all__ = ["is_alive", "kill_recorder", "local"]


@contextmanager
def local(root: Path) -> Iterator[Rig]:
    """Have this machine."""
    yield Rig("local", Size(200, 6, 25.0), os.environ, faults=_faults, elsewhere=False)


def _faults(folder: Path) -> Mapping[str, Fault]:
    return {"recorder killed": Fault(lambda chance: kill_recorder(folder, chance), loses=True)}


def kill_recorder(folder: Path, chance: Random) -> None:
    """Kill the shell that is to record a job's end, and sometimes the slot that it is in."""
    claims = [claim for *_, claim in claims_of(folder) if claim.rc is None]
    if not (living := [claim for claim in claims if is_alive(claim.pid, claim.start)]):
        raise NotNow
    pid = chance.choice(living).pid or 0
    with contextlib.suppress(OSError, IndexError):
        slot = int(_stat(pid)[1])
        for one in chance.choice([[pid], [pid, slot]]):
            if b"SCHED" in Path(f"/proc/{one}/environ").read_bytes():
                os.kill(one, signal.SIGKILL)


def is_alive(pid: int | None, start: int | None) -> bool:
    """Tell whether a process is the one that a claim tells of."""
    try:
        return pid is not None and int(_stat(pid)[19]) == start
    except OSError:
        return False


def _stat(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
