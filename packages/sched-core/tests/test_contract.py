from __future__ import annotations

import importlib
import sys
import tempfile
from pathlib import Path

from sched_core import Scheduler
from sched_core.testing.contract import SchedulerContract

from .readme import example

# A module of its own, as an author's would be: another process imports it too.
_FOLDER = tempfile.TemporaryDirectory(prefix="sched-example-")


def session_scheduler() -> type[Scheduler]:
    """Return the scheduler that the README shows."""
    Path(_FOLDER.name, "session_scheduler.py").write_text(example("scheduler"))
    sys.path.append(_FOLDER.name)
    found: type[Scheduler] = importlib.import_module("session_scheduler").SessionScheduler
    return found


class TestSession(SchedulerContract):
    scheduler_class = session_scheduler()
    kills_tree = False
