"""What a key does to a run: as `sched kill` and `sched retry` do it, beside the screen."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from sched_core.errors import SchedError

from ..console import words_go_to
from ..driving.control import ask_to_retry, kill_jobs
from ..reading.runfolder import RunFolder
from ..wording import plain

__all__ = ["kill", "retry"]

Tell = Callable[[str], None]
"""Gets in words what came of it; it is called in another thread."""


def kill(folder: RunFolder, indexes: Sequence[int] | None, tell: Tell) -> None:
    """Have jobs killed, None for all of them, whether somebody drives the run or not."""
    _beside(lambda: kill_jobs(folder, [_words(indexes)] if indexes else ()), tell)


def retry(folder: RunFolder, indexes: Sequence[int] | None, tell: Tell) -> None:
    """Have jobs run once more by the run's driver, None for all that failed or were killed."""
    words = [_words(indexes)] if indexes else []

    def ask() -> None:
        if not ask_to_retry(folder, words):
            tell(f"nobody drives the run; type: sched retry {folder} {' '.join(words)}")

    _beside(ask, tell)


def _words(indexes: Sequence[int]) -> str:
    return ",".join(map(str, indexes))


def _beside(act: Callable[[], object], tell: Tell) -> None:
    def work() -> None:
        with words_go_to(tell):
            try:
                act()
            except (SchedError, OSError) as error:
                tell(plain(str(error)))

    # A daemon: leaving the screen does not wait for what was asked for.
    threading.Thread(target=work, daemon=True).start()
