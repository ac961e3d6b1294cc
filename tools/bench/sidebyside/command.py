"""`bench --all` and `bench --plot`."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from ..sizes import Sizes
from .clusters import GRID_ENGINE, ON_SLURM
from .containers import CONTAINERS
from .document import measured, merged, ours_failed, read
from .gbatch import GBATCH
from .hosts import HOSTS
from .local import LOCAL
from .page import page

__all__ = ["FIELDS", "RESULTS", "plot", "side_by_side"]

_ROOT = Path(__file__).resolve().parents[3]
RESULTS = _ROOT / "docs" / "benchmarks" / "results.json"
_PAGE = "index.md"
FIELDS = {field.name: field for field in (LOCAL, ON_SLURM, GRID_ENGINE, HOSTS, *CONTAINERS, GBATCH)}


def side_by_side(names: Sequence[str], sizes: Sizes, file: Path | None, parent: str | None) -> int:
    """Measure on the engines named, or on all, and write the file and the page beside it; return
    the exit code.
    """
    scratch = Path(tempfile.mkdtemp(prefix="sched-bench-", dir=parent))
    known = read(file) if file else []
    new = []
    try:
        for name in names or FIELDS:
            new.append(measured(FIELDS[name], sizes, scratch))
            if file:
                _write(file, merged(known, new, list(FIELDS)))
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    print(page(new))
    return int(any(map(ours_failed, new)))


def _write(file: Path, document: dict[str, object]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(document, indent=1) + "\n")
    file.with_name(_PAGE).write_text(page(read(file)))


def plot(file: Path) -> int:
    """Draw what a file holds into its folder, in an environment that has matplotlib."""
    words = [sys.executable, str(_ROOT / "tools" / "dev.py"), "run", "plots:draw"]
    return subprocess.call([*words, str(file.resolve()), str(file.resolve().parent)])
