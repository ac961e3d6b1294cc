"""Which folder a run is in, and which one a new run gets."""

from __future__ import annotations

import os
import time
from pathlib import Path

from sched_core.errors import OptionError, RunNotFound

__all__ = ["RUNS", "existing_run", "holds_run", "new_run", "newest_run", "shown"]

RUNS = Path("sched-runs")


def existing_run(run: str | None) -> Path:
    """Return the folder that RUN means: a path, a name under ./sched-runs, or the newest there.

    Raises RunNotFound.
    """
    if run is None:
        newest = newest_run()
        if newest is None:
            raise RunNotFound("there is no run under ./sched-runs; name the folder of one")
        return newest
    for folder in (Path(run), RUNS / run):
        if holds_run(folder):
            return folder
    newest = newest_run()
    hint = f"; the newest here is {shown(newest)}" if newest else ""
    problem = "holds no run" if Path(run).exists() else "is no folder of a run"
    raise RunNotFound(f"{run} {problem}{hint}")


def holds_run(folder: Path) -> bool:
    """Tell whether there is a run in the folder."""
    return (folder / ".sched" / "run.json").exists()


def newest_run(prefix: str = "") -> Path | None:
    """Return the run under ./sched-runs that was begun last."""
    if not RUNS.is_dir():
        return None
    runs = [folder for folder in RUNS.iterdir() if _is_called(folder, prefix) and holds_run(folder)]
    return max(runs, key=_begun, default=None)


def _is_called(folder: Path, prefix: str) -> bool:
    return not prefix or folder.name.rpartition("-")[0] == prefix


def _begun(folder: Path) -> tuple[int, str]:
    return (folder / ".sched" / "run.json").stat().st_mtime_ns, folder.name


def new_run(name: str | None = None) -> Path:
    """Create a folder for a new run: sched-runs/<name or time>-<n>.

    Raises OptionError for a name that no folder can have.
    """
    stem = name or time.strftime("%Y%m%d-%H%M%S")
    if "/" in stem or "\0" in stem or stem in (".", "..") or len(os.fsencode(stem)) > 200:
        raise OptionError(f"--name {stem!r} cannot be the name of a folder; use -w RUN for a path")
    RUNS.mkdir(mode=0o700, exist_ok=True)
    number = 1
    while True:
        folder = RUNS / f"{stem}-{number}"
        try:
            folder.mkdir(mode=0o700)
        except FileExistsError:
            number += 1
        else:
            return folder


def shown(folder: Path) -> str:
    """Return the folder as a person types it: quoted where a shell wants that."""
    import shlex

    return shlex.quote(str(folder))
