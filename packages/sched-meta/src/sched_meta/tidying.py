"""Removing what a run has left elsewhere, and saying so."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import anyio

from sched_core import clean_run, scheduler_of

from .console import say, warnings_go_to
from .driving.options import parse_options
from .reading.runfolder import RunFolder
from .wording import plain, size

__all__ = ["clean_up"]


def clean_up(folder: RunFolder, options: Sequence[str], *, lose_results: bool) -> int:
    """Remove what the run has left outside of its folder; return the exit code."""
    scheduler = scheduler_of(folder.absolute)
    if changes := parse_options(options, type(scheduler)):
        scheduler = scheduler_of(folder.absolute, **changes)
    with warnings_go_to(say):
        found = anyio.run(partial(clean_run, scheduler, lose_results=lose_results))
    left = [remains for remains in found if remains.problem]
    for remains in found:
        if remains not in left:
            say(f"removed {plain(str(remains))} ({size(remains.size)})")
    for remains in left:
        say(f"not cleaned: {plain(remains.problem)}")
    if left:
        say(f"next:    sched clean {folder}, when that is mended")
    elif not found:
        say(f"nothing of the run is left outside of its folder {folder}")
    return 1 if left else 0
