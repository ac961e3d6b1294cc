"""Making a run's scheduler again from what its folder tells."""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING, Any

from ..errors import NoSuchSchedulerError, OptionError
from ..paths import SpecPath
from ..ports import system_ports
from ..runfolder import Layout, require_run

if TYPE_CHECKING:
    from ..scheduler import Scheduler

__all__ = ["scheduler_of"]


def scheduler_of(workdir: str | os.PathLike[str], **changes: object) -> Scheduler:
    """Return a scheduler like the one of the run in that folder; `changes` are options. Blocks.

    Raises RunNotFound, RunCorrupt; NoSuchSchedulerError where its class cannot be loaded;
    OptionError where that refuses.
    """
    from ..scheduler import Scheduler

    path = SpecPath(workdir)
    layout = Layout(str(path))
    run = require_run(system_ports(layout.workdir).files, layout)
    module, _, name = run.scheduler_class.partition(":")
    try:
        found: Any = importlib.import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError) as error:
        raise NoSuchSchedulerError(
            f"the run's scheduler {run.scheduler} ({run.scheduler_class}) cannot be loaded: {error}; "
            "install its package, or give a scheduler"
        ) from error
    # Whatever else the folder named would be called with what the folder says.
    if not (isinstance(found, type) and issubclass(found, Scheduler)):
        raise OptionError(
            f"the run's scheduler {run.scheduler_class} is no scheduler: give one, or another folder"
        )
    return found(path, **{**run.options, **changes})
