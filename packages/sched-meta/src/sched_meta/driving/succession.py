"""What a driver was asked to do besides driving, kept for whoever goes on with the run after its death."""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import Any

from sched_core.errors import RunCorrupt, SchedError
from sched_core.runfolder import RunView
from sched_core.runfolder.records import dump, load

from ..console import say
from ..reading.runfolder import RunFolder
from .conduct import Conduct
from .limits import parse_failure_limit

__all__ = ["inherited", "keep_for_successors", "was_stopped"]


def was_stopped(view: RunView) -> bool:
    """Tell whether the last driver ended the run before its end: by Ctrl-C, or at a limit of failures.

    One that left jobs running did not, as after a hang-up.
    """
    ended = view.lease is not None and view.lease.released
    return ended and not any(job.status.active for job in view.jobs.values())


def inherited(folder: RunFolder, conduct: Conduct) -> Conduct:
    """Return what this session is to do: what was asked of it, else of a driver that died, or left.

    A driver that has ended the run has done what was asked of it. Blocks.
    """
    found = _read(folder)
    missing = {name: value for name, value in found.items() if getattr(conduct, name) is None}
    if not missing or was_stopped(folder.read()):
        return conduct
    say(f"as its driver was to: {' '.join(_flag(*pair) for pair in missing.items())}")
    return replace(conduct, **missing)


def keep_for_successors(folder: RunFolder, conduct: Conduct) -> None:
    """Record what this session is to do, in the place of what an earlier one was; blocks.

    Only who drives the run may do so. Raises OSError.
    """
    limit = conduct.max_failures
    wanted = {"max_failures": limit.text if limit else None, "on_finish": conduct.on_finish}
    record = {name: text for name, text in wanted.items() if text is not None}
    path = _path(folder)
    if record:
        folder.files.write(path, dump(record))
    elif folder.files.exists(path):
        folder.files.remove(path)


def _read(folder: RunFolder) -> dict[str, Any]:
    path = _path(folder)
    try:
        record = load(folder.files.read(path), path)
        limit = record.get("max_failures")
        on_finish = record.get("on_finish")
        found = {
            "max_failures": None if limit is None else parse_failure_limit(str(limit)),
            "on_finish": None if on_finish is None else str(on_finish),
        }
    except FileNotFoundError:
        return {}
    except (OSError, RunCorrupt, SchedError) as error:
        say(f"warning: no --max-failures and --on-finish, if there were any: {error}")
        return {}
    return {name: value for name, value in found.items() if value is not None}


def _flag(name: str, value: Any) -> str:
    text = value if name == "on_finish" else value.text
    return f"--{name.replace('_', '-')} {shlex.quote(text)}"


def _path(folder: RunFolder) -> str:
    return f"{folder.layout.home}/conduct.json"
