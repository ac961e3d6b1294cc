"""The scheduler that the README shows, as a module of its own: another process imports it too."""

from __future__ import annotations

import importlib
import sys
import tempfile
from functools import cache
from pathlib import Path

from sched_core import Scheduler

from .readme import example

_FOLDER = tempfile.TemporaryDirectory(prefix="sched-example-")


@cache
def session_scheduler() -> type[Scheduler]:
    Path(_FOLDER.name, "session_scheduler.py").write_text(example("scheduler"))
    sys.path.append(_FOLDER.name)
    found: type[Scheduler] = importlib.import_module("session_scheduler").SessionScheduler
    return found
