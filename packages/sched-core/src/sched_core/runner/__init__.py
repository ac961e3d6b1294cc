"""The runner: what a program uses to run jobs."""

from .cleaning import clean_run
from .opening import Existing
from .reopening import scheduler_of
from .runner import Runner
from .signals import handle_signals
from .sync import run

__all__ = ["Existing", "Runner", "clean_run", "handle_signals", "run", "scheduler_of"]
